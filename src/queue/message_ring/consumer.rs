//! [`MessageConsumer`]: who pops messages.

use core::fmt;
use core::sync::atomic::Ordering::{Relaxed, Release};

use super::{Found, MessagePopError, MessageRing, Record, aligned};
use crate::buffer::Filling;
use crate::prim::Spinner;
use crate::queue::bell::Attempt;
use crate::{Buffer, Deadline};

static NOT_EMPTY: Spinner = Spinner::new();

/// Pops messages from a [`MessageRing`]. The role is given back when this is dropped.
///
/// A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`MessageRing`].
#[must_use = "the role is given back at once if this is not kept"]
pub struct MessageConsumer<'r, const BYTES: usize> {
    ring: &'r MessageRing<BYTES>,
    /// Where the next record begins.
    head: u64,
    /// Whether it is settled that there is none: whatever is found there then was not pushed.
    is_over: bool,
}

impl<'r, const BYTES: usize> MessageConsumer<'r, BYTES> {
    /// For who has the claim.
    pub(super) fn new(ring: &'r MessageRing<BYTES>) -> Self {
        let head = aligned(ring.head.0.load(Relaxed));
        Self { ring, head, is_over: ring.gate.0.ends_at(head) }
    }

    /// Waits until there is a message, and pops the oldest: copies it into `buffer`, and gives back
    /// the part that it fills.
    ///
    /// # Errors
    ///
    /// [`MessagePopError::Closed`] if there is none, and the ring has been closed;
    /// [`MessagePopError::TooShort`] if `buffer` is shorter than the message, which stays there;
    /// [`MessagePopError::Corrupt`].
    ///
    /// # Examples
    ///
    /// See [`MessageRing`].
    #[inline]
    pub fn pop<'b>(&mut self, buffer: impl Buffer<'b>) -> Result<&'b mut [u8], MessagePopError> {
        self.pop_until(buffer, Deadline::NEVER)
    }

    /// As [`pop`](Self::pop), if there is a message now.
    ///
    /// # Errors
    ///
    /// [`MessagePopError`].
    ///
    /// # Examples
    ///
    /// See [`MessagePopError`].
    #[inline]
    pub fn try_pop<'b>(
        &mut self,
        buffer: impl Buffer<'b>,
    ) -> Result<&'b mut [u8], MessagePopError> {
        let record = self.try_find()?;
        self.pop_record(record, buffer)
    }

    /// As [`pop`](Self::pop), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`MessagePopError`]: [`Empty`](MessagePopError::Empty) if there was none until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::queue::{MessagePopError, MessageRing};
    ///
    /// let ring = MessageRing::<64>::new();
    /// let mut consumer = ring.consumer().unwrap();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(consumer.pop_until(&mut [0; 8], soon), Err(MessagePopError::Empty));
    /// ```
    #[inline]
    pub fn pop_until<'b>(
        &mut self,
        buffer: impl Buffer<'b>,
        by: Deadline,
    ) -> Result<&'b mut [u8], MessagePopError> {
        let record = self.find_until(by)?;
        self.pop_record(record, buffer)
    }

    /// Waits until there is a message, to read the oldest where it lies: without copying it.
    ///
    /// It stays there until it is [released](Message::release).
    ///
    /// # Errors
    ///
    /// [`MessagePopError::Closed`] if there is none, and the ring has been closed;
    /// [`MessagePopError::Corrupt`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// ring.producer().unwrap().push(b"GET /tea")?;
    ///
    /// let mut consumer = ring.consumer().unwrap();
    /// let message = consumer.read().unwrap();
    /// assert_eq!(message.len(), 8);
    /// assert_eq!(message.copy_out(0, &mut [0; 4]), b"GET ");
    /// assert_eq!(message.copy_out(4, &mut [0; 60]), b"/tea");
    /// message.release();
    /// assert!(ring.is_empty());
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    #[inline]
    pub fn read(&mut self) -> Result<Message<'_, 'r, BYTES>, MessagePopError> {
        self.read_until(Deadline::NEVER)
    }

    /// As [`read`](Self::read), if there is a message now.
    ///
    /// # Errors
    ///
    /// [`MessagePopError`], but for [`TooShort`](MessagePopError::TooShort).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// ring.producer().unwrap().push(b"")?;
    ///
    /// let mut consumer = ring.consumer().unwrap();
    /// assert!(consumer.try_read().unwrap().is_empty()); // seen, and not released
    /// consumer.try_read().unwrap().release();
    /// assert!(consumer.try_read().is_err());
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    #[inline]
    pub fn try_read(&mut self) -> Result<Message<'_, 'r, BYTES>, MessagePopError> {
        let record = self.try_find()?;
        Ok(Message { consumer: self, record })
    }

    /// As [`read`](Self::read), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As [`try_read`](Self::try_read): [`Empty`](MessagePopError::Empty) if there was none until
    /// then.
    ///
    /// # Examples
    ///
    /// As [`pop_until`](Self::pop_until).
    #[inline]
    pub fn read_until(&mut self, by: Deadline) -> Result<Message<'_, 'r, BYTES>, MessagePopError> {
        let record = self.find_until(by)?;
        Ok(Message { consumer: self, record })
    }

    #[inline]
    fn try_find(&mut self) -> Result<Record, MessagePopError> {
        match self.oldest() {
            Some(record) => Ok(record),
            None => self.attempt().done().unwrap_or(Err(MessagePopError::Empty)),
        }
    }

    #[inline]
    fn find_until(&mut self, by: Deadline) -> Result<Record, MessagePopError> {
        match self.oldest() {
            Some(record) => Ok(record),
            None => self.wait(by).unwrap_or(Err(MessagePopError::Empty)),
        }
    }

    #[cold]
    fn wait(&mut self, by: Deadline) -> Option<Result<Record, MessagePopError>> {
        // That it is over, or corrupt, is not what one learns from whether to spin.
        if let Attempt::Done(result) = self.attempt() {
            return Some(result);
        }
        let not_empty = &self.ring.gate.0.not_empty;
        let spun = NOT_EMPTY.spin(by, || self.attempt().done());
        spun.or_else(|| not_empty.wait(by, || self.attempt()))
    }

    /// If there plainly is one.
    #[inline]
    fn oldest(&self) -> Option<Record> {
        match self.ring.look(self.head) {
            Found::Record(record) if !self.is_over => Some(record),
            _ => None,
        }
    }

    #[inline]
    fn attempt(&mut self) -> Attempt<Result<Record, MessagePopError>> {
        if self.is_over {
            return Attempt::Done(Err(MessagePopError::Closed));
        }
        match self.ring.look(self.head) {
            Found::Record(record) => Attempt::Done(Ok(record)),
            Found::Nothing if self.ring.is_closed() => Attempt::Done(self.find_last()),
            Found::Nothing => Attempt::InVain,
            Found::Nonsense => Attempt::Done(Err(MessagePopError::Corrupt)),
        }
    }

    /// Nothing was there, and it is closed: either there is one more all the same, or it is settled
    /// that there is none.
    #[cold]
    fn find_last(&mut self) -> Result<Record, MessagePopError> {
        let is_there = || matches!(self.ring.look(self.head), Found::Record(_));
        self.is_over = self.ring.gate.0.is_over(self.head, is_there);
        if self.is_over {
            return Err(MessagePopError::Closed);
        }
        match self.ring.look(self.head) {
            Found::Record(record) => Ok(record),
            Found::Nothing | Found::Nonsense => Err(MessagePopError::Corrupt),
        }
    }

    #[inline]
    fn pop_record<'b>(
        &mut self,
        record: Record,
        buffer: impl Buffer<'b>,
    ) -> Result<&'b mut [u8], MessagePopError> {
        let buffer = Filling::new(buffer);
        let length = record.length;
        if buffer.room() < length {
            return Err(MessagePopError::TooShort { length });
        }
        let message = self.copy_out(record.message(), length, buffer);
        self.release(record);
        Ok(message)
    }

    /// Copies so many bytes out, if there is room for them.
    #[inline]
    fn copy_out<'b>(&self, position: u64, most: usize, mut buffer: Filling<'b>) -> &'b mut [u8] {
        let _how_many = buffer.fill(|room| {
            let count = most.min(room.len());
            Ok(self.ring.storage.load(position, room.split_at_mut(count).0))
        });
        buffer.into_filled()
    }

    #[inline]
    fn release(&mut self, record: Record) {
        self.head = record.end();
        // Pairs with the Acquire in attempt, the producer's: the message has been read.
        self.ring.head.0.store(self.head, Release);
        self.ring.gate.0.popped();
    }
}

impl<const BYTES: usize> Drop for MessageConsumer<'_, BYTES> {
    fn drop(&mut self) {
        self.ring.gate.0.consumer.give_back();
    }
}

impl<const BYTES: usize> fmt::Debug for MessageConsumer<'_, BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageConsumer").field(self.ring).finish()
    }
}

/// The oldest message of a [`MessageRing`], where it lies.
///
/// If it is dropped and not [released](Self::release), it is still there, and the next to be
/// popped.
///
/// # Examples
///
/// See [`MessageConsumer::read`].
#[must_use = "it stays in the ring until it is released"]
pub struct Message<'c, 'r, const BYTES: usize> {
    consumer: &'c mut MessageConsumer<'r, BYTES>,
    record: Record,
}

impl<const BYTES: usize> Message<'_, '_, BYTES> {
    /// How many bytes it has.
    ///
    /// # Examples
    ///
    /// See [`MessageConsumer::read`].
    #[must_use]
    pub const fn len(&self) -> usize {
        self.record.length
    }

    /// Whether it has none.
    ///
    /// # Examples
    ///
    /// See [`MessageConsumer::try_read`].
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes of the message, from its `offset`th on, as many as there are and `buffer` has
    /// room for; gives back the part that they fill.
    ///
    /// # Examples
    ///
    /// See [`MessageConsumer::read`].
    pub fn copy_out<'b>(&self, offset: usize, buffer: impl Buffer<'b>) -> &'b mut [u8] {
        let most = self.record.length.saturating_sub(offset);
        let position = self.record.message().wrapping_add(offset as u64);
        self.consumer.copy_out(position, most, Filling::new(buffer))
    }

    /// Where the message lies: [`len`](Self::len) bytes, aligned to 8, to be read until it is
    /// released.
    ///
    /// What to use that for takes `unsafe`, and a promise that only the caller can make: that no
    /// other process writes there meanwhile, as none does that keeps to the rules; or, of one that
    /// is not trusted, that all is read by atomic or volatile operations, each byte may be
    /// anything, and another one at the next look.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// ring.producer().unwrap().push(&42_u64.to_ne_bytes())?;
    ///
    /// let mut consumer = ring.consumer().unwrap();
    /// let message = consumer.read().unwrap();
    /// assert_eq!(message.len(), 8);
    /// // SAFETY: 8 bytes, aligned to 8; no other process has this memory.
    /// assert_eq!(unsafe { message.as_ptr().cast::<u64>().read() }, 42);
    /// message.release();
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.consumer.ring.storage.at(self.record.message())
    }

    /// Takes it out of the ring: it is popped.
    ///
    /// # Examples
    ///
    /// See [`MessageConsumer::read`].
    #[inline]
    pub fn release(self) {
        self.consumer.release(self.record);
    }
}

impl<const BYTES: usize> fmt::Debug for Message<'_, '_, BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("len", &self.len()).finish_non_exhaustive()
    }
}
