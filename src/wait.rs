//! Waiting with a deadline, in one place: every `_until` call is an attempt that does not wait,
//! made again each time `poll` says that it may succeed.

use core::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;

use crate::time::Deadline;
use crate::{Errno, Result};

/// Repeats `attempt` until it answers anything but `AGAIN`, sleeping in between until `fd` is ready
/// for `events`.
///
/// `TIMEDOUT` at the deadline, `INTR` when a signal handler ran.
#[inline]
pub(crate) fn until<T>(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    by: Deadline,
    attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    until_after(|by| ready(fd, events, by), by, attempt)
}

/// As [`until`], for what needs more than one descriptor to be ready: `sleep` waits for it.
///
/// The attempt comes first, as what can be done at once is done even after the deadline; and it
/// comes last, as `poll` does not tell all that it could: a socket's sender hears of room only when
/// there is much. Nor is it always right, when it does tell: another process may be faster, and a
/// datagram socket that was shut down is readable for ever. So after a few vain rounds a pause
/// comes in.
pub(crate) fn until_after<T>(
    mut sleep: impl FnMut(Deadline) -> Result<()>,
    by: Deadline,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    /// How many attempts may fail one after the other, though `poll` said that they would not.
    const RACES: u32 = 16;
    const PAUSE: Duration = Duration::from_millis(1);

    let mut rounds = 0_u32;
    loop {
        let is_last = by.has_passed() && rounds > 0;
        match attempt() {
            Err(Errno::AGAIN) if is_last => return Err(Errno::TIMEDOUT),
            Err(Errno::AGAIN) => {}
            answer => return answer,
        }
        if rounds >= RACES {
            pause(by.min(Deadline::after(PAUSE)))?;
        }
        rounds = rounds.saturating_add(1);
        match sleep(by) {
            Ok(()) | Err(Errno::TIMEDOUT) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Sleeps until `fd` is ready for `events`, has hung up or failed.
///
/// `TIMEDOUT` at the deadline, `INTR` when a signal handler ran.
#[inline]
pub(crate) fn ready(fd: BorrowedFd<'_>, events: PollFlags, by: Deadline) -> Result<()> {
    match poll(&mut [PollFd::from_borrowed_fd(fd, events)], by.timeout().as_ref())? {
        0 => Err(Errno::TIMEDOUT),
        _ => Ok(()),
    }
}

/// Sleeps until then. `INTR` when a signal handler ran.
#[inline]
pub(crate) fn pause(until: Deadline) -> Result<()> {
    poll(&mut [], until.timeout().as_ref()).map(drop)
}
