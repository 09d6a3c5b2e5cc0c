//! [`Bell`]: what those sleep by who wait until a queue is not empty any more, or not full.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::prim::{AtomicU32, Futex, Sleep, const_fn, fence, heavy_fence, light_fence};

/// An event count: whoever changes something rings, and whoever waits for a change sleeps until it
/// rings, in such a way that no change falls between a look and the sleep.
///
/// To ring costs a load as long as nobody sleeps.
#[derive(FromBytes)]
#[repr(C)]
pub(super) struct Bell {
    /// Counts how often it rang for somebody.
    rings: Futex,
    /// Whether anybody may sleep. That is taken back when it rings, and nobody is there: so who
    /// was killed asleep makes it ring once in vain, and then is forgotten.
    sleepers: AtomicU32,
}

/// Bits of what says who sleeps; those above count who ever went to.
const ANY: u32 = 1;
/// And whoever rings has been made to see that.
const SEEN: u32 = 2;
const ONE: u32 = 4;

/// What came of an attempt.
pub(super) enum Attempt<T> {
    /// It succeeded, or never will.
    Done(T),
    /// Somebody else has to change something first, and then rings.
    InVain,
    /// Somebody else was faster: nobody has to do anything first, and nobody rings.
    TooLate,
}

impl<T> Attempt<T> {
    pub(super) fn done(self) -> Option<T> {
        match self {
            Self::Done(result) => Some(result),
            Self::InVain | Self::TooLate => None,
        }
    }
}

impl Bell {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self { rings: Futex::new(0), sleepers: AtomicU32::new(0) }
        }
    }

    /// Wakes up to so many of those who sleep, after a change that they wait for.
    #[inline]
    pub(super) fn ring(&self, most: u32) {
        // With the heavy fence of who goes to sleep: either we see that, or it sees the change.
        light_fence();
        if self.has_sleepers() {
            self.wake(most);
        }
    }

    /// Whether somebody may sleep; behind a [`light_fence`].
    #[inline]
    pub(super) fn has_sleepers(&self) -> bool {
        self.sleepers.load(Relaxed) & ANY != 0
    }

    #[cold]
    pub(super) fn wake(&self, most: u32) {
        let sleepers = self.sleepers.load(Relaxed);
        // Release pairs with the Acquire in wait: whoever sees this ring sees what it rang for.
        self.rings.fetch_add(1, Release);
        let woken = self.rings.wake(most);
        if woken < most as usize {
            // All of those are awake: each has either been woken, or finds that it has rung since
            // it looked, and does not sleep. Unless others have come since.
            let none = sleepers & !(ANY | SEEN);
            let _others = self.sleepers.compare_exchange(sleepers, none, Relaxed, Relaxed);
        }
    }

    /// Makes `attempt` now and whenever it rings, until it is done or the time is up.
    #[cold]
    pub(super) fn wait<T>(
        &self,
        by: Deadline,
        mut attempt: impl FnMut() -> Attempt<T>,
    ) -> Option<T> {
        loop {
            // Before we are said to sleep: who takes that back rings after this.
            let seen = self.rings.load(Acquire);
            self.announce_sleeper();
            let sleep = match attempt() {
                Attempt::Done(result) => return Some(result),
                Attempt::InVain => self.rings.wait(seen, by),
                Attempt::TooLate if by.has_passed() => Sleep::TimedOut,
                Attempt::TooLate => Sleep::Vain,
            };
            match (attempt(), sleep) {
                (Attempt::Done(result), _) => return Some(result),
                (Attempt::InVain, Sleep::TimedOut) => return None,
                (Attempt::TooLate, Sleep::TimedOut) => {
                    // There may be something for others, and the wake for it may have been ours.
                    self.wake(1);
                    return None;
                }
                _ => {}
            }
        }
    }

    /// For whoever has slept, and got what it slept for: wakes the next, if there is more.
    ///
    /// Those who push, or pop, may be done in another order than the places have that they took.
    /// Who is woken for a later one finds that an earlier one is not there yet, and sleeps
    /// again; and when that comes, one is woken, and not two.
    pub(super) fn pass_on(&self, is_there_more: impl Fn() -> bool) {
        // What was seen by whoever was woken in vain is seen here: it had a fence, too, before it
        // looked, and whoever woke us had one after that.
        fence(SeqCst);
        if is_there_more() {
            self.ring(1);
        }
    }

    /// Says that somebody may sleep. After this, either the change is seen, or who made it rings.
    fn announce_sleeper(&self) {
        let more = |word: u32| Some(word.wrapping_add(ONE) | ANY);
        let before = self.sleepers.fetch_update(Relaxed, Relaxed, more).unwrap_or_else(|word| word);
        if before & SEEN != 0 {
            // There have been sleepers ever since the heavy fence after which that was set: whoever
            // rings and misses them has made its change before that fence.
            fence(SeqCst);
            return;
        }
        // With the light fence in ring.
        heavy_fence();
        // Unless it has been taken back meanwhile, or others have come, whose turn it is then.
        let mine = before.wrapping_add(ONE) | ANY;
        let _others = self.sleepers.compare_exchange(mine, mine | SEEN, Relaxed, Relaxed);
    }
}
