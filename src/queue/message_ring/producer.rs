//! [`MessageProducer`]: who pushes messages.

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{Found, MessagePushError, MessageRing, Record, SKIP, WORD, aligned};
use crate::Deadline;
use crate::prim::Spinner;
use crate::queue::bell::Attempt;
use crate::queue::gate::pauses_while_full;

static NOT_FULL: Spinner = Spinner::new();

/// Pushes messages into a [`MessageRing`]. The role is given back when this is dropped.
///
/// A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`MessageRing`].
#[must_use = "the role is given back at once if this is not kept"]
pub struct MessageProducer<'r, const BYTES: usize> {
    ring: &'r MessageRing<BYTES>,
    /// Where the next record begins.
    tail: u64,
    /// Where the consumer was when it was last looked for.
    head: u64,
}

impl<'r, const BYTES: usize> MessageProducer<'r, BYTES> {
    /// For who has the claim.
    pub(super) fn new(ring: &'r MessageRing<BYTES>) -> Self {
        let mut tail = aligned(ring.tail.0.load(Relaxed));
        if let Found::Record(record) = ring.look(tail) {
            // Whoever pushed it was killed before it said so.
            tail = record.end();
            ring.tail.0.store(tail, Relaxed);
        }
        Self { ring, tail, head: ring.head.0.load(Acquire) }
    }

    /// Waits until there is room, and pushes a message.
    ///
    /// # Errors
    ///
    /// [`MessagePushError::Closed`]; [`MessagePushError::TooLong`] if it is longer than
    /// [`MAX_LEN`](MessageRing::MAX_LEN).
    ///
    /// # Examples
    ///
    /// See [`MessageRing`].
    #[inline]
    pub fn push(&mut self, message: &[u8]) -> Result<(), MessagePushError> {
        self.push_until(message, Deadline::NEVER)
    }

    /// Pushes a message, if there is room now.
    ///
    /// # Errors
    ///
    /// [`MessagePushError`].
    ///
    /// # Examples
    ///
    /// See [`MessagePushError`].
    #[inline]
    pub fn try_push(&mut self, message: &[u8]) -> Result<(), MessagePushError> {
        let record = self.try_place(message.len())?;
        self.push_at(record, message)
    }

    /// As [`push`](Self::push), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`MessagePushError`]: [`Full`](MessagePushError::Full) if there was no room until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::queue::{MessagePushError, MessageRing};
    ///
    /// let ring = MessageRing::<64>::new();
    /// let mut producer = ring.producer().unwrap();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// while producer.push_until(b"more", soon).is_ok() {}
    /// assert_eq!(producer.push_until(b"more", soon), Err(MessagePushError::Full));
    /// ```
    #[inline]
    pub fn push_until(&mut self, message: &[u8], by: Deadline) -> Result<(), MessagePushError> {
        let record = self.place_until(message.len(), by)?;
        self.push_at(record, message)
    }

    /// Waits until there is room for a message of `len` bytes, to make it where it will lie:
    /// without copying it.
    ///
    /// Nothing is pushed before it is [committed](Reservation::commit), and then it may be shorter.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<256>::new();
    /// let mut producer = ring.producer().unwrap();
    ///
    /// let mut reservation = producer.reserve(100)?;
    /// let mut length = 0;
    /// for part in ["a message", " in ", "parts"] {
    ///     reservation.copy_in(length, part.as_bytes())?;
    ///     length += part.len();
    /// }
    /// reservation.commit(length)?;
    ///
    /// let mut consumer = ring.consumer().unwrap();
    /// assert_eq!(consumer.try_pop(&mut [0; 100]).unwrap(), b"a message in parts");
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    #[inline]
    pub fn reserve(&mut self, len: usize) -> Result<Reservation<'_, 'r, BYTES>, MessagePushError> {
        self.reserve_until(len, Deadline::NEVER)
    }

    /// As [`reserve`](Self::reserve), if there is room now.
    ///
    /// # Errors
    ///
    /// [`MessagePushError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<256>::new();
    /// let mut producer = ring.producer().unwrap();
    /// assert_eq!(producer.try_reserve(100).unwrap().len(), 100);
    /// assert!(ring.is_empty()); // nothing has been committed
    /// ```
    #[inline]
    pub fn try_reserve(
        &mut self,
        len: usize,
    ) -> Result<Reservation<'_, 'r, BYTES>, MessagePushError> {
        let record = self.try_place(len)?;
        Ok(Reservation { producer: self, record })
    }

    /// As [`reserve`](Self::reserve), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As [`push_until`](Self::push_until).
    ///
    /// # Examples
    ///
    /// As [`push_until`](Self::push_until).
    #[inline]
    pub fn reserve_until(
        &mut self,
        len: usize,
        by: Deadline,
    ) -> Result<Reservation<'_, 'r, BYTES>, MessagePushError> {
        let record = self.place_until(len, by)?;
        Ok(Reservation { producer: self, record })
    }

    #[inline]
    fn try_place(&mut self, length: usize) -> Result<Record, MessagePushError> {
        self.attempt(length).done().unwrap_or(Err(MessagePushError::Full))
    }

    #[inline]
    fn place_until(&mut self, length: usize, by: Deadline) -> Result<Record, MessagePushError> {
        let placed = match self.attempt(length) {
            Attempt::Done(result) => Some(result),
            Attempt::InVain | Attempt::TooLate => self.wait(length, by),
        };
        placed.unwrap_or(Err(MessagePushError::Full))
    }

    #[cold]
    fn wait(&mut self, length: usize, by: Deadline) -> Option<Result<Record, MessagePushError>> {
        let not_full = &self.ring.gate.0.not_full;
        let pauses = const { pauses_while_full(BYTES) };
        let spun = NOT_FULL.spin_seldom(pauses, by, || self.attempt(length).done());
        spun.or_else(|| not_full.wait(by, || self.attempt(length)))
    }

    /// Where a message of that length can be put.
    #[inline]
    fn attempt(&mut self, length: usize) -> Attempt<Result<Record, MessagePushError>> {
        if length > MessageRing::<BYTES>::MAX_LEN {
            return Attempt::Done(Err(MessagePushError::TooLong));
        }
        if self.ring.gate.0.is_closed() {
            return Attempt::Done(Err(MessagePushError::Closed));
        }
        let left = MessageRing::<BYTES>::left(self.tail);
        let skipped = if Record::size(length) <= left { 0 } else { left };
        let record = Record { at: self.tail.wrapping_add(skipped), length };
        if !self.is_free_until(record.end()) {
            // Acquire pairs with the Release in release: what was there has been read.
            self.head = self.ring.head.0.load(Acquire);
            if !self.is_free_until(record.end()) {
                return Attempt::InVain;
            }
        }
        Attempt::Done(Ok(record))
    }

    /// Whether a record can end there: with the header behind it, which has to be zero before the
    /// record is seen.
    #[inline]
    const fn is_free_until(&self, end: u64) -> bool {
        // A head that nobody can have got to is further away.
        end.wrapping_add(WORD).wrapping_sub(self.head) <= BYTES as u64
    }

    #[inline]
    fn push_at(&mut self, record: Record, message: &[u8]) -> Result<(), MessagePushError> {
        self.ring.storage.store(record.message(), message);
        self.publish(record)
    }

    #[inline]
    fn publish(&mut self, record: Record) -> Result<(), MessagePushError> {
        let storage = &self.ring.storage;
        let end = record.end();
        let header = (record.length as u64).wrapping_add(1);
        storage.word(end).store(0, Relaxed);
        // Pairs with the Acquire in look: publishes the message, and that nothing is behind it.
        if record.at == self.tail {
            storage.word(self.tail).store(header, Release);
        } else {
            storage.word(record.at).store(header, Relaxed);
            storage.word(self.tail).store(SKIP, Release);
        }
        let first = self.tail;
        self.go_to(end);
        let size = usize::try_from(end.wrapping_sub(first)).unwrap_or(BYTES);
        if self.ring.gate.0.pushed(first, size) == size { Ok(()) } else { self.take_back(first) }
    }

    #[inline]
    fn go_to(&mut self, tail: u64) {
        self.tail = tail;
        // Release: whoever is killed here leaves no tail that is beyond what has been published.
        self.ring.tail.0.store(tail, Release);
    }

    /// The consumer has ended before the last record, and will never look at it.
    #[cold]
    fn take_back(&mut self, first: u64) -> Result<(), MessagePushError> {
        self.ring.storage.word(first).store(0, Relaxed);
        self.go_to(first);
        Err(MessagePushError::Closed)
    }
}

impl<const BYTES: usize> Drop for MessageProducer<'_, BYTES> {
    fn drop(&mut self) {
        self.ring.gate.0.producer.give_back();
    }
}

impl<const BYTES: usize> fmt::Debug for MessageProducer<'_, BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageProducer").field(self.ring).finish()
    }
}

/// Room for a message in a [`MessageRing`], in which it is made.
///
/// If it is dropped and not [committed](Self::commit), nothing has been pushed.
///
/// # Examples
///
/// See [`MessageProducer::reserve`].
#[must_use = "nothing is pushed before it is committed"]
pub struct Reservation<'p, 'r, const BYTES: usize> {
    producer: &'p mut MessageProducer<'r, BYTES>,
    /// As long as it may become.
    record: Record,
}

#[allow(clippy::len_without_is_empty, reason = "what is not made yet is neither empty nor full")]
impl<const BYTES: usize> Reservation<'_, '_, BYTES> {
    /// For how many bytes there is room: as many as were asked for.
    ///
    /// # Examples
    ///
    /// See [`MessageProducer::try_reserve`].
    #[must_use]
    pub const fn len(&self) -> usize {
        self.record.length
    }

    /// Copies bytes to where the message has its `offset`th, and leaves the others as they are.
    ///
    /// # Errors
    ///
    /// [`MessagePushError::TooLong`] if there is no room for them there; nothing has been copied.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::{MessagePushError, MessageRing};
    ///
    /// let ring = MessageRing::<64>::new();
    /// let mut producer = ring.producer().unwrap();
    /// let mut reservation = producer.reserve(8)?;
    /// assert_eq!(reservation.copy_in(5, b"body"), Err(MessagePushError::TooLong));
    /// reservation.copy_in(3, b"body")?;
    /// reservation.copy_in(0, b"my ")?;
    /// reservation.commit(7)?;
    /// assert_eq!(ring.consumer().unwrap().pop(&mut [0; 8]).unwrap(), b"my body");
    /// # Ok::<(), MessagePushError>(())
    /// ```
    pub fn copy_in(&mut self, offset: usize, bytes: &[u8]) -> Result<(), MessagePushError> {
        let end = offset.checked_add(bytes.len()).filter(|&end| end <= self.record.length);
        if end.is_none() {
            return Err(MessagePushError::TooLong);
        }
        let position = self.record.message().wrapping_add(offset as u64);
        self.producer.ring.storage.patch(position, bytes);
        Ok(())
    }

    /// Where the message will lie: [`len`](Self::len) bytes, aligned to 8, to be written to until
    /// it is committed.
    ///
    /// What to use that for takes `unsafe`, and a promise that only the caller can make: that no
    /// other process writes there meanwhile, as none does that keeps to the rules; or, of one that
    /// is not trusted, that all is written by atomic or volatile operations, and that nothing is
    /// made of what is read. Before it is written to, it holds what was there before: zeros, or
    /// parts of earlier messages.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// let mut producer = ring.producer().unwrap();
    /// let mut reservation = producer.reserve(8)?;
    /// let number = reservation.as_mut_ptr().cast::<u64>();
    /// // SAFETY: 8 bytes, aligned to 8; no other process has this memory.
    /// unsafe { number.write(42) };
    /// reservation.commit(8)?;
    /// assert_eq!(ring.consumer().unwrap().pop(&mut [0; 8]).unwrap(), 42_u64.to_ne_bytes());
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.producer.ring.storage.at(self.record.message())
    }

    /// Pushes the first `len` bytes as a message. Never waits.
    ///
    /// # Errors
    ///
    /// [`MessagePushError::Closed`]; [`MessagePushError::TooLong`] if there is not so much room.
    /// Nothing has been pushed then.
    ///
    /// # Examples
    ///
    /// See [`MessageProducer::reserve`].
    #[inline]
    pub fn commit(self, len: usize) -> Result<(), MessagePushError> {
        if len > self.record.length {
            return Err(MessagePushError::TooLong);
        }
        self.producer.publish(Record { length: len, ..self.record })
    }
}

impl<const BYTES: usize> fmt::Debug for Reservation<'_, '_, BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("len", &self.record.length).finish_non_exhaustive()
    }
}
