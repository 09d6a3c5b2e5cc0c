//! [`RawMutex`]: the word in which a mutex is, without what it protects.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{Futex, Sleep, Spinner, const_fn};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may sleep until it is not: the next to unlock has to wake.
const CONTENDED: u32 = 2;

static SPINNER: Spinner = Spinner::backing_off();

#[derive(FromBytes)]
#[repr(transparent)]
pub(super) struct RawMutex(Futex);

impl RawMutex {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self(Futex::new(FREE))
        }
    }

    #[inline]
    pub(super) fn lock(&self) {
        if !self.try_lock() {
            let _never = self.lock_slow(Deadline::NEVER);
        }
    }

    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        // Acquire pairs with the Release in unlock: what the last holder did is seen.
        self.0.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok()
    }

    #[inline]
    pub(super) fn lock_until(&self, by: Deadline) -> Result<(), TimedOut> {
        if self.try_lock() { Ok(()) } else { self.lock_slow(by) }
    }

    #[cold]
    fn lock_slow(&self, by: Deadline) -> Result<(), TimedOut> {
        let attempt = || (self.0.load(Relaxed) == FREE && self.try_lock()).then_some(());
        if SPINNER.spin(by, attempt).is_some() {
            return Ok(());
        }
        let mut sleep = Sleep::Vain;
        loop {
            // Taken, or left, as contended: others may sleep, and the wake that ended our sleep may
            // have been the only one. Acquire as in try_lock.
            if self.0.swap(CONTENDED, Acquire) == FREE {
                return Ok(());
            }
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
            sleep = self.0.wait(CONTENDED, by);
        }
    }

    /// By whoever holds it.
    #[inline]
    pub(super) fn unlock(&self) {
        // Release pairs with the Acquire of the next to lock: it sees what was done meanwhile.
        if self.0.swap(FREE, Release) == CONTENDED {
            self.wake_one();
        }
    }

    /// One is enough: it takes the lock as contended, and so wakes the next.
    #[cold]
    fn wake_one(&self) {
        self.0.wake(1);
    }

    pub(super) fn is_locked(&self) -> bool {
        self.0.load(Relaxed) != FREE
    }
}
