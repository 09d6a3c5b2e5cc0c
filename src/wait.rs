//! Waiting for a descriptor, in one place: every `_until` call is an attempt that does not block,
//! repeated each time `poll` says that it may succeed.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;

use crate::time::Deadline;
use crate::{Errno, Result};

/// Sleeps until `fd` is ready for `events`, has hung up or failed.
///
/// `TIMEDOUT` at the deadline, `INTR` when a signal handler ran.
pub(crate) fn ready(fd: BorrowedFd<'_>, events: PollFlags, by: Deadline) -> Result<()> {
    match poll(&mut [PollFd::from_borrowed_fd(fd, events)], by.timeout().as_ref())? {
        0 => Err(Errno::TIMEDOUT),
        _ => Ok(()),
    }
}

/// Sleeps until then. `INTR` when a signal handler ran.
pub(crate) fn pause(until: Deadline) -> Result<()> {
    poll(&mut [], until.timeout().as_ref()).map(drop)
}

/// Repeats `attempt` until it answers anything but `AGAIN`, sleeping in between.
///
/// The attempt comes first: what can be done at once is done even after the deadline. Another
/// process may win the race to what `poll` announced; then the next round sleeps again.
pub(crate) fn until<T>(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    by: Deadline,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    loop {
        match attempt() {
            Err(Errno::AGAIN) => ready(fd, events, by)?,
            answer => return answer,
        }
    }
}
