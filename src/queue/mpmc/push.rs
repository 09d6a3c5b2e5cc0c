//! Pushing into an [`Mpmc`].

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{CLOSED, Mpmc, at_once, late_or_vain, positions, take};
use crate::Deadline;
use crate::prim::{ALL, Spinner, fence};
use crate::queue::bell::Attempt;
use crate::queue::{Closed, PushError};
use crate::shm::plain::Plain;

static NOT_FULL: Spinner = Spinner::new();

impl<T: Plain, const N: usize> Mpmc<T, N> {
    /// Waits until there is room, and pushes a value.
    ///
    /// # Errors
    ///
    /// [`Closed`], with the value.
    ///
    /// # Examples
    ///
    /// See [`Mpmc`].
    #[inline]
    pub fn push(&self, value: T) -> Result<(), Closed<T>> {
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
    /// See [`PushError`].
    #[inline]
    pub fn try_push(&self, value: T) -> Result<(), PushError<T>> {
        match at_once(|| self.attempt_push(core::slice::from_ref(&value))) {
            Some(Ok(_)) => Ok(()),
            Some(Err(Closed(()))) => Err(PushError::Closed(value)),
            None => Err(PushError::Full(value)),
        }
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
    /// use rawipc::queue::{Mpmc, PushError};
    ///
    /// let queue = Mpmc::<u32, 1>::new();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(queue.push_until(1, soon), Ok(()));
    /// assert_eq!(queue.push_until(2, soon), Err(PushError::Full(2)));
    /// ```
    #[inline]
    pub fn push_until(&self, value: T, by: Deadline) -> Result<(), PushError<T>> {
        match self.push_slice_until(core::slice::from_ref(&value), by) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.map(|()| value)),
        }
    }

    /// Waits until there is room, and pushes as many of these values as there is room for, next to
    /// each other; says how many.
    /// As with `write`, that may be a part of them. For none, it does not wait.
    ///
    /// For them all there is one step at which producers get in each other's way, instead of one
    /// for each.
    ///
    /// # Errors
    ///
    /// [`Closed`]: none has been pushed.
    ///
    /// # Examples
    ///
    /// See [`len`](Self::len).
    #[inline]
    pub fn push_slice(&self, values: &[T]) -> Result<usize, Closed> {
        self.push_slice_until(values, Deadline::NEVER).map_err(|_closed| Closed(()))
    }

    /// Pushes as many of these values as there is room for now, next to each other; says how many.
    ///
    /// # Errors
    ///
    /// [`PushError`]: none has been pushed.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::{Mpmc, PushError};
    ///
    /// let queue = Mpmc::<u32, 4>::new();
    /// assert_eq!(queue.try_push_slice(&[1, 2, 3, 4, 5, 6]), Ok(4));
    /// assert_eq!(queue.try_push_slice(&[5, 6]), Err(PushError::Full(())));
    /// ```
    #[inline]
    pub fn try_push_slice(&self, values: &[T]) -> Result<usize, PushError> {
        match at_once(|| self.attempt_push(values)) {
            Some(result) => result.map_err(|_closed| PushError::Closed(())),
            None => Err(PushError::Full(())),
        }
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
    pub fn push_slice_until(&self, values: &[T], by: Deadline) -> Result<usize, PushError> {
        let result = match self.attempt_push(values) {
            Attempt::Done(result) => Some(result),
            Attempt::InVain | Attempt::TooLate => self.push_slow(values, by),
        };
        match result {
            Some(result) => result.map_err(|_closed| PushError::Closed(())),
            None => Err(PushError::Full(())),
        }
    }

    #[cold]
    fn push_slow(&self, values: &[T], by: Deadline) -> Option<Result<usize, Closed>> {
        let attempt = || self.attempt_push(values);
        NOT_FULL.spin(by, || attempt().done()).or_else(|| {
            let pushed = self.bells.0.not_full.wait(by, attempt)?;
            let is_there_more = || self.room(self.tail.0.position.load(Relaxed), 1) > 0;
            self.bells.0.not_full.pass_on(is_there_more);
            Some(pushed)
        })
    }

    #[inline]
    fn attempt_push(&self, values: &[T]) -> Attempt<Result<usize, Closed>> {
        let tail = self.tail.0.position.load(Relaxed);
        if tail & CLOSED != 0 {
            // Pairs with the Release in close.
            fence(Acquire);
            self.finish_closing();
            return Attempt::Done(Err(Closed(())));
        }
        if values.is_empty() {
            return Attempt::Done(Ok(0));
        }
        let count = self.room(tail, values.len()).min(values.len());
        if count == 0 {
            return late_or_vain(&self.tail.0.position, tail);
        }
        if !take(&self.tail.0.position, tail, count) {
            return Attempt::TooLate;
        }
        for (value, at) in values.iter().take(count).zip(positions(tail)) {
            let slot = self.slot(at);
            slot.payload.store(value);
            // Pairs with the Acquire in count: the payload is there, too.
            slot.turn.store(Self::full(at), Release);
        }
        self.bells.0.not_empty.ring(u32::try_from(count).unwrap_or(ALL));
        Attempt::Done(Ok(count))
    }
}
