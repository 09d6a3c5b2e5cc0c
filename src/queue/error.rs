//! Why nothing was pushed or popped, or done.

use core::fmt;

/// Why a value was not pushed; with the value.
///
/// # Examples
///
/// ```
/// use rawipc::queue::{Mpmc, PushError};
///
/// let queue = Mpmc::<u32, 1>::new();
/// assert_eq!(queue.try_push(1), Ok(()));
/// assert_eq!(queue.try_push(2), Err(PushError::Full(2)));
/// queue.close();
/// assert_eq!(queue.try_push(3).unwrap_err().into_inner(), 3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum PushError<T = ()> {
    /// There is no room for it; at the deadline, if there is one.
    Full(T),
    /// The queue has been closed.
    Closed(T),
}

impl<T> PushError<T> {
    /// What was to be pushed.
    ///
    /// # Examples
    ///
    /// See [`PushError`].
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }

    /// The same, of another value.
    pub(super) fn map<U>(self, other: impl FnOnce(T) -> U) -> PushError<U> {
        match self {
            Self::Full(value) => PushError::Full(other(value)),
            Self::Closed(value) => PushError::Closed(other(value)),
        }
    }
}

/// Without the value, of which it is not known how it is shown.
impl<T> fmt::Debug for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::Closed(_) => CLOSED,
        })
    }
}

impl<T> core::error::Error for PushError<T> {}

/// Why nothing was popped.
///
/// # Examples
///
/// ```
/// use rawipc::queue::{Mpmc, PopError};
///
/// let queue = Mpmc::<u32, 4>::new();
/// assert_eq!(queue.try_pop(), Err(PopError::Empty));
/// queue.close();
/// assert_eq!(queue.try_pop(), Err(PopError::Closed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PopError {
    /// There is nothing; at the deadline, if there is one.
    Empty,
    /// There is nothing, and there will not be: the queue has been closed.
    Closed,
}

impl fmt::Display for PopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::Closed => CLOSED,
        })
    }
}

impl core::error::Error for PopError {}

/// The queue has been closed: for who pushes, with the value; for who pops, after the last one.
///
/// # Examples
///
/// ```
/// use rawipc::queue::{Closed, Mpmc};
///
/// let queue = Mpmc::<u32, 4>::new();
/// queue.push(1)?;
/// queue.close();
/// assert_eq!(queue.push(2), Err(Closed(2)));
/// assert_eq!(queue.pop(), Ok(1));
/// assert_eq!(queue.pop(), Err(Closed(())));
/// # Ok::<(), Closed<u32>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Closed<T = ()>(
    /// What was to be pushed.
    pub T,
);

const CLOSED: &str = "the queue is closed";

/// Without the value, of which it is not known how it is shown.
impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl<T> core::error::Error for Closed<T> {}

/// Not counted: no task is unfinished that could be done.
///
/// What [`Tasks`](super::Tasks) say where Python raises `ValueError`: there have been more calls of
/// [`task_done`](super::Tasks::task_done) than tasks.
///
/// # Examples
///
/// ```
/// use rawipc::queue::{NoneUnfinished, Tasks};
///
/// assert_eq!(Tasks::new().task_done(), Err(NoneUnfinished));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoneUnfinished;

impl fmt::Display for NoneUnfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no task is unfinished")
    }
}

impl core::error::Error for NoneUnfinished {}
