//! [`Event`]: waiting for something to have happened.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{ALL, Futex, Sleep, Spinner, const_fn, real_only};
use crate::shm::plain::ShmSafe;

static SPINNER: Spinner = Spinner::new();

/// Something that has happened or not, for all who wait; stays until it is reset.
///
/// Who waits when it is set gets on, even if it is reset before they have run again. What was done
/// before it was set is seen by whoever has waited for it.
///
/// # Examples
///
/// ```
/// use rawipc::sync::Event;
///
/// let start = Event::new();
/// std::thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| start.wait());
///     }
///     start.set();
/// });
/// assert!(start.is_set());
/// start.reset();
/// assert!(!start.is_set());
/// ```
///
/// # References
///
/// - Python's [threading.Event](https://docs.python.org/3/library/threading.html#event-objects)
#[derive(FromBytes)]
#[repr(transparent)]
pub struct Event(Futex);

/// Bits of an [`Event`]; those above count how often it was set, so that who sleeps can tell.
const IS_SET: u32 = 1;
const HAS_SLEEPERS: u32 = 2;
const TURN: u32 = 4;

/// The count.
const fn turn(word: u32) -> u32 {
    word & !(IS_SET | HAS_SLEEPERS)
}

impl Event {
    const_fn! {
        /// That has not happened yet.
        ///
        /// # Examples
        ///
        /// See [`Event`].
        #[must_use]
        pub const fn new() -> Self {
            Self(Futex::new(0))
        }
    }

    /// Says that it has happened, and wakes all who wait. Nothing, if it has already been said.
    ///
    /// # Examples
    ///
    /// See [`Event`].
    pub fn set(&self) {
        // Release pairs with the Acquire of who waits. Also where it is set already: who finds it
        // set sees what everybody has done who has set it.
        let set = |word| {
            Some(if word & IS_SET != 0 { word } else { turn(word).wrapping_add(TURN) | IS_SET })
        };
        let before = self.0.fetch_update(Release, Relaxed, set).unwrap_or_default();
        if before & HAS_SLEEPERS != 0 {
            self.0.wake(ALL);
        }
    }

    /// Says that it has not happened, or shall happen again.
    ///
    /// # Examples
    ///
    /// See [`Event`].
    #[doc(alias = "clear")]
    pub fn reset(&self) {
        self.0.fetch_and(!IS_SET, Relaxed);
    }

    /// Whether it has happened; may be reset by the time that one knows.
    ///
    /// # Examples
    ///
    /// See [`Event`].
    #[inline]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Acquire) & IS_SET != 0
    }

    /// Waits until it is set; not at all if it is.
    ///
    /// # Examples
    ///
    /// See [`Event`].
    #[inline]
    pub fn wait(&self) {
        let _never = self.wait_until(Deadline::NEVER);
    }

    /// As [`wait`](Self::wait), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if it was not set until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::Event;
    ///
    /// let never = Event::new();
    /// assert_eq!(never.wait_until(Deadline::after(Duration::from_millis(2))), Err(TimedOut));
    /// ```
    #[inline]
    pub fn wait_until(&self, by: Deadline) -> Result<(), TimedOut> {
        let word = self.0.load(Acquire);
        if word & IS_SET != 0 { Ok(()) } else { self.wait_slow(turn(word), by) }
    }

    /// Waits for the end of the turn in which it was not set.
    #[cold]
    fn wait_slow(&self, mine: u32, by: Deadline) -> Result<(), TimedOut> {
        // Acquire pairs with the Release in set: by way of the resets after it, too.
        let has_happened = |word| turn(word) != mine;
        let attempt = || has_happened(self.0.load(Acquire)).then_some(());
        if SPINNER.spin(by, attempt).is_some() {
            return Ok(());
        }
        loop {
            let flag = |word| (!has_happened(word)).then_some(word | HAS_SLEEPERS);
            let Ok(word) = self.0.fetch_update(Relaxed, Acquire, flag) else {
                return Ok(());
            };
            let sleep = self.0.wait(word | HAS_SLEEPERS, by);
            if has_happened(self.0.load(Acquire)) {
                return Ok(());
            }
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
        }
    }
}

// SAFETY: transparent, a futex that is shared between processes; zero is "not set".
unsafe impl ShmSafe for Event {}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event").field(&self.is_set()).finish()
    }
}

real_only! {
    static_assertions::assert_eq_size!(Event, u32);
    static_assertions::assert_impl_all!(Event: ShmSafe, Send, Sync);
}
