//! [`Spsc`]: a queue for one producer and one consumer.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

mod chunks;
mod consumer;
mod producer;

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

pub use self::chunks::{ReadChunk, ReadSlot, WriteChunk, WriteSlot};
pub use self::consumer::Consumer;
pub use self::producer::Producer;
use super::gate::Gate;
use super::slot::{Alone, Slot, Slots, ahead};
use crate::prim::{AtomicU64, const_fn, real_only};
use crate::shm::plain::{Plain, ShmSafe};

/// A queue of up to `N` values, a power of two, from one producer to one consumer, which no kill
/// can break.
///
/// Each of the two roles is had by one at a time, who [takes](Self::producer) it and gives it back.
/// What either tries takes so many steps and no more, whatever the other does. Zero is empty.
///
/// A value becomes visible by one store. So a producer that is **killed** has pushed a value or has
/// not, and a consumer that is killed has popped it or leaves it to the next. Their roles stay
/// taken; [`reclaim_producer`](Self::reclaim_producer) and
/// [`reclaim_consumer`](Self::reclaim_consumer) give them to others, who go on where they stopped.
///
/// Each value lies beside the word that says that it is there: if both fit into a cache line (a
/// value of up to 56 bytes, best of 8, 24 or 56), that line is all that has to come from the
/// producer to the consumer.
///
/// # Examples
///
/// ```
/// use rawipc::process;
/// use rawipc::queue::Spsc;
/// use rawipc::shm::Shared;
///
/// let queue = Shared::anonymous(Spsc::<u64, 64>::new())?;
/// let task = || {
///     let Some(mut producer) = queue.producer() else { return 1 };
///     let is_done = (1..=1000).try_for_each(|value| producer.push(value)).is_ok();
///     queue.close();
///     u8::from(!is_done)
/// };
/// // SAFETY: the child takes a role that nobody else has; nothing is owned twice.
/// let mut child = unsafe { process::spawn(task)? };
///
/// let mut consumer = queue.consumer().expect("nobody else has taken it");
/// let mut sum = 0;
/// while let Ok(value) = consumer.pop() {
///     sum += value;
/// }
/// assert_eq!(sum, 500_500);
/// assert!(child.wait()?.success());
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// # References
///
/// - Leslie Lamport, "Specifying Concurrent Program Modules", 1983
/// - John Giacomoni and others, "`FastForward` for Efficient Pipeline Parallelism", 2008
#[derive(FromBytes)]
#[repr(C)]
pub struct Spsc<T, const N: usize> {
    gate: Alone<Gate>,
    /// Where the next one is pushed; behind what has been published only if the producer was
    /// killed.
    tail: Alone<AtomicU64>,
    /// Where the next one is popped.
    head: Alone<AtomicU64>,
    slots: Slots<T, N>,
}

impl<T, const N: usize> Spsc<T, N> {
    /// How many values it holds.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// assert_eq!(Spsc::<u8, 16>::CAPACITY, 16);
    /// ```
    pub const CAPACITY: usize = N;

    const_fn! {
        /// Empty, and both roles free.
        ///
        /// # Examples
        ///
        /// See [`Spsc`].
        #[must_use]
        pub const fn new() -> Self {
            Self {
                gate: Alone(Gate::new()),
                tail: Alone(AtomicU64::new(0)),
                head: Alone(AtomicU64::new(0)),
                slots: Slots::new(),
            }
        }
    }

    /// How many values are in it; may have changed by the time that one knows. Never more than it
    /// holds. What the producer finds is the most that there can be, as nobody else adds to it, and
    /// what the consumer finds the least.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<u8, 16>::new();
    /// assert!(queue.is_empty());
    /// queue.producer().unwrap().push_slice(&[1, 2, 3])?;
    /// assert_eq!(queue.len(), 3);
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        // One of them may be new and the other old: the head even beyond the tail, which is written
        // when the value is there already.
        let length = ahead(self.tail.0.load(Relaxed), self.head.0.load(Relaxed));
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
    /// who waits. Anybody may.
    ///
    /// # Examples
    ///
    /// See [`Spsc`].
    pub fn close(&self) {
        self.gate.0.close();
    }

    /// Whether it has been closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<u8, 16>::new();
    /// assert!(!queue.is_closed());
    /// queue.close();
    /// assert!(queue.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.gate.0.is_closed()
    }

    /// What a slot says when the value of that position is there. Before, it says one less.
    const fn full(position: u64) -> u64 {
        (position >> Slots::<T, N>::SHIFT).wrapping_add(1)
    }

    #[inline]
    const fn slot(&self, position: u64) -> &Slot<T> {
        self.slots.at(position)
    }

    /// Lets the value of that position be there, as its payload is.
    #[inline]
    fn publish(&self, position: u64) {
        // Pairs with the Acquire in is_there: the payload is there, too.
        self.slot(position).turn.store(Self::full(position), Release);
    }

    /// Whether the value of that position is there.
    #[inline]
    fn is_there(&self, position: u64) -> bool {
        // Acquire pairs with the Release in publish.
        self.slot(position).turn.load(Acquire) == Self::full(position)
    }

    /// How many are there in a row from that position on, up to `most`.
    #[inline]
    fn count(&self, position: u64, most: usize) -> usize {
        positions(position).take(most.min(N)).take_while(|&at| self.is_there(at)).count()
    }
}

/// From that one on.
fn positions(first: u64) -> impl Iterator<Item = u64> {
    (0..).map(move |count| first.wrapping_add(count))
}

/// The position so many further on.
const fn beyond(position: u64, count: usize) -> u64 {
    position.wrapping_add(count as u64)
}

impl<T: Plain, const N: usize> Spsc<T, N> {
    /// The role of the producer; none, if it is taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<u8, 16>::new();
    /// let producer = queue.producer();
    /// assert!(producer.is_some() && queue.producer().is_none());
    /// drop(producer);
    /// assert!(queue.producer().is_some());
    /// ```
    #[must_use]
    pub fn producer(&self) -> Option<Producer<'_, T, N>> {
        self.gate.0.producer.take().then(|| Producer::new(self))
    }

    /// The role of the producer, although it is taken: by one that was killed.
    ///
    /// If the one that has it lives, values are lost or come out wrong.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<u8, 16>::new();
    /// std::mem::forget(queue.producer()); // as one that is killed never gives back
    /// assert!(queue.producer().is_none());
    /// assert_eq!(queue.reclaim_producer().try_push(7), Ok(()));
    /// ```
    pub fn reclaim_producer(&self) -> Producer<'_, T, N> {
        self.gate.0.producer.seize();
        Producer::new(self)
    }

    /// The role of the consumer; none, if it is taken.
    ///
    /// # Examples
    ///
    /// As [`producer`](Self::producer).
    #[must_use]
    pub fn consumer(&self) -> Option<Consumer<'_, T, N>> {
        self.gate.0.consumer.take().then(|| Consumer::new(self))
    }

    /// The role of the consumer, although it is taken: by one that was killed. What that one was
    /// popping, it finds again.
    ///
    /// If the one that has it lives, values are popped twice.
    ///
    /// # Examples
    ///
    /// As [`reclaim_producer`](Self::reclaim_producer).
    pub fn reclaim_consumer(&self) -> Consumer<'_, T, N> {
        self.gate.0.consumer.seize();
        Consumer::new(self)
    }
}

// SAFETY: `repr(C)`, of atomics of any bits, and of values that are of any bits and are read and
// written by atomic words (or an instruction which takes them as they come). `Send` and `Plain`
// keep out what belongs to a thread or an address space. Zero is empty.
unsafe impl<T: Plain + Send, const N: usize> ShmSafe for Spsc<T, N> {}

impl<T, const N: usize> Default for Spsc<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for Spsc<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spsc")
            .field("len", &self.len())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

real_only! {
    use core::mem::offset_of;
    static_assertions::assert_eq_size!(Spsc<[u64; 3], 4>, [u128; 3 * 8 + 4 * 2]);
    static_assertions::const_assert_eq!(align_of::<Spsc<u8, 1>>(), 128);
    static_assertions::const_assert_eq!(offset_of!(Spsc<u8, 1>, tail), 128);
    static_assertions::const_assert_eq!(offset_of!(Spsc<u8, 1>, head), 256);
    static_assertions::const_assert_eq!(offset_of!(Spsc<u8, 1>, slots), 384);
    static_assertions::assert_eq_size!(Slot<[u8; 9]>, [u64; 3]);
    static_assertions::assert_impl_all!(Spsc<u64, 2>: ShmSafe, Send, Sync);
    static_assertions::assert_impl_all!(Producer<'static, u64, 2>: Send);
    static_assertions::assert_impl_all!(Consumer<'static, u64, 2>: Send);
}
