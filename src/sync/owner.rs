//! [`Owner`]: the word in which a reentrant mutex is, without what it protects.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{Futex, Sleep, Spinner, const_fn};

/// The word in which the lock is: the number of the thread that holds it. So whatever is found
/// there, it is held by one thread at most.
#[derive(FromBytes)]
#[repr(transparent)]
pub(super) struct Owner(Futex);

/// Free.
pub(super) const NOBODY: u32 = 0;
/// Beside a number: somebody may sleep until it is free. (Numbers of threads have 22 bits.)
const CONTENDED: u32 = 1 << 31;

static SPINNER: Spinner = Spinner::backing_off();

impl Owner {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self(Futex::new(NOBODY))
        }
    }

    /// Whether that thread holds it. Only its own number can a thread rely on: nobody else writes
    /// it, or takes it away.
    #[inline]
    pub(super) fn is(&self, thread: u32) -> bool {
        self.0.load(Relaxed) & !CONTENDED == thread
    }

    #[inline]
    pub(super) fn try_lock(&self, me: u32) -> bool {
        // Acquire pairs with the Release in unlock: what the last holder did is seen.
        self.0.compare_exchange(NOBODY, me, Acquire, Relaxed).is_ok()
    }

    #[cold]
    pub(super) fn lock_slow(&self, me: u32, by: Deadline) -> Result<(), TimedOut> {
        let attempt = || (self.is(NOBODY) && self.try_lock(me)).then_some(());
        if SPINNER.spin(by, attempt).is_some() {
            return Ok(());
        }
        let mut sleep = Sleep::Vain;
        loop {
            // Taken, or left, as contended: others may sleep, and the wake that ended our sleep may
            // have been the only one.
            let contend =
                |word| Some(if word & !CONTENDED == NOBODY { me } else { word } | CONTENDED);
            // Acquire as in try_lock. Never fails.
            let word = self.0.fetch_update(Acquire, Relaxed, contend).unwrap_or_else(|word| word);
            if word & !CONTENDED == NOBODY {
                return Ok(());
            }
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
            sleep = self.0.wait(word | CONTENDED, by);
        }
    }

    #[inline]
    pub(super) fn unlock(&self) {
        // Release pairs with the Acquire of the next to lock: it sees what was done meanwhile.
        if self.0.swap(NOBODY, Release) & CONTENDED != 0 {
            // One is enough: it takes the lock as contended, and so wakes the next.
            self.0.wake(1);
        }
    }
}
