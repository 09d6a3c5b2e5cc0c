//! What can go wrong: the kernel's [`Errno`], unchanged, and the few cases a caller must tell
//! apart.

use core::fmt;

pub use rustix::io::Errno;

/// The result of a call whose only failure is what the kernel says.
pub type Result<T, E = Errno> = core::result::Result<T, E>;

/// A transfer of many bytes that stopped before its end, and how far it came.
///
/// Returned by the `_all` calls, which may move some bytes and then fail: a caller that wants to
/// go on must know where.
///
/// # Examples
///
/// ```
/// use rawipc::{Deadline, Errno, pipe::Pipe};
///
/// let Pipe { reader: _reader, writer } = Pipe::new()?;
/// let stuck = writer.write_all_until(&[0; 1 << 20], Deadline::now()).unwrap_err();
/// assert_eq!(stuck.errno(), Errno::TIMEDOUT);
/// assert_eq!(stuck.transferred(), writer.capacity()?); // nobody reads: it stopped when full
///
/// # Ok::<(), Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incomplete {
    transferred: usize,
    errno: Errno,
}

impl Incomplete {
    pub(crate) const fn new(transferred: usize, errno: Errno) -> Self {
        Self { transferred, errno }
    }

    /// How many bytes were moved before it stopped.
    #[must_use]
    pub const fn transferred(&self) -> usize {
        self.transferred
    }

    /// Why it stopped.
    #[must_use]
    pub const fn errno(&self) -> Errno {
        self.errno
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped after {} bytes: {}", self.transferred, self.errno)
    }
}

impl core::error::Error for Incomplete {}

/// For callers that only want to know why: forgets how far it came.
impl From<Incomplete> for Errno {
    fn from(incomplete: Incomplete) -> Self {
        incomplete.errno
    }
}

/// For callers that only want to know why: forgets how far it came.
#[cfg(feature = "std")]
impl From<Incomplete> for std::io::Error {
    fn from(incomplete: Incomplete) -> Self {
        incomplete.errno.into()
    }
}

/// Given up: the deadline has passed, and nothing has been done.
///
/// What the `_until` calls on memory say, where it is all that can go wrong. It becomes
/// [`Errno::TIMEDOUT`] where a caller wants errors of the kernel's kind.
///
/// # Examples
///
/// ```
/// use rawipc::error::TimedOut;
/// use rawipc::sync::Mutex;
/// use rawipc::{Deadline, Errno};
///
/// let mutex = Mutex::new(7);
/// let _held = mutex.lock();
/// assert_eq!(mutex.lock_until(Deadline::now()).err(), Some(TimedOut));
/// assert_eq!(Errno::from(TimedOut), Errno::TIMEDOUT);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timed out")
    }
}

impl core::error::Error for TimedOut {}

impl From<TimedOut> for Errno {
    fn from(_: TimedOut) -> Self {
        Self::TIMEDOUT
    }
}

#[cfg(feature = "std")]
impl From<TimedOut> for std::io::Error {
    fn from(_: TimedOut) -> Self {
        Errno::TIMEDOUT.into()
    }
}

/// Not counted: there would be more than there can be.
///
/// What a semaphore says when it is posted beyond its bound. It becomes [`Errno::OVERFLOW`] where a
/// caller wants errors of the kernel's kind.
///
/// # Examples
///
/// ```
/// use rawipc::error::Overflow;
/// use rawipc::sync::Semaphore;
///
/// assert_eq!(Semaphore::new(Semaphore::MAX).post(), Err(Overflow));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more than there can be")
    }
}

impl core::error::Error for Overflow {}

impl From<Overflow> for Errno {
    fn from(_: Overflow) -> Self {
        Self::OVERFLOW
    }
}

#[cfg(feature = "std")]
impl From<Overflow> for std::io::Error {
    fn from(_: Overflow) -> Self {
        Errno::OVERFLOW.into()
    }
}
