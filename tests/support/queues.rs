//! What a queue is held against, and what is sent through it.

use core::fmt::Debug;
use std::collections::VecDeque;

use rawipc::Deadline;
use rawipc::queue::{PopError, PushError};
use rawipc::shm::{Memfd, Plain, Shared, ShmSafe};

use super::crowd::{at_once, times_out};

/// The value of that number: of whatever size, its bytes all depend on it.
pub(crate) fn nth<T: Plain>(number: u64) -> T {
    let mut value = T::new_zeroed();
    let mut mixed = number;
    for word in value.as_mut_bytes().chunks_mut(8) {
        mixed = mixed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word.copy_from_slice(&mixed.to_be_bytes()[..word.len()]);
    }
    value
}

/// A queue as anybody would write it.
pub(crate) struct Model<T> {
    values: VecDeque<T>,
    capacity: usize,
    pub(crate) is_closed: bool,
    made: u64,
}

impl<T: Plain + Debug + PartialEq> Model<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { values: VecDeque::new(), capacity, is_closed: false, made: 0 }
    }

    /// Values that have not been there yet.
    pub(crate) fn fresh(&mut self, count: usize) -> Vec<T> {
        let first = self.made;
        self.made += u64::try_from(count).expect("a number");
        (first..self.made).map(nth).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn room(&self, most: usize) -> Result<usize, PushError> {
        let room = self.capacity - self.values.len();
        match (self.is_closed, room.min(most)) {
            (true, _) => Err(PushError::Closed(())),
            (false, 0) if most > 0 => Err(PushError::Full(())),
            (false, count) => Ok(count),
        }
    }

    pub(crate) fn push_slice(&mut self, values: &[T]) -> Result<usize, PushError> {
        let count = self.room(values.len())?;
        self.values.extend(&values[..count]);
        Ok(count)
    }

    pub(crate) fn push(&mut self, value: T) -> Result<(), PushError<T>> {
        match self.push_slice(&[value]) {
            Ok(_one) => Ok(()),
            Err(PushError::Full(())) => Err(PushError::Full(value)),
            Err(PushError::Closed(())) => Err(PushError::Closed(value)),
        }
    }

    /// The oldest ones, which stay.
    pub(crate) fn first(&self, most: usize) -> Result<Vec<T>, PopError> {
        if self.values.is_empty() && most > 0 {
            return Err(if self.is_closed { PopError::Closed } else { PopError::Empty });
        }
        Ok(self.values.iter().take(most).copied().collect())
    }

    pub(crate) fn pop_slice(&mut self, most: usize) -> Result<Vec<T>, PopError> {
        let first = self.first(most)?;
        self.values.drain(..first.len());
        Ok(first)
    }

    pub(crate) fn pop(&mut self) -> Result<T, PopError> {
        self.pop_slice(1).map(|one| one[0])
    }
}

/// Waits with a deadline a few milliseconds away, for what does not come: must say so, neither
/// before nor much later.
#[track_caller]
pub(crate) fn gives_up<E>(wait_until: impl FnOnce(Deadline) -> Result<(), E>) -> E {
    at_once(|| times_out(wait_until))
}

/// So many values, to be overwritten.
pub(crate) fn room_for<T: Plain>(most: usize) -> Vec<T> {
    vec![T::new_zeroed(); most]
}

/// What is in the memory.
pub(crate) fn image<T: ShmSafe>(queue: &T) -> Vec<u64> {
    assert_eq!(size_of::<T>() % 8, 0);
    let words = core::ptr::from_ref(queue).cast::<u64>();
    let word = |at| {
        // SAFETY: within the value, and aligned.
        let word = unsafe { words.add(at) };
        // SAFETY: any bytes are a word; and whoever else could write there is stopped or dead.
        unsafe { word.read_volatile() }
    };
    (0..size_of::<T>() / 8).map(word).collect()
}

/// Memory in which that is.
pub(crate) fn restored<T: ShmSafe>(image: &[u64]) -> Shared<T> {
    let bytes: Vec<u8> = image.iter().flat_map(|word| word.to_ne_bytes()).collect();
    Shared::anonymous(T::read_from_bytes(&bytes).expect("as many")).expect("memory")
}

/// A file with such a value, and where in the file that begins.
pub(crate) fn file_of<T: ShmSafe>(value: T) -> (Memfd, usize) {
    let file = Memfd::new(size_of::<T>() + 4096).expect("a file");
    // SAFETY: nobody else has the file.
    drop(unsafe { Shared::create_in(&file, value) }.expect("memory"));
    // Behind a header of 64 bytes, aligned.
    (file, align_of::<T>().max(64))
}

/// That very value, in this process's own memory.
pub(crate) fn opened<T: ShmSafe>(file: &Memfd) -> Shared<T> {
    // SAFETY: whoever has the file keeps to the protocol.
    unsafe { Shared::from_fd(file) }.expect("as it has been made")
}

/// A test for each type of values: that `$holds`, for queues of one, two and eight, whatever
/// `$calls` makes.
#[allow(unused_macros, reason = "not every test is of all types")]
macro_rules! of_each_type {
    ($calls:ident, $holds:ident) => {
        $crate::support::queues::of_each_type! { $calls, $holds,
            whatever_is_called_it_is_a_queue_of_nothings: (),
            whatever_is_called_it_is_a_queue_of_bytes: u8,
            whatever_is_called_it_is_a_queue_of_words: u64,
            whatever_is_called_it_is_a_queue_of_double_words: u128,
            whatever_is_called_it_is_a_queue_of_what_fills_a_line: [u64; 7],
            whatever_is_called_it_is_a_queue_of_more_than_a_word: [u8; 9],
            whatever_is_called_it_is_a_queue_of_double_words_that_fill_no_line: [u128; 3],
            whatever_is_called_it_is_a_queue_of_long_ones: [u8; 600],
            whatever_is_called_it_is_a_queue_of_pages: [u64; 512]
        }
    };
    ($calls:ident, $holds:ident, $($name:ident: $type:ty),*) => {
        proptest! {
            #![proptest_config(ProptestConfig {
                failure_persistence: None,
                cases: if cfg!(debug_assertions) { 48 } else { 192 },
                ..ProptestConfig::default()
            })]

            $(#[test]
            fn $name(calls in $calls()) {
                $holds::<$type, 1>(&calls);
                $holds::<$type, 2>(&calls);
                $holds::<$type, 8>(&calls);
            })*
        }
    };
}
#[allow(unused_imports, reason = "not every test is of all types")]
pub(crate) use of_each_type;
