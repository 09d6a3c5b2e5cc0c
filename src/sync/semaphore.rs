//! [`Semaphore`]: a count of what there is, to be waited for while it is zero.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::{Overflow, TimedOut};
use crate::prim::{AtomicU32, Padding, Sleep, Spinner, WideFutex, const_fn, real_only};
use crate::shm::plain::ShmSafe;

static SPINNER: Spinner = Spinner::backing_off();

/// Where the number of those who wait stands in the word, above the value.
const WAITER: u64 = 1 << 32;
/// What says to a C library that the semaphore is used by several processes.
const SHARED: u32 = 0x80;

/// A counting semaphore: [`post`](Self::post) adds one, [`wait`](Self::wait) takes one, sleeping
/// while there is none.
///
/// Its 32 bytes are those of glibc's `sem_t` on 64-bit machines, and both sides may use the same
/// one at the same time, if it was made by [`new`](Self::new) or by `sem_init` with `pshared`. Zero
/// is a semaphore of value zero (for a C library, one of a single process). Under a name, it is a
/// [`posix::Semaphore`](crate::posix::Semaphore).
///
/// Whoever is killed while it waits stays counted as waiting: each `post` then makes a system call
/// that wakes nobody, and does no other harm.
///
/// # Examples
///
/// ```
/// use rawipc::sync::Semaphore;
///
/// let tickets = Semaphore::new(2);
/// tickets.wait();
/// tickets.wait();
/// assert!(!tickets.try_wait());
/// tickets.post()?;
/// assert_eq!(tickets.value(), 1);
/// assert!(tickets.try_wait());
/// # Ok::<(), rawipc::error::Overflow>(())
/// ```
///
/// # References
///
/// - [sem_overview(7)](https://man7.org/linux/man-pages/man7/sem_overview.7.html)
#[doc(alias = "sem_t")]
#[derive(FromBytes)]
#[repr(C)]
pub struct Semaphore {
    /// Low half: the value; high half: how many wait.
    word: WideFutex,
    shared: AtomicU32,
    unused: [Padding; 5],
}

impl Semaphore {
    /// The highest value (`SEM_VALUE_MAX`).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Semaphore;
    ///
    /// assert_eq!(Semaphore::new(u32::MAX).value(), Semaphore::MAX);
    /// ```
    #[doc(alias = "SEM_VALUE_MAX")]
    pub const MAX: u32 = i32::MAX.unsigned_abs();

    const_fn! {
        /// `sem_init` with `pshared`: of that value, or of [`MAX`](Self::MAX) where that is less.
        ///
        /// # Examples
        ///
        /// See [`Semaphore`].
        ///
        /// # References
        ///
        /// - [sem_init(3)](https://man7.org/linux/man-pages/man3/sem_init.3.html)
        #[doc(alias = "sem_init")]
        #[must_use]
        pub const fn new(value: u32) -> Self {
            let value = if value < Self::MAX { value } else { Self::MAX };
            Self {
                word: WideFutex::new(value as u64),
                shared: AtomicU32::new(SHARED),
                unused: [const { Padding::new() }; 5],
            }
        }
    }

    /// `sem_post`: adds one, and wakes one who waits.
    ///
    /// Never waits.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the value is [`MAX`](Self::MAX).
    ///
    /// # Examples
    ///
    /// See [`Semaphore`].
    ///
    /// # References
    ///
    /// - [sem_post(3)](https://man7.org/linux/man-pages/man3/sem_post.3.html)
    #[doc(alias = "sem_post")]
    #[doc(alias = "release")]
    #[inline]
    pub fn post(&self) -> Result<(), Overflow> {
        self.post_up_to(Self::MAX)
    }

    #[inline]
    pub(super) fn post_up_to(&self, bound: u32) -> Result<(), Overflow> {
        let mut word = self.word.load(Relaxed);
        loop {
            if value(word) >= bound.min(Self::MAX) {
                return Err(Overflow);
            }
            // The value is below its maximum, so that nothing is carried into the other half.
            let more = word.wrapping_add(1);
            // Release pairs with the Acquire of who takes this one: it sees what was done before.
            match self.word.compare_exchange_weak(word, more, Release, Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word >= WAITER {
            self.wake_one();
        }
        Ok(())
    }

    /// For each that is added, one is woken: no more can get on. From here on the semaphore may be
    /// gone, if who has taken this one wanted nothing else of it.
    #[cold]
    fn wake_one(&self) {
        self.word.wake(1);
    }

    /// `sem_wait`: takes one, sleeping while there is none.
    ///
    /// # Examples
    ///
    /// See [`Semaphore`].
    ///
    /// # References
    ///
    /// - [sem_wait(3)](https://man7.org/linux/man-pages/man3/sem_wait.3.html)
    #[doc(alias = "sem_wait")]
    #[doc(alias = "acquire")]
    #[inline]
    pub fn wait(&self) {
        if !self.try_wait() {
            let _never = self.wait_slow(Deadline::NEVER);
        }
    }

    /// `sem_trywait`: takes one, if there is one now, and says whether.
    ///
    /// # Examples
    ///
    /// See [`Semaphore`].
    ///
    /// # References
    ///
    /// - [sem_wait(3)](https://man7.org/linux/man-pages/man3/sem_wait.3.html)
    #[doc(alias = "sem_trywait")]
    #[inline]
    #[must_use]
    pub fn try_wait(&self) -> bool {
        let mut word = self.word.load(Relaxed);
        while value(word) > 0 {
            // Acquire pairs with the Release in post.
            match self.word.compare_exchange_weak(word, word.wrapping_sub(1), Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// `sem_clockwait`: as [`wait`](Self::wait), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if there was none until then, or others took each.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::Semaphore;
    ///
    /// let none = Semaphore::new(0);
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(none.wait_until(soon), Err(TimedOut));
    /// ```
    ///
    /// # References
    ///
    /// - [sem_wait(3)](https://man7.org/linux/man-pages/man3/sem_wait.3.html)
    #[doc(alias = "sem_timedwait")]
    #[doc(alias = "sem_clockwait")]
    #[inline]
    pub fn wait_until(&self, by: Deadline) -> Result<(), TimedOut> {
        if self.try_wait() { Ok(()) } else { self.wait_slow(by) }
    }

    #[cold]
    fn wait_slow(&self, by: Deadline) -> Result<(), TimedOut> {
        if SPINNER.spin(by, || self.try_wait().then_some(())).is_some() {
            return Ok(());
        }
        let mut sleep = Sleep::Vain;
        let mut word = self.word.fetch_add(WAITER, Relaxed).wrapping_add(WAITER);
        loop {
            if value(word) > 0 {
                // One less, and nobody who waits for it: both at once. Acquire as in try_wait.
                let taken = word.wrapping_sub(WAITER).wrapping_sub(1);
                match self.word.compare_exchange_weak(word, taken, Acquire, Relaxed) {
                    Ok(_) => return Ok(()),
                    Err(now) => word = now,
                }
                continue;
            }
            if sleep == Sleep::TimedOut {
                self.word.fetch_sub(WAITER, Relaxed);
                return Err(TimedOut);
            }
            sleep = self.word.wait(0, by);
            word = self.word.load(Relaxed);
        }
    }

    /// `sem_getvalue`: how many there are; may have changed by the time that one knows.
    ///
    /// Zero while others wait; never negative.
    ///
    /// # Examples
    ///
    /// See [`Semaphore`].
    ///
    /// # References
    ///
    /// - [sem_getvalue(3)](https://man7.org/linux/man-pages/man3/sem_getvalue.3.html)
    #[doc(alias = "sem_getvalue")]
    #[must_use]
    pub fn value(&self) -> u32 {
        value(self.word.load(Relaxed))
    }

    /// Whether a C library takes it for one that several processes use.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Relaxed) == SHARED
    }
}

/// The low half.
const fn value(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

// SAFETY: `repr(C)`, of a futex that is shared between processes and numbers, all of any bits; what
// changes is atomic. Zero is a value of zero.
unsafe impl ShmSafe for Semaphore {}

impl Default for Semaphore {
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("value", &self.value()).finish_non_exhaustive()
    }
}

real_only! {
    static_assertions::assert_eq_size!(Semaphore, [u64; 4]);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Semaphore, word), 0);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Semaphore, shared), 8);
    static_assertions::assert_impl_all!(Semaphore: ShmSafe, Send, Sync);
}
