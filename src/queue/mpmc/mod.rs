//! [`Mpmc`]: a queue for any number of producers and consumers.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

mod pop;
mod push;

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use super::bell::{Attempt, Bell};
use super::slot::{Alone, Slot, Slots, ahead};
use crate::prim::{ALL, AtomicU32, AtomicU64, Padding, array, const_fn, pause, real_only};
use crate::shm::plain::{Plain, ShmSafe};

/// A queue of up to `N` values, a power of two, into which any number of processes push and from
/// which any number pop. In order: what one process pushes, no process pops the later before the
/// earlier.
///
/// There is no lock, but whoever pushes or pops first takes a slot, and then writes or reads it.
/// Meanwhile it counts as empty for who comes to pop, and as full for who comes to push. A process
/// that is **killed** in those few instructions leaves it so, and the queue stands still there,
/// with deadlines that hold. Where that must not be, give each process an [`Spsc`](super::Spsc).
///
/// Zero is empty.
///
/// # Examples
///
/// ```
/// use rawipc::queue::{Closed, Mpmc};
///
/// let queue = Mpmc::<u64, 8>::new();
/// std::thread::scope(|scope| {
///     let producers = [0, 100].map(|first| {
///         let queue = &queue;
///         scope.spawn(move || (first..first + 100).try_for_each(|value| queue.push(value)))
///     });
///     let consumers =
///         [(); 2].map(|()| scope.spawn(|| core::iter::from_fn(|| queue.pop().ok()).sum::<u64>()));
///     for producer in producers {
///         producer.join().unwrap().unwrap();
///     }
///     queue.close();
///     let sum: u64 = consumers.into_iter().map(|consumer| consumer.join().unwrap()).sum();
///     assert_eq!(sum, (0..200).sum());
/// });
/// assert_eq!(queue.push(1), Err(Closed(1)));
/// ```
///
/// # References
///
/// - Dmitry Vyukov, [Bounded MPMC queue](https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue)
#[derive(FromBytes)]
#[repr(C)]
pub struct Mpmc<T, const N: usize> {
    /// Seldom written.
    bells: Alone<Bells>,
    tail: Alone<Tail>,
    /// Where the next one is popped.
    head: Alone<AtomicU64>,
    /// Of each slot, in which turn a value can be pushed there. Written by consumers only, and the
    /// slots by producers only: so a line of either goes one way.
    freed: Alone<[AtomicU64; N]>,
    slots: Slots<T, N>,
}

/// What producers write.
#[derive(FromBytes)]
#[repr(C)]
struct Tail {
    /// Where the next one is pushed; and whether it is closed.
    position: AtomicU64,
    /// Up to where slots are known to have been freed: so that not every push has to look.
    limit: AtomicU64,
}

#[derive(FromBytes)]
#[repr(C)]
struct Bells {
    not_empty: Bell,
    not_full: Bell,
    /// Not zero if it is closed, as the tail says, too: whoever pops finds it here, and so leaves
    /// the tail with those who push.
    closed: AtomicU32,
    unused: Padding,
}

/// Beside the position at the tail: it is closed. Positions are counted above that bit.
const CLOSED: u64 = 1;
const ONE: u64 = 2;

/// How many slots whoever has to look for free ones looks at, at least.
const AHEAD: usize = 64;

impl<T, const N: usize> Mpmc<T, N> {
    /// How many values it holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Mpmc;
    ///
    /// assert_eq!(Mpmc::<u8, 16>::CAPACITY, 16);
    /// ```
    pub const CAPACITY: usize = N;

    const_fn! {
        /// Empty.
        ///
        /// # Examples
        ///
        /// See [`Mpmc`].
        #[must_use]
        pub const fn new() -> Self {
            Self {
                bells: Alone(Bells {
                    not_empty: Bell::new(),
                    not_full: Bell::new(),
                    closed: AtomicU32::new(0),
                    unused: Padding::new(),
                }),
                tail: Alone(Tail { position: AtomicU64::new(0), limit: AtomicU64::new(0) }),
                head: Alone(AtomicU64::new(0)),
                freed: Alone(array!(AtomicU64::new(0); N)),
                slots: Slots::new(),
            }
        }
    }

    /// How many values are in it, those included that are being pushed or popped; may have changed
    /// by the time that one knows. Never more than it holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Mpmc;
    ///
    /// let queue = Mpmc::<u8, 16>::new();
    /// assert!(queue.is_empty());
    /// queue.push_slice(&[1, 2, 3])?;
    /// assert_eq!(queue.len(), 3);
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        // One of them may be new and the other old.
        let tail = self.tail.0.position.load(Relaxed) & !CLOSED;
        let length = ahead(tail, self.head.0.load(Relaxed)) / ONE;
        usize::try_from(length).unwrap_or(N).min(N)
    }

    /// Whether there is nothing in it; may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// See [`len`](Self::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes it, for good: nothing more is pushed, and what is in it can still be popped. Wakes
    /// all who wait.
    ///
    /// # Examples
    ///
    /// See [`Mpmc`].
    pub fn close(&self) {
        // Release pairs with the fence in attempt_push: who is told sees what was done before.
        self.tail.0.position.fetch_or(CLOSED, Release);
        self.announce_end();
    }

    /// If whoever closes it is still at it, or was killed over it: does the rest.
    #[cold]
    fn finish_closing(&self) {
        if self.tail.0.position.load(Acquire) & CLOSED != 0 && !self.is_closed() {
            self.announce_end();
        }
    }

    /// Says to who pops that nothing more is pushed, as the tail says.
    #[cold]
    fn announce_end(&self) {
        // Release pairs with the Acquire in nothing_at: who finds it closed sees what was done
        // before, and the tail as it has been left.
        self.bells.0.closed.store(1, Release);
        self.bells.0.not_empty.ring(ALL);
        self.bells.0.not_full.ring(ALL);
    }

    /// Whether it has been closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Mpmc;
    ///
    /// let queue = Mpmc::<u8, 16>::new();
    /// assert!(!queue.is_closed());
    /// queue.close();
    /// assert!(queue.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.bells.0.closed.load(Acquire) != 0
    }

    /// The turn of a position: how often its slot has been used before.
    const fn turn(position: u64) -> u64 {
        (position / ONE) >> Slots::<T, N>::SHIFT
    }

    /// What its slot says when the value of that position is there.
    const fn full(position: u64) -> u64 {
        Self::turn(position).wrapping_add(1)
    }

    #[inline]
    const fn slot(&self, position: u64) -> &Slot<T> {
        self.slots.at(position / ONE)
    }

    /// In which turn a value can be pushed into the slot of that position.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "the remainder is less than what it is divided by")]
    #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    const fn freed(&self, position: u64) -> &AtomicU64 {
        &self.freed.0[(position / ONE) as usize & N.wrapping_sub(1)]
    }

    /// How many slots from `tail` on are free, as far as is known; if that is less than `most`,
    /// looks at so many, and some more.
    #[inline]
    fn room(&self, tail: u64, most: usize) -> usize {
        // Acquire pairs with the Release in look_for_room: those slots have been read.
        let limit = self.tail.0.limit.load(Acquire);
        match usize::try_from(limit.wrapping_sub(tail) / ONE) {
            Ok(known) if known >= most.min(N) && known <= N => known,
            _ => self.look_for_room(tail, most, limit),
        }
    }

    fn look_for_room(&self, tail: u64, most: usize, limit: u64) -> usize {
        // Acquire pairs with the Release in free.
        let is_free = |&at: &u64| self.freed(at).load(Acquire) == Self::turn(at);
        let room = positions(tail).take(most.max(AHEAD).min(N)).take_while(is_free).count();
        if room > 0 {
            // Release pairs with the Acquire in room. If somebody else has been here, no matter: a
            // slot stays free until it is taken, and so each limit that ever was stays true.
            let next = beyond(tail, room);
            let _other = self.tail.0.limit.compare_exchange(limit, next, Release, Relaxed);
        }
        room
    }

    /// Frees so many slots from `head` on, as their values have been read.
    #[inline]
    fn free(&self, head: u64, count: usize) {
        for at in positions(head).take(count) {
            // Pairs with the Acquire in look_for_room: the payload has been read.
            self.freed(at).store(Self::turn(beyond(at, N)), Release);
        }
        self.bells.0.not_full.ring(u32::try_from(count).unwrap_or(ALL));
    }

    /// How many values there are from `head` on, up to `most`.
    #[inline]
    fn count(&self, head: u64, most: usize) -> usize {
        // Acquire pairs with the Release in attempt_push: the payload is there, too.
        let is_there = |&at: &u64| self.slot(at).turn.load(Acquire) == Self::full(at);
        positions(head).take(most.min(N)).take_while(is_there).count()
    }
}

/// Takes so many places from `position` on, if `counter` still stands there.
///
/// Relaxed: what is in these places has been seen before.
#[inline]
fn take(counter: &AtomicU64, position: u64, count: usize) -> bool {
    counter.compare_exchange_weak(position, beyond(position, count), Relaxed, Relaxed).is_ok()
}

/// The position so many further on.
const fn beyond(position: u64, count: usize) -> u64 {
    position.wrapping_add((count as u64).wrapping_mul(ONE))
}

/// From that one on.
fn positions(first: u64) -> impl Iterator<Item = u64> {
    (0..).map(move |count| beyond(first, count))
}

/// Makes `attempt` until nobody else is faster.
#[inline]
fn at_once<T>(mut attempt: impl FnMut() -> Attempt<T>) -> Option<T> {
    loop {
        match attempt() {
            Attempt::Done(result) => return Some(result),
            Attempt::InVain => return None,
            Attempt::TooLate => pause(),
        }
    }
}

/// Whoever did not find what is to be there for a position: either that place has been taken by
/// another, or whoever has to be there first has not been.
#[inline]
fn late_or_vain<R>(counter: &AtomicU64, position: u64) -> Attempt<R> {
    let is_late = counter.load(Relaxed) != position;
    if is_late { Attempt::TooLate } else { Attempt::InVain }
}

// SAFETY: `repr(C)`, of atomics of any bits, and of values that are of any bits and are read and
// written by atomic words (or an instruction which takes them as they come). `Send` and `Plain`
// keep out what belongs to a thread or an address space. Zero is empty.
unsafe impl<T: Plain + Send, const N: usize> ShmSafe for Mpmc<T, N> {}

impl<T, const N: usize> Default for Mpmc<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for Mpmc<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mpmc")
            .field("len", &self.len())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

real_only! {
    static_assertions::assert_eq_size!(Mpmc<[u64; 3], 4>, [u128; 4 * 8 + 4 * 2]);
    static_assertions::const_assert_eq!(align_of::<Mpmc<u8, 1>>(), 128);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Mpmc<u8, 1>, tail), 128);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Mpmc<u8, 1>, head), 256);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Mpmc<u8, 1>, freed), 384);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Mpmc<u8, 16>, slots), 512);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Mpmc<u8, 32>, slots), 640);
    static_assertions::assert_impl_all!(Mpmc<u64, 2>: ShmSafe, Send, Sync);
}
