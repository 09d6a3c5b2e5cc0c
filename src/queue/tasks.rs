//! [`Tasks`]: waiting until everything that was pushed has been worked off.
//!
//! All of it is one word of 64 bits:
//!
//! | bits | |
//! |---|---|
//! | 0 | whether somebody may sleep |
//! | 1 – 31 | the turn: how often the last task has been done, so that who sleeps can tell |
//! | 32 – 63 | how many tasks are unfinished |
//!
//! Who waits sleeps on the low half, and so is not disturbed by tasks that come and go.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use super::NoneUnfinished;
use crate::Deadline;
use crate::error::{Overflow, TimedOut};
use crate::prim::{ALL, Sleep, Spinner, WideFutex, const_fn, real_only};
use crate::shm::plain::ShmSafe;

static SPINNER: Spinner = Spinner::new();

/// How many tasks are unfinished, for those who wait until none is.
///
/// A queue knows what has been pushed and popped, but not what has come of it. This does, beside
/// one: who pushes tasks first [`add`](Self::add)s them, who has popped one and is through with it
/// says [`task_done`](Self::task_done), and who wants to know when all are done
/// [`join`](Self::join)s. It stands by itself: tasks may go through several queues, or through
/// none.
///
/// First added, then pushed: a task that is pushed before may be done before it is counted. Then
/// `task_done` is refused, or a `join` returns that should have waited for it. Likewise, a task
/// that makes others adds them before it is done itself. Who cannot push what it has added, as the
/// queue is closed, takes it back: by `task_done`.
///
/// Who joins sees what was done in all tasks before they were said to be done.
///
/// A process that is killed while it joins harms nobody. A task whose worker is **killed** stays
/// unfinished, until somebody who knows of it says `task_done` in its stead.
///
/// Zero is "none unfinished".
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// use rawipc::queue::{Mpmc, Tasks};
///
/// let (queue, tasks, sum) = (Mpmc::<u64, 4>::new(), Tasks::new(), AtomicU64::new(0));
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| {
///             while let Ok(number) = queue.pop() {
///                 sum.fetch_add(number * number, Relaxed);
///                 tasks.task_done().expect("it was added");
///             }
///         });
///     }
///     for number in 1..=10 {
///         tasks.add(1).expect("there are few");
///         queue.push(number).expect("nobody has closed it");
///     }
///     tasks.join();
///     assert_eq!(sum.load(Relaxed), 385);
///     queue.close();
/// });
/// ```
///
/// # References
///
/// - Python's [multiprocessing.JoinableQueue](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.JoinableQueue)
#[doc(alias = "JoinableQueue")]
#[doc(alias = "WaitGroup")]
#[derive(FromBytes)]
#[repr(transparent)]
pub struct Tasks(WideFutex);

/// One task, in the high half.
const TASK: u64 = 1 << 32;

/// Bits of the low half; those above count the turns.
const HAS_SLEEPERS: u32 = 1;
const TURN: u32 = 2;

/// The high half.
const fn count(word: u64) -> u32 {
    let [_, _, _, _, a, b, c, d] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The half on which one sleeps.
const fn low(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The turn alone.
const fn turn(word: u64) -> u32 {
    low(word) & !HAS_SLEEPERS
}

impl Tasks {
    const_fn! {
        /// None is unfinished.
        ///
        /// # Examples
        ///
        /// See [`Tasks`].
        #[must_use]
        pub const fn new() -> Self {
            Self(WideFutex::new(0))
        }
    }

    /// So many more are unfinished. To be called before they are pushed: see [`Tasks`].
    ///
    /// # Errors
    ///
    /// [`Overflow`] if there would be more than `u32::MAX`: none has been added.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::error::Overflow;
    /// use rawipc::queue::Tasks;
    ///
    /// let tasks = Tasks::new();
    /// assert_eq!(tasks.add(u32::MAX), Ok(()));
    /// assert_eq!(tasks.add(1), Err(Overflow));
    /// ```
    #[inline]
    pub fn add(&self, count: u32) -> Result<(), Overflow> {
        // The high half is carried nowhere. Relaxed: that the task is added before it is done, the
        // way says on which it comes to who does it.
        let more = |word: u64| word.checked_add(u64::from(count) << 32);
        self.0.fetch_update(Relaxed, Relaxed, more).map(drop).map_err(|_| Overflow)
    }

    /// One of them is done; wakes all who [`join`](Self::join), if it was the last.
    ///
    /// Never waits.
    ///
    /// # Errors
    ///
    /// [`NoneUnfinished`] if it has been said more often than there were tasks: nothing is changed.
    ///
    /// # Examples
    ///
    /// See [`Tasks`].
    #[inline]
    pub fn task_done(&self) -> Result<(), NoneUnfinished> {
        let less = |word| match count(word) {
            0 => None,
            1 => Some(u64::from(turn(word).wrapping_add(TURN))),
            _ => Some(word.wrapping_sub(TASK)),
        };
        // Release pairs with the Acquire of who joins: of each task, as all that come after it only
        // change the word that it has left.
        let before = self.0.fetch_update(Release, Relaxed, less).map_err(|_| NoneUnfinished)?;
        if count(before) == 1 && low(before) & HAS_SLEEPERS != 0 {
            self.wake_all();
        }
        Ok(())
    }

    #[cold]
    fn wake_all(&self) {
        self.0.wake(ALL);
    }

    /// How many are unfinished; may have changed by the time that one knows.
    ///
    /// Who finds none sees what was done in all of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::{NoneUnfinished, Tasks};
    ///
    /// let tasks = Tasks::new();
    /// tasks.add(3)?;
    /// assert_eq!(tasks.task_done(), Ok(()));
    /// assert_eq!(tasks.unfinished(), 2);
    /// # Ok::<(), rawipc::error::Overflow>(())
    /// ```
    #[must_use]
    pub fn unfinished(&self) -> u32 {
        count(self.0.load(Acquire))
    }

    /// Whether none is unfinished: whether a [`join`](Self::join) would return at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Tasks;
    ///
    /// let tasks = Tasks::new();
    /// assert!(tasks.is_done());
    /// tasks.add(1)?;
    /// assert!(!tasks.is_done());
    /// # Ok::<(), rawipc::error::Overflow>(())
    /// ```
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.unfinished() == 0
    }

    /// Waits until none is unfinished; not at all if none is.
    ///
    /// Returns also if others have been added by the time that it runs again: there has been a
    /// moment when none was unfinished.
    ///
    /// # Examples
    ///
    /// See [`Tasks`].
    #[inline]
    pub fn join(&self) {
        let _never = self.join_until(Deadline::NEVER);
    }

    /// As [`join`](Self::join), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if there was always an unfinished one until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::queue::Tasks;
    ///
    /// let tasks = Tasks::new();
    /// tasks.add(1)?;
    /// assert_eq!(tasks.join_until(Deadline::after(Duration::from_millis(2))), Err(TimedOut));
    /// # Ok::<(), rawipc::error::Overflow>(())
    /// ```
    #[inline]
    pub fn join_until(&self, by: Deadline) -> Result<(), TimedOut> {
        // Acquire pairs with the Release in task_done.
        let word = self.0.load(Acquire);
        if count(word) == 0 { Ok(()) } else { self.join_slow(turn(word), by) }
    }

    /// Waits for the end of the turn in which one was unfinished.
    #[cold]
    fn join_slow(&self, mine: u32, by: Deadline) -> Result<(), TimedOut> {
        // Acquire pairs with the Release in task_done: by way of what was added after it, too.
        let was_done = |word| turn(word) != mine;
        let attempt = || was_done(self.0.load(Acquire)).then_some(());
        if SPINNER.spin(by, attempt).is_some() {
            return Ok(());
        }
        loop {
            let flag = |word| (!was_done(word)).then_some(word | u64::from(HAS_SLEEPERS));
            let Ok(_) = self.0.fetch_update(Relaxed, Acquire, flag) else {
                return Ok(());
            };
            let sleep = self.0.wait(mine | HAS_SLEEPERS, by);
            if was_done(self.0.load(Acquire)) {
                return Ok(());
            }
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
        }
    }
}

// SAFETY: transparent, a futex that is shared between processes; zero is "none unfinished".
unsafe impl ShmSafe for Tasks {}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("unfinished", &self.unfinished()).finish_non_exhaustive()
    }
}

real_only! {
    static_assertions::assert_eq_size!(Tasks, u64);
    static_assertions::assert_eq_align!(Tasks, core::sync::atomic::AtomicU64);
    static_assertions::assert_impl_all!(Tasks: ShmSafe, Send, Sync);
}
