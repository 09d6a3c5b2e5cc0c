//! [`BoundedSemaphore`]: a semaphore that notices when it is posted too often.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

use core::fmt;
use core::sync::atomic::Ordering::Relaxed;

use zerocopy::FromBytes;

use super::Semaphore;
use crate::Deadline;
use crate::error::{Overflow, TimedOut};
use crate::prim::{AtomicU32, Padding, const_fn, real_only};
use crate::shm::plain::ShmSafe;

/// A [`Semaphore`] that never has more than it began with: to post once too often is an error.
///
/// Zero is one that never has any.
///
/// # Examples
///
/// ```
/// use rawipc::error::Overflow;
/// use rawipc::sync::BoundedSemaphore;
///
/// let seats = BoundedSemaphore::new(1);
/// seats.wait();
/// assert!(!seats.try_wait());
/// seats.post()?;
/// assert_eq!((seats.value(), seats.bound()), (1, 1));
/// assert_eq!(seats.post(), Err(Overflow));
/// # Ok::<(), Overflow>(())
/// ```
///
/// # References
///
/// - [sem_overview(7)](https://man7.org/linux/man-pages/man7/sem_overview.7.html)
/// - Python's [BoundedSemaphore](https://docs.python.org/3/library/threading.html#semaphore-objects)
#[derive(FromBytes)]
#[repr(C)]
pub struct BoundedSemaphore {
    semaphore: Semaphore,
    bound: AtomicU32,
    unused: Padding,
}

impl BoundedSemaphore {
    const_fn! {
        /// Of that value, which is also its bound; at most [`Semaphore::MAX`].
        ///
        /// # Examples
        ///
        /// See [`BoundedSemaphore`].
        #[must_use]
        pub const fn new(value: u32) -> Self {
            Self {
                semaphore: Semaphore::new(value),
                bound: AtomicU32::new(value),
                unused: Padding::new(),
            }
        }
    }

    /// Adds one, and wakes one who waits. Never waits.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if that were more than it began with.
    ///
    /// # Examples
    ///
    /// See [`BoundedSemaphore`].
    #[inline]
    pub fn post(&self) -> Result<(), Overflow> {
        self.semaphore.post_up_to(self.bound())
    }

    /// Takes one, sleeping while there is none.
    ///
    /// # Examples
    ///
    /// See [`BoundedSemaphore`].
    #[inline]
    pub fn wait(&self) {
        self.semaphore.wait();
    }

    /// Takes one, if there is one now, and says whether.
    ///
    /// # Examples
    ///
    /// See [`BoundedSemaphore`].
    #[inline]
    #[must_use]
    pub fn try_wait(&self) -> bool {
        self.semaphore.try_wait()
    }

    /// As [`wait`](Self::wait), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if there was none until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::BoundedSemaphore;
    ///
    /// let seats = BoundedSemaphore::new(1);
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(seats.wait_until(soon), Ok(()));
    /// assert_eq!(seats.wait_until(soon), Err(TimedOut));
    /// ```
    #[inline]
    pub fn wait_until(&self, by: Deadline) -> Result<(), TimedOut> {
        self.semaphore.wait_until(by)
    }

    /// How many there are; may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// See [`BoundedSemaphore`].
    #[must_use]
    pub fn value(&self) -> u32 {
        self.semaphore.value()
    }

    /// How many there can be.
    ///
    /// # Examples
    ///
    /// See [`BoundedSemaphore`].
    #[must_use]
    pub fn bound(&self) -> u32 {
        self.bound.load(Relaxed).min(Semaphore::MAX)
    }
}

// SAFETY: `repr(C)`, of what is and an atomic number.
unsafe impl ShmSafe for BoundedSemaphore {}

impl Default for BoundedSemaphore {
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, bound) = (self.value(), self.bound());
        f.debug_struct("BoundedSemaphore").field("value", &value).field("bound", &bound).finish()
    }
}

real_only! {
    static_assertions::assert_eq_size!(BoundedSemaphore, [u64; 5]);
    static_assertions::const_assert_eq!(core::mem::offset_of!(BoundedSemaphore, bound), 32);
    static_assertions::assert_impl_all!(BoundedSemaphore: ShmSafe, Send, Sync);
}
