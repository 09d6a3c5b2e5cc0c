//! As `rustix-futex-sync` has it, in shared memory.

use rustix_futex_sync::shm::{Condvar, Mutex, MutexGuard};

use super::Ends;
use crate::shared::share;

pub(super) fn mutex() -> Ends {
    let locks = [share(Mutex::new(())), share(Mutex::new(()))];
    let lock: fn(&'static Mutex<()>) -> MutexGuard<'static, ()> = Mutex::lock;
    Ends::of_locks(locks, lock)
}

pub(super) fn condvar() -> Ends {
    let is_morning = share(Mutex::new(false));
    let changed = share(Condvar::new());
    Ends::changing(
        || *is_morning.lock() = true,
        || changed.notify_one(),
        |is_awake| {
            let mut morning = changed.wait_while(is_morning.lock(), |morning| !*morning);
            is_awake();
            *morning = false;
        },
    )
}
