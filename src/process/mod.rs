//! Processes: fork, and the child held by a descriptor.
//!
//! A [`Child`] owns a *pidfd*, which names one process for ever, where a pid is given to the next
//! process as soon as the child has been reaped. It can be waited for with a deadline, killed, and
//! polled next to any other descriptor.
//!
//! # Forking with other threads about
//!
//! The child has only the thread that forked. A lock that another thread held at that moment,
//! `malloc`'s among them, stays locked in it for ever. So a child of a process with threads may
//! only do what is *async-signal-safe*, as every function of this crate is. With the feature `std`,
//! [`fork()`] and [`spawn`] go through the C library, which runs the handlers of `pthread_atfork`
//! and puts `malloc` in order; without, they are one `clone`, for a process that has no C library.
//!
//! # References
//!
//! - [fork(2)](https://man7.org/linux/man-pages/man2/fork.2.html)
//! - [signal-safety(7)](https://man7.org/linux/man-pages/man7/signal-safety.7.html)
//! - [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html)

mod child;
mod fork;
mod status;

pub use child::Child;
pub use fork::{Fork, exit, fork, spawn};
pub use rustix::process::{Pid, Signal};
pub use status::ExitStatus;

/// `getpid`: this process's own pid.
///
/// ```
/// use rawipc::process;
///
/// assert_eq!(process::id().as_raw_nonzero().get().unsigned_abs(), std::process::id());
/// ```
///
/// # References
///
/// - [getpid(2)](https://man7.org/linux/man-pages/man2/getpid.2.html)
#[doc(alias = "getpid")]
#[must_use]
#[inline]
pub fn id() -> Pid {
    rustix::process::getpid()
}
