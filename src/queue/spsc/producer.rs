//! [`Producer`]: the one who pushes.

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{Spsc, WriteChunk, beyond, positions};
use crate::Deadline;
use crate::prim::Spinner;
use crate::queue::bell::Attempt;
use crate::queue::gate::pauses_while_full;
use crate::queue::{Closed, PushError};
use crate::shm::plain::Plain;

static NOT_FULL: Spinner = Spinner::new();

/// Pushes into an [`Spsc`]; gives its role back when it is dropped.
///
/// A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`Spsc`].
#[must_use = "the role is given back at once if this is not kept"]
pub struct Producer<'a, T, const N: usize> {
    queue: &'a Spsc<T, N>,
    tail: u64,
    /// Where the consumer was when last looked at: it is not behind that.
    head: u64,
}

impl<'a, T: Plain, const N: usize> Producer<'a, T, N> {
    /// For whoever has the role.
    pub(super) fn new(queue: &'a Spsc<T, N>) -> Self {
        let tail = queue.tail.0.load(Relaxed);
        // What the last one has published, and then was killed before it could say so.
        let tail = beyond(tail, queue.count(tail, N));
        queue.tail.0.store(tail, Relaxed);
        Self { queue, tail, head: queue.head.0.load(Acquire) }
    }

    /// Waits until there is room, and pushes a value.
    ///
    /// # Errors
    ///
    /// [`Closed`], with the value.
    ///
    /// # Examples
    ///
    /// See [`Spsc`].
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), Closed<T>> {
        self.push_until(value, Deadline::NEVER).map_err(|error| Closed(error.into_inner()))
    }

    /// Pushes a value, if there is room now.
    ///
    /// # Errors
    ///
    /// [`PushError`], with the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::{PushError, Spsc};
    ///
    /// let queue = Spsc::<u32, 1>::new();
    /// let mut producer = queue.producer().unwrap();
    /// assert_eq!(producer.try_push(1), Ok(()));
    /// assert_eq!(producer.try_push(2), Err(PushError::Full(2)));
    /// queue.close();
    /// assert_eq!(producer.try_push(3), Err(PushError::Closed(3)));
    /// ```
    #[inline]
    pub fn try_push(&mut self, value: T) -> Result<(), PushError<T>> {
        if let Err(error) = self.room(1) {
            return Err(error.map(|()| value));
        }
        self.queue.slot(self.tail).payload.store(&value);
        self.publish(1).map(drop).map_err(|_closed| PushError::Closed(value))
    }

    /// As [`push`](Self::push), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`PushError`], with the value: [`Full`](PushError::Full) if there was no room until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::queue::{PushError, Spsc};
    ///
    /// let queue = Spsc::<u32, 1>::new();
    /// let mut producer = queue.producer().unwrap();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(producer.push_until(1, soon), Ok(()));
    /// assert_eq!(producer.push_until(2, soon), Err(PushError::Full(2)));
    /// ```
    #[inline]
    pub fn push_until(&mut self, value: T, by: Deadline) -> Result<(), PushError<T>> {
        match self.try_push(value) {
            Err(PushError::Full(value)) => match self.wait_for_room(by) {
                Ok(()) => self.try_push(value),
                Err(error) => Err(error.map(|()| value)),
            },
            result => result,
        }
    }

    /// Waits until there is room, and pushes as many of these values as there is room for; says how
    /// many.
    /// As with `write`, that may be a part of them. For none, it does not wait.
    ///
    /// For them all there is one look at the consumer, and one wake. They become visible one after
    /// the other.
    ///
    /// # Errors
    ///
    /// [`Closed`]: none has been pushed.
    ///
    /// # Examples
    ///
    /// See [`Spsc::len`].
    #[inline]
    pub fn push_slice(&mut self, values: &[T]) -> Result<usize, Closed> {
        self.push_slice_until(values, Deadline::NEVER).map_err(|_closed| Closed(()))
    }

    /// As [`push_slice`](Self::push_slice), as many as there is room for now.
    ///
    /// # Errors
    ///
    /// [`PushError`]: none has been pushed.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::{PushError, Spsc};
    ///
    /// let queue = Spsc::<u32, 4>::new();
    /// let mut producer = queue.producer().unwrap();
    /// assert_eq!(producer.try_push_slice(&[1, 2, 3, 4, 5, 6]), Ok(4));
    /// assert_eq!(producer.try_push_slice(&[5, 6]), Err(PushError::Full(())));
    /// ```
    #[inline]
    pub fn try_push_slice(&mut self, values: &[T]) -> Result<usize, PushError> {
        let count = self.room(values.len())?;
        for (value, at) in values.iter().take(count).zip(positions(self.tail)) {
            self.queue.slot(at).payload.store(value);
            self.queue.publish(at);
        }
        self.announce(count).map_err(|_closed| PushError::Closed(()))
    }

    /// As [`push_slice`](Self::push_slice), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`PushError`]: none has been pushed; [`Full`](PushError::Full) if there was no room until
    /// then.
    ///
    /// # Examples
    ///
    /// As [`push_until`](Self::push_until).
    #[inline]
    pub fn push_slice_until(&mut self, values: &[T], by: Deadline) -> Result<usize, PushError> {
        match self.try_push_slice(values) {
            Err(PushError::Full(())) => {
                self.wait_for_room(by)?;
                self.try_push_slice(values)
            }
            result => result,
        }
    }

    /// Waits until there is room, and lends as many slots as there is room for, up to `most`, to be
    /// written in place and then [committed](WriteChunk::commit). For none, it does not wait.
    ///
    /// # Errors
    ///
    /// [`Closed`].
    ///
    /// # Examples
    ///
    /// See [`WriteChunk`].
    #[inline]
    pub fn reserve(&mut self, most: usize) -> Result<WriteChunk<'_, 'a, T, N>, Closed> {
        self.reserve_until(most, Deadline::NEVER).map_err(|_closed| Closed(()))
    }

    /// As [`reserve`](Self::reserve), if there is room now.
    ///
    /// # Errors
    ///
    /// [`PushError`].
    ///
    /// # Examples
    ///
    /// As [`try_push_slice`](Self::try_push_slice).
    #[inline]
    pub fn try_reserve(&mut self, most: usize) -> Result<WriteChunk<'_, 'a, T, N>, PushError> {
        let len = self.room(most)?;
        Ok(WriteChunk::new(self, len))
    }

    /// As [`reserve`](Self::reserve), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`PushError`]: [`Full`](PushError::Full) if there was no room until then.
    ///
    /// # Examples
    ///
    /// As [`push_until`](Self::push_until).
    #[inline]
    pub fn reserve_until(
        &mut self,
        most: usize,
        by: Deadline,
    ) -> Result<WriteChunk<'_, 'a, T, N>, PushError> {
        if self.room(most) == Err(PushError::Full(())) {
            self.wait_for_room(by)?;
        }
        self.try_reserve(most)
    }

    /// For how many values there is room, up to `most`.
    #[inline]
    fn room(&mut self, most: usize) -> Result<usize, PushError> {
        if self.queue.gate.0.is_closed() {
            return Err(PushError::Closed(()));
        }
        let most = most.min(N);
        let mut room = self.known_room();
        if room < most {
            // Acquire pairs with the Release in Consumer::release: it is done with those slots.
            self.head = self.queue.head.0.load(Acquire);
            room = self.known_room();
        }
        if room == 0 && most > 0 { Err(PushError::Full(())) } else { Ok(room.min(most)) }
    }

    /// Without another look at the consumer. None, if that is where it cannot be.
    #[inline]
    fn known_room(&self) -> usize {
        let length = usize::try_from(self.tail.wrapping_sub(self.head));
        N.saturating_sub(length.unwrap_or(N))
    }

    #[inline]
    pub(super) const fn slot_at(&self, index: usize) -> &super::Slot<T> {
        self.queue.slot(beyond(self.tail, index))
    }

    /// Pushes so many whose payloads have been stored, for which there is room; says how many.
    #[inline]
    pub(super) fn publish(&mut self, count: usize) -> Result<usize, Closed> {
        positions(self.tail).take(count).for_each(|at| self.queue.publish(at));
        self.announce(count)
    }

    /// Goes on beyond so many that have been published; says how many of them have been pushed.
    #[inline]
    fn announce(&mut self, count: usize) -> Result<usize, Closed> {
        let first = self.tail;
        self.go_to(beyond(first, count));
        let pushed = self.queue.gate.0.pushed(first, count);
        if pushed == count { Ok(count) } else { self.take_back(first, pushed, count) }
    }

    #[inline]
    fn go_to(&mut self, tail: u64) {
        self.tail = tail;
        // Release: whoever is killed here leaves no tail that is beyond what has been published.
        self.queue.tail.0.store(tail, Release);
    }

    /// Of so many from `first` on, those after what has been pushed: the consumer will never look
    /// at them.
    #[cold]
    fn take_back(&mut self, first: u64, pushed: usize, count: usize) -> Result<usize, Closed> {
        for at in positions(first).take(count).skip(pushed) {
            self.queue.slot(at).turn.store(Spsc::<T, N>::full(at).wrapping_sub(1), Relaxed);
        }
        self.go_to(beyond(first, pushed));
        if pushed == 0 { Err(Closed(())) } else { Ok(pushed) }
    }

    /// Once there is, there stays room: nobody else pushes.
    #[cold]
    fn wait_for_room(&mut self, by: Deadline) -> Result<(), PushError> {
        let not_full = &self.queue.gate.0.not_full;
        let mut attempt = || match self.room(1) {
            Err(PushError::Full(())) => Attempt::InVain,
            result => Attempt::Done(result.map(drop)),
        };
        let pauses = const { pauses_while_full(size_of::<Spsc<T, N>>()) };
        NOT_FULL
            .spin_seldom(pauses, by, || attempt().done())
            .or_else(|| not_full.wait(by, attempt))
            .unwrap_or(Err(PushError::Full(())))
    }
}

impl<T, const N: usize> Drop for Producer<'_, T, N> {
    fn drop(&mut self) {
        self.queue.gate.0.producer.give_back();
    }
}

impl<T, const N: usize> fmt::Debug for Producer<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Producer").field(self.queue).finish()
    }
}
