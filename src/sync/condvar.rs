//! [`Condvar`]: waiting until what a mutex protects has changed.

use core::fmt;
use core::sync::atomic::Ordering::Relaxed;

use zerocopy::FromBytes;

use super::MutexGuard;
use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{ALL, AtomicU32, Futex, Sleep, Spinner, const_fn, real_only};
use crate::shm::plain::ShmSafe;

static SPINNER: Spinner = Spinner::new();

/// A condition variable: gives up a [`Mutex`](super::Mutex), waits to be notified, and takes the
/// mutex again, in such a way that no notification falls between the first and the second.
///
/// Who is notified looks whether it finds what it has waited for: another may have been faster, and
/// a wait may end with a notification that was for another (within a second of it, all do, in case
/// that other one has been killed). [`wait_while`](Self::wait_while) does that.
///
/// One mutex at a time: all who wait at the same time do so with the same.
///
/// # Examples
///
/// ```
/// use rawipc::sync::{Condvar, Mutex};
///
/// let (is_done, done) = (Mutex::new(0_u8), Condvar::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *is_done.lock() = 1;
///         done.notify_one();
///     });
///     let mut guard = is_done.lock();
///     done.wait_while(&mut guard, |is_done| *is_done == 0);
///     assert_eq!(*guard, 1);
/// });
/// ```
///
/// # References
///
/// - [pthread_cond_wait(3p)](https://man7.org/linux/man-pages/man3/pthread_cond_wait.3p.html)
#[doc(alias = "pthread_cond_t")]
#[derive(FromBytes)]
#[repr(C)]
pub struct Condvar {
    /// Counts notifications; who waits sleeps until it is another than when the mutex was held.
    notifications: Futex,
    /// How many wait, or were killed while they did: nobody has to be woken if none.
    waiters: AtomicU32,
}

impl Condvar {
    const_fn! {
        /// For which nobody waits.
        ///
        /// # Examples
        ///
        /// See [`Condvar`].
        #[must_use]
        pub const fn new() -> Self {
            Self { notifications: Futex::new(0), waiters: AtomicU32::new(0) }
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::{Condvar, Mutex};
    ///
    /// let (turn, turned) = (Mutex::new(0), Condvar::new());
    /// std::thread::scope(|scope| {
    ///     let mut guard = turn.lock();
    ///     scope.spawn(|| {
    ///         *turn.lock() = 1;
    ///         turned.notify_all();
    ///     });
    ///     while *guard == 0 {
    ///         turned.wait(&mut guard);
    ///     }
    /// });
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_cond_wait(3p)](https://man7.org/linux/man-pages/man3/pthread_cond_wait.3p.html)
    #[doc(alias = "pthread_cond_wait")]
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let _never = self.wait_until(guard, Deadline::NEVER);
    }

    /// As [`wait`](Self::wait), but gives up at a deadline; holds the mutex again then too.
    ///
    /// The deadline is the notification's: for the mutex it waits as long as that takes, and for
    /// ever if whoever holds it never unlocks it.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if there was no notification until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::{Condvar, Mutex};
    ///
    /// let (mutex, never) = (Mutex::new(0), Condvar::new());
    /// let mut guard = mutex.lock();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(never.wait_until(&mut guard, soon), Err(TimedOut));
    /// *guard = 1; // held again
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_cond_timedwait(3p)](https://man7.org/linux/man-pages/man3/pthread_cond_timedwait.3p.html)
    #[doc(alias = "pthread_cond_clockwait")]
    #[doc(alias = "pthread_cond_timedwait")]
    pub fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        by: Deadline,
    ) -> Result<(), TimedOut> {
        // Both under the mutex: whoever changes what it protects later, and notifies, sees the
        // first, and makes the second untrue.
        self.waiters.fetch_add(1, Relaxed);
        let seen = self.notifications.load(Relaxed);
        guard.raw().unlock();
        let notified = self.sleep(seen, by);
        self.waiters.fetch_sub(1, Relaxed);
        guard.raw().lock();
        notified
    }

    /// Waits as long as `condition` holds of what the mutex protects; not at all if it does not.
    ///
    /// # Examples
    ///
    /// See [`Condvar`].
    pub fn wait_while<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) {
        let _never = self.wait_while_until(guard, condition, Deadline::NEVER);
    }

    /// As [`wait_while`](Self::wait_while), but gives up at a deadline, as [`wait_until`] does.
    ///
    /// [`wait_until`]: Self::wait_until
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if `condition` still held then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::{Condvar, Mutex};
    ///
    /// let (queue, filled) = (Mutex::new([0_u32; 4]), Condvar::new());
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// let mut guard = queue.lock();
    /// let is_empty = |queue: &mut [u32; 4]| *queue == [0; 4];
    /// assert_eq!(filled.wait_while_until(&mut guard, is_empty, soon), Err(TimedOut));
    /// guard[0] = 7; // still held
    /// assert_eq!(filled.wait_while_until(&mut guard, is_empty, soon), Ok(()));
    /// ```
    pub fn wait_while_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        by: Deadline,
    ) -> Result<(), TimedOut> {
        let mut in_time = Ok(());
        while condition(guard) {
            in_time?;
            in_time = self.wait_until(guard, by);
        }
        Ok(())
    }

    /// Ends the wait of one who waits, if anybody does.
    ///
    /// The mutex need not be held, but has to have been when what it protects was changed.
    ///
    /// # Examples
    ///
    /// See [`Condvar`].
    ///
    /// # References
    ///
    /// - [pthread_cond_signal(3p)](https://man7.org/linux/man-pages/man3/pthread_cond_signal.3p.html)
    #[doc(alias = "pthread_cond_signal")]
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Ends the waits of all who wait.
    ///
    /// As [`notify_one`](Self::notify_one) otherwise.
    ///
    /// # Examples
    ///
    /// See [`wait`](Self::wait).
    ///
    /// # References
    ///
    /// - [pthread_cond_broadcast(3p)](https://man7.org/linux/man-pages/man3/pthread_cond_broadcast.3p.html)
    #[doc(alias = "pthread_cond_broadcast")]
    #[inline]
    pub fn notify_all(&self) {
        self.notify(ALL);
    }

    #[inline]
    fn notify(&self, most: u32) {
        // Relaxed: the mutex has ordered this behind whoever waits for the change.
        if self.waiters.load(Relaxed) != 0 {
            self.notifications.fetch_add(1, Relaxed);
            self.notifications.wake(most);
        }
    }

    fn sleep(&self, seen: u32, by: Deadline) -> Result<(), TimedOut> {
        let is_notified = || self.notifications.load(Relaxed) != seen;
        if SPINNER.spin(by, || is_notified().then_some(())).is_some() {
            return Ok(());
        }
        loop {
            let sleep = self.notifications.wait(seen, by);
            // Woken, although nothing has changed since: by a notification that counted just before
            // we came, and whose wake is now used up.
            if is_notified() || sleep == Sleep::Woken {
                return Ok(());
            }
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
        }
    }
}

// SAFETY: `repr(C)`, of a futex that is shared between processes and a count, both of any bits and
// atomic; zero is "nobody waits".
#[allow(unsafe_code, reason = "a promise about layout; see SAFETY.md")]
unsafe impl ShmSafe for Condvar {}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

real_only! {
    static_assertions::assert_eq_size!(Condvar, [u32; 2]);
    static_assertions::assert_eq_align!(Condvar, u32);
    static_assertions::assert_impl_all!(Condvar: ShmSafe, Send, Sync);
}
