//! [`Deadline`]: until when a call may wait.

use core::time::Duration;

use rustix::event::Timespec;

use crate::sys;

/// A point in time at which a waiting call gives up.
///
/// Absolute, on the monotonic clock (`CLOCK_MONOTONIC`): it does not move when the wall clock is
/// set, does not count time in suspend, and holds in a forked child too. Being absolute, one
/// deadline bounds a whole sequence of calls, and an interrupted call can be made again with the
/// same one.
///
/// A call with a deadline that has passed still does what it can do without waiting.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use rawipc::{Deadline, Errno, pipe::Pipe};
///
/// let Pipe { reader, writer: _writer } = Pipe::new()?;
/// let soon = Deadline::after(Duration::from_millis(5));
/// assert_eq!(reader.read_until(&mut [0; 8], soon), Err(Errno::TIMEDOUT));
/// assert!(soon.has_passed());
/// # Ok::<(), Errno>(())
/// ```
///
/// # References
///
/// - [clock_gettime(2)](https://man7.org/linux/man-pages/man2/clock_gettime.2.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline {
    since_clock_start: Duration,
}

impl Deadline {
    /// The deadline that never passes.
    pub const NEVER: Self = Self { since_clock_start: Duration::MAX };

    /// The present moment: a call bounded by it does not wait.
    #[must_use]
    #[inline]
    pub fn now() -> Self {
        let Timespec { tv_sec, tv_nsec } = sys::time::monotonic();
        // The kernel never returns a negative monotonic time: the defaults cannot be taken.
        let seconds = u64::try_from(tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(tv_nsec).unwrap_or_default();
        Self { since_clock_start: Duration::new(seconds, nanoseconds) }
    }

    /// `wait` from now; [`NEVER`](Self::NEVER) where that is too far away to be represented.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    ///
    /// assert!(Deadline::after(Duration::from_secs(1)) > Deadline::now());
    /// assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
    /// ```
    #[must_use]
    #[inline]
    pub fn after(wait: Duration) -> Self {
        Self { since_clock_start: Self::now().since_clock_start.saturating_add(wait) }
    }

    /// How long until then: zero once it has passed, `None` if it never will.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    ///
    /// assert_eq!(Deadline::NEVER.remaining(), None);
    /// assert_eq!(Deadline::now().remaining(), Some(Duration::ZERO));
    /// let wait = Duration::from_secs(9);
    /// assert!(Deadline::after(wait).remaining() <= Some(wait));
    /// ```
    #[must_use]
    #[inline]
    pub fn remaining(self) -> Option<Duration> {
        if self == Self::NEVER {
            return None;
        }
        Some(self.since_clock_start.saturating_sub(Self::now().since_clock_start))
    }

    /// Whether it lies in the past.
    #[must_use]
    #[inline]
    pub fn has_passed(self) -> bool {
        self <= Self::now()
    }

    /// What is left, as the kernel takes a relative timeout: `None` is "for ever".
    #[inline]
    pub(crate) fn timeout(self) -> Option<Timespec> {
        self.remaining().map(|left| Timespec {
            // What is longer than every kernel and C library can count becomes 68 years.
            tv_sec: i32::try_from(left.as_secs()).unwrap_or(i32::MAX).into(),
            tv_nsec: left.subsec_nanos().into(),
        })
    }
}

/// The moment that an [`Instant`](std::time::Instant) stands for, if it lies ahead; otherwise now.
#[cfg(feature = "std")]
impl From<std::time::Instant> for Deadline {
    fn from(instant: std::time::Instant) -> Self {
        Self::after(instant.saturating_duration_since(std::time::Instant::now()))
    }
}
