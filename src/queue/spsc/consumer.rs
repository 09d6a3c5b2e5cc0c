//! [`Consumer`]: the one who pops.

use core::fmt;
use core::sync::atomic::Ordering::{Relaxed, Release};

use super::{ReadChunk, Spsc, beyond, positions};
use crate::Deadline;
use crate::prim::Spinner;
use crate::queue::bell::Attempt;
use crate::queue::{Closed, PopError};
use crate::shm::plain::Plain;

static NOT_EMPTY: Spinner = Spinner::new();

/// Pops from an [`Spsc`]; gives its role back when it is dropped.
///
/// A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`Spsc`].
#[must_use = "the role is given back at once if this is not kept"]
pub struct Consumer<'a, T, const N: usize> {
    queue: &'a Spsc<T, N>,
    head: u64,
    /// It is closed, and this has come to its end: what may yet be seen there has not been pushed.
    is_over: bool,
}

impl<'a, T: Plain, const N: usize> Consumer<'a, T, N> {
    /// For whoever has the role.
    pub(super) fn new(queue: &'a Spsc<T, N>) -> Self {
        let head = queue.head.0.load(Relaxed);
        Self { queue, head, is_over: queue.gate.0.ends_at(head) }
    }

    /// Waits until there is something, and pops the oldest value.
    ///
    /// # Errors
    ///
    /// [`Closed`] if there is nothing, and it has been closed.
    ///
    /// # Examples
    ///
    /// See [`Spsc`].
    #[inline]
    pub fn pop(&mut self) -> Result<T, Closed> {
        self.pop_until(Deadline::NEVER).map_err(|_closed| Closed(()))
    }

    /// Pops the oldest value, if there is one now.
    ///
    /// # Errors
    ///
    /// [`PopError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::{PopError, Spsc};
    ///
    /// let queue = Spsc::<u32, 4>::new();
    /// let mut consumer = queue.consumer().unwrap();
    /// assert_eq!(consumer.try_pop(), Err(PopError::Empty));
    /// queue.close();
    /// assert_eq!(consumer.try_pop(), Err(PopError::Closed));
    /// ```
    #[inline]
    pub fn try_pop(&mut self) -> Result<T, PopError> {
        let slot = self.queue.slot(self.head);
        if self.is_over || !self.queue.is_there(self.head) {
            self.nothing_yet()?;
        }
        let value = slot.payload.load();
        self.release(1);
        Ok(value)
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
    /// use rawipc::queue::{PopError, Spsc};
    ///
    /// let queue = Spsc::<u32, 1>::new();
    /// let mut consumer = queue.consumer().unwrap();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(consumer.pop_until(soon), Err(PopError::Empty));
    /// ```
    #[inline]
    pub fn pop_until(&mut self, by: Deadline) -> Result<T, PopError> {
        match self.try_pop() {
            Err(PopError::Empty) => {
                self.wait_for_some(by)?;
                self.try_pop()
            }
            result => result,
        }
    }

    /// Waits until there is something, and pops the oldest values, as many as there are and
    /// `values` has room for; gives back the part that it has overwritten with them.
    ///
    /// For them all there is one look at the producer, and one wake. Who is killed meanwhile has
    /// popped them all or none. Where there is room for none, it does not wait.
    ///
    /// # Errors
    ///
    /// [`Closed`] if there is nothing, and it has been closed; never where there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<u32, 4>::new();
    /// queue.producer().unwrap().push_slice(&[1, 2, 3])?;
    /// let mut consumer = queue.consumer().unwrap();
    /// let mut values = [0; 2];
    /// assert_eq!(consumer.pop_slice(&mut values)?, [1, 2]);
    /// assert_eq!(consumer.pop_slice(&mut values)?, [3]);
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    #[inline]
    pub fn pop_slice<'b>(&mut self, values: &'b mut [T]) -> Result<&'b mut [T], Closed> {
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
    /// use rawipc::queue::{PopError, Spsc};
    ///
    /// let queue = Spsc::<u32, 4>::new();
    /// let mut consumer = queue.consumer().unwrap();
    /// assert_eq!(consumer.try_pop_slice(&mut [0; 2]), Err(PopError::Empty));
    /// ```
    #[inline]
    pub fn try_pop_slice<'b>(&mut self, values: &'b mut [T]) -> Result<&'b mut [T], PopError> {
        let count = self.count(values.len())?;
        let (filled, _rest) = values.split_at_mut(count.min(values.len()));
        for (value, at) in filled.iter_mut().zip(positions(self.head)) {
            self.queue.slot(at).payload.load_into(value);
        }
        self.release(count);
        Ok(filled)
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
        &mut self,
        values: &'b mut [T],
        by: Deadline,
    ) -> Result<&'b mut [T], PopError> {
        if self.count(values.len()) == Err(PopError::Empty) {
            self.wait_for_some(by)?;
        }
        self.try_pop_slice(values)
    }

    /// Pops one value after the other, until it finds nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    ///
    /// let queue = Spsc::<u32, 4>::new();
    /// queue.producer().unwrap().push_slice(&[1, 2, 3])?;
    /// assert_eq!(queue.consumer().unwrap().drain().sum::<u32>(), 6);
    /// assert!(queue.is_empty());
    /// # Ok::<(), rawipc::queue::Closed>(())
    /// ```
    pub fn drain(&mut self) -> impl Iterator<Item = T> {
        core::iter::from_fn(|| self.try_pop().ok())
    }

    /// Waits until there is something, and lends as many of the oldest values as there are, up to
    /// `most`, to be read in place and then [released](ReadChunk::release). For none, it does not
    /// wait.
    ///
    /// # Errors
    ///
    /// [`Closed`] if there is nothing, and it has been closed; never for none.
    ///
    /// # Examples
    ///
    /// See [`ReadChunk`].
    #[inline]
    pub fn read(&mut self, most: usize) -> Result<ReadChunk<'_, 'a, T, N>, Closed> {
        self.read_until(most, Deadline::NEVER).map_err(|_closed| Closed(()))
    }

    /// As [`read`](Self::read), if there is something now.
    ///
    /// # Errors
    ///
    /// [`PopError`].
    ///
    /// # Examples
    ///
    /// As [`try_pop_slice`](Self::try_pop_slice).
    #[inline]
    pub fn try_read(&mut self, most: usize) -> Result<ReadChunk<'_, 'a, T, N>, PopError> {
        let len = self.count(most)?;
        Ok(ReadChunk::new(self, len))
    }

    /// As [`read`](Self::read), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`PopError`]: [`Empty`](PopError::Empty) if there was nothing until then.
    ///
    /// # Examples
    ///
    /// As [`pop_until`](Self::pop_until).
    #[inline]
    pub fn read_until(
        &mut self,
        most: usize,
        by: Deadline,
    ) -> Result<ReadChunk<'_, 'a, T, N>, PopError> {
        if self.count(most) == Err(PopError::Empty) {
            self.wait_for_some(by)?;
        }
        self.try_read(most)
    }

    /// How many values are there, up to `most`.
    #[inline]
    fn count(&mut self, most: usize) -> Result<usize, PopError> {
        if !self.is_over {
            let count = self.queue.count(self.head, most);
            if count > 0 {
                return Ok(count);
            }
        }
        if most == 0 {
            return Ok(0);
        }
        self.nothing_yet()?;
        Ok(self.queue.count(self.head, most))
    }

    /// Nothing has been seen: fails, unless something came just before it was closed.
    #[inline]
    fn nothing_yet(&mut self) -> Result<(), PopError> {
        if self.queue.gate.0.is_closed() { self.look_again() } else { Err(PopError::Empty) }
    }

    #[cold]
    fn look_again(&mut self) -> Result<(), PopError> {
        let is_there = || self.queue.is_there(self.head);
        self.is_over |= self.queue.gate.0.is_over(self.head, is_there);
        if self.is_over { Err(PopError::Closed) } else { Ok(()) }
    }

    #[inline]
    pub(super) const fn slot_at(&self, index: usize) -> &super::Slot<T> {
        self.queue.slot(beyond(self.head, index))
    }

    /// Gives the producer so many slots back that have been read.
    #[inline]
    pub(super) fn release(&mut self, count: usize) {
        self.head = beyond(self.head, count);
        // Pairs with the Acquire in Producer::room: the payloads have been read.
        self.queue.head.0.store(self.head, Release);
        self.queue.gate.0.popped();
    }

    /// Once there is, there stays something: nobody else pops.
    #[cold]
    fn wait_for_some(&mut self, by: Deadline) -> Result<(), PopError> {
        let not_empty = &self.queue.gate.0.not_empty;
        let mut attempt = || match self.count(1) {
            Err(PopError::Empty) => Attempt::InVain,
            result => Attempt::Done(result.map(drop)),
        };
        NOT_EMPTY
            .spin(by, || attempt().done())
            .or_else(|| not_empty.wait(by, attempt))
            .unwrap_or(Err(PopError::Empty))
    }
}

impl<T, const N: usize> Drop for Consumer<'_, T, N> {
    fn drop(&mut self) {
        self.queue.gate.0.consumer.give_back();
    }
}

impl<T, const N: usize> fmt::Debug for Consumer<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Consumer").field(self.queue).finish()
    }
}
