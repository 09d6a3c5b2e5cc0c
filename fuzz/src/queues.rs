//! What the targets that try queues have in common: where a queue starts, what is sent through it,
//! and what it is held against.

use core::fmt::Debug;
use std::collections::VecDeque;

use arbitrary::Arbitrary;
use rawipc::Deadline;
use rawipc::queue::{PopError, PushError};
use rawipc::shm::{Plain, ShmSafe};

/// How far a queue has come when it is tried: often to where a counter is about to begin again.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Start {
    New,
    BeforeMax(u8),
    BeforeHalf(u8),
    BeforeLowHalf(u8),
    Anywhere(u64),
}

impl Start {
    pub(super) fn position(self) -> u64 {
        match self {
            Self::New => 0,
            Self::BeforeMax(steps) => u64::MAX - u64::from(steps),
            Self::BeforeHalf(steps) => (1 << 63) - u64::from(steps),
            Self::BeforeLowHalf(steps) => (1 << 32) - u64::from(steps),
            Self::Anywhere(position) => position,
        }
    }
}

/// Which form of a call is made.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Form {
    Try,
    Until,
    /// Only where it has nothing to wait for.
    Wait,
}

pub(super) enum Call {
    Try,
    Until(Deadline),
    Wait,
}

impl Form {
    /// What can be called without waiting.
    pub(super) fn call(self, would_wait: bool) -> Call {
        match self {
            Self::Try => Call::Try,
            Self::Wait if !would_wait => Call::Wait,
            Self::Until | Self::Wait => Call::Until(Deadline::now()),
        }
    }
}

/// A role at one end of a queue: what becomes of it.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Role {
    Take,
    GiveBack,
    /// As one loses it who is killed.
    Lose,
    Reclaim,
}

impl Role {
    /// Lets that happen to the role that is `mine`, if I have one: as long as it `is_taken`, nobody
    /// else can.
    pub(super) fn happens<R>(
        self,
        mine: &mut Option<R>,
        is_taken: &mut bool,
        take: impl FnOnce() -> Option<R>,
        reclaim: impl FnOnce() -> R,
    ) {
        match self {
            Self::Take => {
                let taken = take();
                assert_eq!(taken.is_some(), !*is_taken);
                *is_taken = true;
                if taken.is_some() {
                    *mine = taken;
                }
            }
            Self::GiveBack => {
                if mine.take().is_some() {
                    *is_taken = false;
                }
            }
            Self::Lose => core::mem::forget(mine.take()),
            Self::Reclaim => {
                core::mem::forget(mine.take());
                *mine = Some(reclaim());
                *is_taken = true;
            }
        }
    }
}

/// What has such bytes: zeros, and these words at these offsets.
pub(super) fn of_words<T: ShmSafe>(words: impl IntoIterator<Item = (usize, u64)>) -> T {
    let mut bytes = vec![0; size_of::<T>()];
    for (offset, word) in words {
        bytes[offset..offset + 8].copy_from_slice(&word.to_ne_bytes());
    }
    of_bytes(&bytes)
}

pub(super) fn of_bytes<T: ShmSafe>(bytes: &[u8]) -> T {
    T::read_from_bytes(bytes).expect("as many")
}

/// The value of that number: of whatever size, its bytes all depend on it.
pub(super) fn nth<T: Plain>(number: u64) -> T {
    let mut value = T::new_zeroed();
    let mut mixed = number;
    for word in value.as_mut_bytes().chunks_mut(8) {
        mixed = mixed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word.copy_from_slice(&mixed.to_be_bytes()[..word.len()]);
    }
    value
}

/// A slot, as it lies in memory: a word, and the value as soon behind it as that can be.
pub(super) struct SlotOf<T>(T);

impl<T> SlotOf<T> {
    const ALIGN: usize = if align_of::<T>() > 8 { align_of::<T>() } else { 8 };
    /// Where in it the value begins.
    pub(super) const VALUE: usize = Self::ALIGN;
    pub(super) const SIZE: usize = Self::VALUE + size_of::<T>().next_multiple_of(Self::ALIGN);
}

/// A queue as anybody would write it.
pub(super) struct Model<T> {
    pub(super) values: VecDeque<T>,
    capacity: usize,
    pub(super) is_closed: bool,
    made: u64,
}

impl<T: Plain + Debug + PartialEq> Model<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { values: VecDeque::new(), capacity, is_closed: false, made: 0 }
    }

    /// A value that has not been there yet.
    pub(super) fn fresh(&mut self) -> T {
        self.made += 1;
        nth(self.made)
    }

    pub(super) fn some_fresh(&mut self, count: usize) -> Vec<T> {
        (0..count).map(|_| self.fresh()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether who pushes so many would wait.
    pub(super) fn is_full(&self, count: usize) -> bool {
        self.room(count) == Err(PushError::Full(()))
    }

    /// Whether who pops would wait.
    pub(super) fn is_bare(&self) -> bool {
        self.values.is_empty() && !self.is_closed
    }

    pub(super) fn room(&self, most: usize) -> Result<usize, PushError> {
        let room = self.capacity - self.values.len();
        match (self.is_closed, room.min(most)) {
            (true, _) => Err(PushError::Closed(())),
            (false, 0) if most > 0 => Err(PushError::Full(())),
            (false, count) => Ok(count),
        }
    }

    pub(super) fn push_slice(&mut self, values: &[T]) -> Result<usize, PushError> {
        let count = self.room(values.len())?;
        self.values.extend(&values[..count]);
        Ok(count)
    }

    pub(super) fn push(&mut self, value: T) -> Result<(), PushError<T>> {
        match self.push_slice(&[value]) {
            Ok(_one) => Ok(()),
            Err(PushError::Full(())) => Err(PushError::Full(value)),
            Err(PushError::Closed(())) => Err(PushError::Closed(value)),
        }
    }

    /// The oldest ones, which stay.
    pub(super) fn first(&self, most: usize) -> Result<Vec<T>, PopError> {
        if self.values.is_empty() && most > 0 {
            return Err(if self.is_closed { PopError::Closed } else { PopError::Empty });
        }
        Ok(self.values.iter().take(most).copied().collect())
    }

    pub(super) fn pop_slice(&mut self, most: usize) -> Result<Vec<T>, PopError> {
        let first = self.first(most)?;
        self.values.drain(..first.len());
        Ok(first)
    }

    pub(super) fn pop(&mut self) -> Result<T, PopError> {
        self.pop_slice(1).map(|one| one[0])
    }
}

/// Tries with `$holds` the queue of that number, of various values and capacities.
macro_rules! of_some_type {
    ($number:expr, $holds:ident $with:tt) => {
        super::queues::of_some_type! { $number, $holds $with,
            0 => u8, 1; 1 => u8, 4; 2 => u8, 64;
            3 => u64, 1; 4 => u64, 2; 5 => u64, 8; 6 => u64, 64;
            7 => [u128; 3], 1; 8 => [u128; 3], 4;
            9 => [u64; 8], 2; 10 => [u64; 8], 8;
            11 => [u8; 200], 1; 12 => [u8; 200], 8; 13 => [u8; 200], 64;
            14 => [u8; 9], 2; _ => [u8; 600], 4
        }
    };
    ($number:expr, $holds:ident $with:tt, $($nth:pat => $type:ty, $capacity:literal);*) => {
        match $number % 16 {
            $($nth => $holds::<$type, $capacity> $with),*
        }
    };
}
pub(super) use of_some_type;
