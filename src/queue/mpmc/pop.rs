//! Popping from an [`Mpmc`].

use core::sync::atomic::Ordering::{Acquire, Relaxed};

use super::{CLOSED, Mpmc, at_once, late_or_vain, positions, take};
use crate::Deadline;
use crate::prim::Spinner;
use crate::queue::bell::Attempt;
use crate::queue::{Closed, PopError};
use crate::shm::plain::Plain;

static NOT_EMPTY: Spinner = Spinner::new();

impl<T: Plain, const N: usize> Mpmc<T, N> {
    /// Waits until there is something, and pops the oldest value.
    ///
    /// # Errors
    ///
    /// [`Closed`] if there is nothing, and it has been closed.
    ///
    /// # Examples
    ///
    /// See [`Mpmc`].
    #[inline]
    pub fn pop(&self) -> Result<T, Closed> {
        self.pop_until(Deadline::NEVER).map_err(|_closed| Closed(()))
    }

    /// Pops the oldest value, if there is one now: one that is still being pushed is not, and those
    /// behind it wait with it.
    ///
    /// # Errors
    ///
    /// [`PopError`].
    ///
    /// # Examples
    ///
    /// See [`PopError`].
    #[inline]
    pub fn try_pop(&self) -> Result<T, PopError> {
        match at_once(|| self.attempt_pop()) {
            Some(result) => result.map_err(|_closed| PopError::Closed),
            None => Err(PopError::Empty),
        }
    }

    /// As [`pop`](Self::pop), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`PopError`]: [`Empty`](PopError::Empty) if there was nothing until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::queue::{Mpmc, PopError};
    ///
    /// let queue = Mpmc::<u32, 1>::new();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(queue.pop_until(soon), Err(PopError::Empty));
    /// ```
    #[inline]
    pub fn pop_until(&self, by: Deadline) -> Result<T, PopError> {
        let result = match self.attempt_pop() {
            Attempt::Done(result) => Some(result),
            Attempt::InVain | Attempt::TooLate => self.wait_not_empty(by, || self.attempt_pop()),
        };
        match result {
            Some(result) => result.map_err(|_closed| PopError::Closed),
            None => Err(PopError::Empty),
        }
    }

    /// Waits until there is something, and pops the oldest values, as many as there are and
    /// `values` has room for; gives back the part that it has overwritten with them.
    ///
    /// For them all there is one step at which consumers get in each other's way, instead of one
    /// for each. Where there is room for none, it does not wait.
    ///
    /// # Errors
    ///
    /// [`Closed`] if there is nothing, and it has been closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Mpmc;
    ///
    /// let queue = Mpmc::<u32, 4>::new();
    /// queue.push_slice(&[1, 2, 3])?;
    /// let mut values = [0; 2];
    /// assert_eq!(queue.pop_slice(&mut values)?, [1, 2]);
    /// assert_eq!(queue.pop_slice(&mut values)?, [3]);
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    #[inline]
    pub fn pop_slice<'b>(&self, values: &'b mut [T]) -> Result<&'b mut [T], Closed> {
        self.pop_slice_until(values, Deadline::NEVER).map_err(|_closed| Closed(()))
    }

    /// As [`pop_slice`](Self::pop_slice), if there is something now.
    ///
    /// # Errors
    ///
    /// [`PopError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::{Mpmc, PopError};
    ///
    /// let queue = Mpmc::<u32, 4>::new();
    /// assert_eq!(queue.try_pop_slice(&mut [0; 2]), Err(PopError::Empty));
    /// ```
    #[inline]
    pub fn try_pop_slice<'b>(&self, values: &'b mut [T]) -> Result<&'b mut [T], PopError> {
        let result = at_once(|| self.attempt_pop_slice(values));
        filled(values, result)
    }

    /// As [`pop_slice`](Self::pop_slice), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`PopError`]: [`Empty`](PopError::Empty) if there was nothing until then.
    ///
    /// # Examples
    ///
    /// As [`pop_until`](Self::pop_until).
    #[inline]
    pub fn pop_slice_until<'b>(
        &self,
        values: &'b mut [T],
        by: Deadline,
    ) -> Result<&'b mut [T], PopError> {
        let result = match self.attempt_pop_slice(values) {
            Attempt::Done(result) => Some(result),
            Attempt::InVain | Attempt::TooLate => {
                self.wait_not_empty(by, || self.attempt_pop_slice(values))
            }
        };
        filled(values, result)
    }

    /// Pops one value after the other, until [`try_pop`](Self::try_pop) finds nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Mpmc;
    ///
    /// let queue = Mpmc::<u32, 4>::new();
    /// queue.push_slice(&[1, 2, 3])?;
    /// assert_eq!(queue.drain().sum::<u32>(), 6);
    /// assert!(queue.is_empty());
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    pub fn drain(&self) -> impl Iterator<Item = T> + '_ {
        core::iter::from_fn(|| self.try_pop().ok())
    }

    #[cold]
    fn wait_not_empty<R>(
        &self,
        by: Deadline,
        mut attempt: impl FnMut() -> Attempt<R>,
    ) -> Option<R> {
        NOT_EMPTY.spin(by, || attempt().done()).or_else(|| {
            let attempt = || {
                self.finish_closing();
                attempt()
            };
            let popped = self.bells.0.not_empty.wait(by, attempt)?;
            // Also the end: whoever was woken for that while one was still being pushed sleeps
            // again.
            let is_there_more = || self.count(self.head.0.load(Relaxed), 1) > 0 || self.is_closed();
            self.bells.0.not_empty.pass_on(is_there_more);
            Some(popped)
        })
    }

    #[inline]
    fn attempt_pop(&self) -> Attempt<Result<T, Closed>> {
        let head = self.head.0.load(Relaxed);
        if self.count(head, 1) == 0 {
            return self.nothing_at(head);
        }
        if !take(&self.head.0, head, 1) {
            return Attempt::TooLate;
        }
        let value = self.slot(head).payload.load();
        self.free(head, 1);
        Attempt::Done(Ok(value))
    }

    #[inline]
    fn attempt_pop_slice(&self, values: &mut [T]) -> Attempt<Result<usize, Closed>> {
        if values.is_empty() {
            return Attempt::Done(Ok(0));
        }
        let head = self.head.0.load(Relaxed);
        let count = self.count(head, values.len());
        if count == 0 {
            return self.nothing_at(head);
        }
        if !take(&self.head.0, head, count) {
            return Attempt::TooLate;
        }
        for (value, at) in values.iter_mut().zip(positions(head)).take(count) {
            self.slot(at).payload.load_into(value);
        }
        self.free(head, count);
        Attempt::Done(Ok(count))
    }

    /// Nothing is there: it has not been pushed, or never will be, or others have been faster.
    #[inline]
    fn nothing_at<R>(&self, head: u64) -> Attempt<Result<R, Closed>> {
        // Acquire pairs with the Release in close.
        let is_closed = self.bells.0.closed.load(Acquire) != 0;
        if is_closed && self.tail.0.position.load(Relaxed) == head | CLOSED {
            return Attempt::Done(Err(Closed(())));
        }
        late_or_vain(&self.head.0, head)
    }
}

/// The part that has been filled.
#[inline]
fn filled<T>(
    values: &mut [T],
    result: Option<Result<usize, Closed>>,
) -> Result<&mut [T], PopError> {
    match result {
        Some(Ok(count)) => Ok(values.split_at_mut(count.min(values.len())).0),
        Some(Err(Closed(()))) => Err(PopError::Closed),
        None => Err(PopError::Empty),
    }
}
