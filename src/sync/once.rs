//! [`Once`]: done once, by whoever comes first.

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{ALL, Futex, Sleep, Spinner, const_fn, real_only};
use crate::shm::plain::ShmSafe;

const UNTOUCHED: u32 = 0;
const RUNNING: u32 = 1;
const DONE: u32 = 2;
/// Beside one of the first two: somebody may sleep, and has to be woken when it is over.
const AWAITED: u32 = 4;

/// Whether nobody is at it, nor has been.
const fn is_untouched(word: u32) -> bool {
    word & !AWAITED == UNTOUCHED
}

static SPINNER: Spinner = Spinner::new();

/// Something that is done once, by one of all processes, while the others wait for it.
///
/// What it has done is seen by whoever has come after it. If it panics, it has not been done, and
/// the next to come does it. A process that is killed while it does it leaves it undone and the
/// others waiting: [`call_once_until`](Self::call_once_until) gives up.
///
/// # Examples
///
/// ```
/// use rawipc::sync::Once;
///
/// static START: Once = Once::new();
/// let mut runs = 0;
/// assert!(!START.is_completed());
/// START.call_once(|| runs += 1);
/// START.call_once(|| runs += 1);
/// assert!(START.is_completed());
/// assert_eq!(runs, 1);
/// ```
///
/// # References
///
/// - [pthread_once(3p)](https://man7.org/linux/man-pages/man3/pthread_once.3p.html)
/// - [`std::sync::Once`](https://doc.rust-lang.org/std/sync/struct.Once.html)
#[doc(alias = "pthread_once_t")]
#[derive(FromBytes)]
#[repr(transparent)]
pub struct Once(Futex);

impl Once {
    const_fn! {
        /// Not yet done.
        ///
        /// # Examples
        ///
        /// See [`Once`].
        #[must_use]
        pub const fn new() -> Self {
            Self(Futex::new(UNTOUCHED))
        }
    }

    /// Does it, if nobody has; waits until it is done, if somebody is at it.
    ///
    /// Called again from `task`, it waits for itself for ever.
    ///
    /// # Examples
    ///
    /// See [`Once`].
    ///
    /// # References
    ///
    /// - [pthread_once(3p)](https://man7.org/linux/man-pages/man3/pthread_once.3p.html)
    #[doc(alias = "pthread_once")]
    #[inline]
    pub fn call_once(&self, task: impl FnOnce()) {
        if !self.is_completed() {
            let _never = self.run(task, Deadline::NEVER);
        }
    }

    /// As [`call_once`](Self::call_once), but gives up waiting at a deadline. Its own `task` it
    /// does not interrupt.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if another was at it still.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::Once;
    ///
    /// let once = Once::new();
    /// let again = || once.call_once_until(|| unreachable!(), Deadline::now());
    /// once.call_once(|| assert_eq!(again(), Err(TimedOut))); // at it still
    /// assert_eq!(again(), Ok(())); // done
    /// ```
    #[inline]
    pub fn call_once_until(&self, task: impl FnOnce(), by: Deadline) -> Result<(), TimedOut> {
        if self.is_completed() { Ok(()) } else { self.run(task, by) }
    }

    /// As [`call_once`](Self::call_once), but does not wait: says whether it is done.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Once;
    ///
    /// let once = Once::new();
    /// once.call_once(|| assert!(!once.try_call_once(|| unreachable!("at it"))));
    /// assert!(once.try_call_once(|| unreachable!("done")));
    /// ```
    #[inline]
    #[must_use = "it may not be done"]
    pub fn try_call_once(&self, task: impl FnOnce()) -> bool {
        self.is_completed() || self.try_run(task).is_none()
    }

    /// Waits until somebody has done it.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Once;
    ///
    /// let once = Once::new();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| once.call_once(|| ()));
    ///     once.wait();
    ///     assert!(once.is_completed());
    /// });
    /// ```
    #[inline]
    pub fn wait(&self) {
        let _never = self.wait_until(Deadline::NEVER);
    }

    /// As [`wait`](Self::wait), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if it was not done until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::Once;
    ///
    /// let never = Once::new();
    /// assert_eq!(never.wait_until(Deadline::after(Duration::from_millis(2))), Err(TimedOut));
    /// ```
    pub fn wait_until(&self, by: Deadline) -> Result<(), TimedOut> {
        let mut sleep = Sleep::Vain;
        while !self.is_completed() {
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
            sleep = self.sleep_while(|word| word != DONE, by);
        }
        Ok(())
    }

    /// Whether it is done: what it did is seen then.
    ///
    /// # Examples
    ///
    /// See [`Once`].
    #[inline]
    #[must_use]
    pub fn is_completed(&self) -> bool {
        // Acquire pairs with the Release in the guard's drop.
        self.0.load(Acquire) == DONE
    }

    #[cold]
    fn run(&self, task: impl FnOnce(), by: Deadline) -> Result<(), TimedOut> {
        let Some(mut task) = self.try_run(task) else {
            return Ok(());
        };
        let mut sleep = Sleep::Vain;
        while !self.is_completed() {
            task = match self.try_run(task) {
                Some(task) => task,
                None => return Ok(()),
            };
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
            // Running; or what only a peer writes that keeps no protocol, and waited for as well.
            sleep = self.sleep_while(|word| word != DONE && !is_untouched(word), by);
        }
        Ok(())
    }

    /// Gives the task back if it is not for us to do it now.
    fn try_run<F: FnOnce()>(&self, task: F) -> Option<F> {
        let begin = |word| is_untouched(word).then_some(word | RUNNING);
        // Acquire pairs with the Release of one who has panicked, and may have left traces.
        if self.0.fetch_update(Acquire, Relaxed, begin).is_err() {
            return Some(task);
        }
        let mut running = Running { once: self, leave: UNTOUCHED };
        task();
        running.leave = DONE;
        None
    }

    fn sleep_while(&self, is_early: impl Fn(u32) -> bool, by: Deadline) -> Sleep {
        let is_over = || !is_early(self.0.load(Relaxed));
        if SPINNER.spin(by, || is_over().then_some(())).is_some() {
            return Sleep::Vain;
        }
        let flag = |word| is_early(word).then_some(word | AWAITED);
        match self.0.fetch_update(Relaxed, Relaxed, flag) {
            Ok(word) => self.0.wait(word | AWAITED, by),
            Err(_) => Sleep::Vain,
        }
    }
}

/// At it; dropped when the task has returned, or has panicked.
struct Running<'a> {
    once: &'a Once,
    leave: u32,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Release pairs with the Acquire in is_completed: what was done is seen.
        if self.once.0.swap(self.leave, Release) & AWAITED != 0 {
            self.once.0.wake(ALL);
        }
    }
}

// SAFETY: transparent, a futex that is shared between processes; zero is "not yet done".
#[allow(unsafe_code, reason = "a promise about layout; see SAFETY.md")]
unsafe impl ShmSafe for Once {}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("is_completed", &self.is_completed()).finish()
    }
}

real_only! {
    static_assertions::assert_eq_size!(Once, u32);
    static_assertions::assert_impl_all!(Once: ShmSafe, Send, Sync);
}
