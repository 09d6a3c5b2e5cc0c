//! [`AutoResetEvent`]: waiting for something to have happened, one at a time.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{Futex, Sleep, Spinner, const_fn, real_only};
use crate::shm::plain::ShmSafe;

const UNSET: u32 = 0;
const SET: u32 = 1;
/// Unset, and somebody may sleep until it is not: who sets it has to wake.
const AWAITED: u32 = 2;

static SPINNER: Spinner = Spinner::new();

/// Something that has happened, for exactly one of those who wait: who takes notice resets it.
///
/// To set it twice before anybody has taken notice is the same as once.
///
/// # Examples
///
/// ```
/// use rawipc::sync::AutoResetEvent;
///
/// let bell = AutoResetEvent::new();
/// bell.set();
/// bell.wait();
/// assert!(!bell.try_wait());
/// bell.set();
/// assert!(bell.is_set());
/// bell.reset();
/// assert!(!bell.try_wait());
/// ```
///
/// # References
///
/// - Windows's auto-reset [event
///   objects](https://learn.microsoft.com/en-us/windows/win32/sync/event-objects)
#[derive(FromBytes)]
#[repr(transparent)]
pub struct AutoResetEvent(Futex);

impl AutoResetEvent {
    const_fn! {
        /// That has not happened yet.
        ///
        /// # Examples
        ///
        /// See [`AutoResetEvent`].
        #[must_use]
        pub const fn new() -> Self {
            Self(Futex::new(UNSET))
        }
    }

    /// Says that it has happened, and wakes one who waits. Nothing, if it is set.
    ///
    /// # Examples
    ///
    /// See [`AutoResetEvent`].
    #[inline]
    pub fn set(&self) {
        // Release pairs with the Acquire of who takes notice. A swap also where it is set already,
        // so that who takes notice sees what was done before this, too.
        if self.0.swap(SET, Release) == AWAITED {
            self.wake_one();
        }
    }

    /// One is enough: it leaves the event as awaited, and so the next to set it wakes the next.
    #[cold]
    fn wake_one(&self) {
        self.0.wake(1);
    }

    /// Takes back that it has happened, if nobody has taken notice.
    ///
    /// # Examples
    ///
    /// See [`AutoResetEvent`].
    #[doc(alias = "clear")]
    pub fn reset(&self) {
        let _not_set = self.0.compare_exchange(SET, UNSET, Relaxed, Relaxed);
    }

    /// Whether it has happened, and nobody has taken notice; may have changed by the time that one
    /// knows.
    ///
    /// # Examples
    ///
    /// See [`AutoResetEvent`].
    #[inline]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed) == SET
    }

    /// Waits until it is set, and resets it.
    ///
    /// # Examples
    ///
    /// See [`AutoResetEvent`].
    #[inline]
    pub fn wait(&self) {
        if !self.try_wait() {
            let _never = self.wait_slow(Deadline::NEVER);
        }
    }

    /// Resets it, if it is set now, and says whether.
    ///
    /// # Examples
    ///
    /// See [`AutoResetEvent`].
    #[inline]
    #[must_use]
    pub fn try_wait(&self) -> bool {
        // Acquire pairs with the Release in set.
        self.0.compare_exchange(SET, UNSET, Acquire, Relaxed).is_ok()
    }

    /// As [`wait`](Self::wait), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if it was not set until then, or others have taken notice each time.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::AutoResetEvent;
    ///
    /// let bell = AutoResetEvent::new();
    /// bell.set();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(bell.wait_until(soon), Ok(()));
    /// assert_eq!(bell.wait_until(soon), Err(TimedOut));
    /// ```
    #[inline]
    pub fn wait_until(&self, by: Deadline) -> Result<(), TimedOut> {
        if self.try_wait() { Ok(()) } else { self.wait_slow(by) }
    }

    #[cold]
    fn wait_slow(&self, by: Deadline) -> Result<(), TimedOut> {
        let attempt = || (self.0.load(Relaxed) == SET && self.try_wait()).then_some(());
        if SPINNER.spin(by, attempt).is_some() {
            return Ok(());
        }
        let mut sleep = Sleep::Vain;
        loop {
            // Taken, or left, as awaited: others may sleep, and the wake that ended our sleep may
            // have been the only one. Acquire as in try_wait.
            if self.0.swap(AWAITED, Acquire) == SET {
                return Ok(());
            }
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
            sleep = self.0.wait(AWAITED, by);
        }
    }
}

// SAFETY: transparent, a futex that is shared between processes; zero is "not set".
unsafe impl ShmSafe for AutoResetEvent {}

impl Default for AutoResetEvent {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AutoResetEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AutoResetEvent").field(&self.is_set()).finish()
    }
}

real_only! {
    static_assertions::assert_eq_size!(AutoResetEvent, u32);
    static_assertions::assert_impl_all!(AutoResetEvent: ShmSafe, Send, Sync);
}
