//! [`WriteChunk`] and [`ReadChunk`]: values where they lie, to be copied once or not at all.

use core::fmt;
use core::marker::PhantomData;

use super::{Consumer, Producer};
use crate::prim::Payload;
use crate::queue::Closed;
use crate::shm::plain::Plain;

/// Slots of an [`Spsc`](super::Spsc), lent to its producer to be written in place. What has been
/// written is not pushed before it is [committed](Self::commit); if this is dropped, it never is.
///
/// In each slot lies some value from the beginning: zeros, or an older one.
///
/// # Examples
///
/// ```
/// use rawipc::queue::Spsc;
///
/// let queue = Spsc::<[u8; 4096], 8>::new();
/// let mut producer = queue.producer().unwrap();
///
/// let mut chunk = producer.reserve(2)?;
/// for mut slot in chunk.slots() {
///     slot.write([7; 4096]);
/// }
/// assert_eq!(chunk.commit(2)?, 2);
///
/// let mut consumer = queue.consumer().unwrap();
/// let chunk = consumer.read(8)?;
/// assert_eq!(chunk.len(), 2);
/// assert!(chunk.slots().all(|slot| slot.read() == [7; 4096]));
/// chunk.release(2);
/// assert!(queue.is_empty());
/// # Ok::<(), rawipc::queue::Closed>(())
/// ```
#[derive(Debug)]
#[must_use = "what is not committed is not pushed"]
pub struct WriteChunk<'c, 'a, T: Plain, const N: usize> {
    producer: &'c mut Producer<'a, T, N>,
    len: usize,
}

impl<'c, 'a, T: Plain, const N: usize> WriteChunk<'c, 'a, T, N> {
    pub(super) const fn new(producer: &'c mut Producer<'a, T, N>, len: usize) -> Self {
        Self { producer, len }
    }

    /// How many slots there are; at least one, unless none was asked for.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none, as none was asked for.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slots, in order.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    pub fn slots(&mut self) -> impl Iterator<Item = WriteSlot<'_, T>> {
        let producer = &*self.producer;
        (0..self.len)
            .map(|index| WriteSlot { payload: &producer.slot_at(index).payload, lent: PhantomData })
    }

    /// Pushes the values in the first `count` slots, written or not, all if there are fewer; says
    /// how many.
    ///
    /// # Errors
    ///
    /// [`Closed`]: none has been pushed.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[inline]
    pub fn commit(self, count: usize) -> Result<usize, Closed> {
        self.producer.publish(count.min(self.len))
    }
}

/// One slot of a [`WriteChunk`].
///
/// # Examples
///
/// See [`WriteChunk`].
pub struct WriteSlot<'c, T> {
    payload: &'c Payload<T>,
    lent: PhantomData<&'c mut T>,
}

impl<T: Plain> WriteSlot<'_, T> {
    /// Copies a value into it.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[inline]
    #[allow(clippy::needless_pass_by_ref_mut, reason = "it is lent for writing")]
    pub fn write(&mut self, value: T) {
        self.payload.store(&value);
    }

    /// Where the value lies, for whoever writes it there by themselves: a system call, say.
    ///
    /// Valid for reads and writes of a `T` as long as the slot is lent, and not synchronized: it
    /// may be made a reference, or accessed other than atomically, only where it is known that
    /// nobody else touches this slot before it is committed, as nobody does who uses the queue
    /// through this type.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<[u8; 4096], 8>::new();
    /// let mut producer = queue.producer().unwrap();
    /// let mut chunk = producer.reserve(1)?;
    /// if let Some(mut slot) = chunk.slots().next() {
    ///     // SAFETY: the queue is this thread's own.
    ///     let frame = unsafe { &mut *slot.as_mut_ptr() };
    ///     frame[..5].copy_from_slice(b"frame");
    /// }
    /// assert_eq!(chunk.commit(1), Ok(1));
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    #[allow(clippy::needless_pass_by_ref_mut, reason = "it is lent for writing")]
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.payload.as_ptr()
    }
}

impl<T> fmt::Debug for WriteSlot<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteSlot").finish_non_exhaustive()
    }
}

/// The oldest values of an [`Spsc`](super::Spsc), lent to its consumer to be read in place. They
/// stay in it until they are [released](Self::release); if this is dropped, they are there again.
///
/// # Examples
///
/// See [`WriteChunk`].
#[derive(Debug)]
#[must_use = "what is not released is not popped"]
pub struct ReadChunk<'c, 'a, T: Plain, const N: usize> {
    consumer: &'c mut Consumer<'a, T, N>,
    len: usize,
}

impl<'c, 'a, T: Plain, const N: usize> ReadChunk<'c, 'a, T, N> {
    pub(super) const fn new(consumer: &'c mut Consumer<'a, T, N>, len: usize) -> Self {
        Self { consumer, len }
    }

    /// How many values there are; at least one, unless none was asked for.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none, as none was asked for.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slots, in order.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    pub fn slots(&self) -> impl Iterator<Item = ReadSlot<'_, T>> {
        (0..self.len).map(|index| ReadSlot { payload: &self.consumer.slot_at(index).payload })
    }

    /// Pops the first `count` values, all if there are fewer.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[inline]
    pub fn release(self, count: usize) {
        self.consumer.release(count.min(self.len));
    }
}

/// One slot of a [`ReadChunk`].
///
/// # Examples
///
/// See [`WriteChunk`].
pub struct ReadSlot<'c, T> {
    payload: &'c Payload<T>,
}

impl<T: Plain> ReadSlot<'_, T> {
    /// A copy of the value.
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[inline]
    #[must_use]
    pub fn read(&self) -> T {
        self.payload.load()
    }

    /// Where the value lies, for whoever reads it there by themselves: a system call, say.
    ///
    /// Valid for reads of a `T` as long as the slot is lent, and not synchronized: it may be made a
    /// reference, or accessed other than atomically, only where it is known that nobody else writes
    /// to this slot before it is released, as nobody does who uses the queue through this type, and
    /// neither takes this role away nor uses a copy of it that a fork has made.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<[u8; 4096], 8>::new();
    /// queue.producer().unwrap().push([7; 4096]).unwrap();
    /// let mut consumer = queue.consumer().unwrap();
    /// let chunk = consumer.read(1)?;
    /// for slot in chunk.slots() {
    ///     // SAFETY: the queue is this thread's own.
    ///     let frame = unsafe { &*slot.as_ptr() };
    ///     assert_eq!(frame[4095], 7);
    /// }
    /// chunk.release(1);
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    #[must_use]
    pub fn as_ptr(&self) -> *const T {
        self.payload.as_ptr()
    }
}

impl<T> fmt::Debug for ReadSlot<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadSlot").finish_non_exhaustive()
    }
}
