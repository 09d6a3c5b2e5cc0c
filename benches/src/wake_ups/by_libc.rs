//! By hand on `libc`.

use core::sync::atomic::Ordering::Relaxed;

use super::Ends;
use crate::by_hand::{self, Condvar, Flag, Kind, Mutex, Semaphore};
use crate::shared::share;

pub(super) fn futex() -> Ends {
    let flag = share(Flag::default());
    Ends::of(|| flag.set().unwrap(), || flag.wait_asleep().unwrap())
}

pub(super) fn semaphore() -> Ends {
    let semaphore = Semaphore::shared(0).unwrap();
    Ends::of(|| semaphore.post().unwrap(), || semaphore.wait().unwrap())
}

/// Holds one, and unlocks it when dropped.
struct Held(&'static Mutex);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.unlock().unwrap();
    }
}

pub(super) fn mutex() -> Ends {
    let locks = [Mutex::shared(Kind::Plain).unwrap(), Mutex::shared(Kind::Plain).unwrap()];
    Ends::of_locks(locks, |mutex| {
        mutex.lock().unwrap();
        Held(mutex)
    })
}

pub(super) fn condvar() -> Ends {
    let mutex = Mutex::shared(Kind::Plain).unwrap();
    let changed = Condvar::shared().unwrap();
    let is_morning = &mutex.value;
    let change = || {
        mutex.lock().unwrap();
        is_morning.store(1, Relaxed);
        mutex.unlock().unwrap();
    };
    Ends::changing(
        change,
        || changed.signal().unwrap(),
        |is_awake| {
            mutex.lock().unwrap();
            while is_morning.load(Relaxed) == 0 {
                changed.wait(mutex).unwrap();
            }
            is_awake();
            is_morning.store(0, Relaxed);
            mutex.unlock().unwrap();
        },
    )
}

pub(super) fn eventfd() -> Ends {
    let counter: &_ = Box::leak(Box::new(by_hand::eventfd().unwrap()));
    Ends::of(
        || assert_eq!(by_hand::write(counter, &1_u64.to_ne_bytes()).unwrap(), 8),
        || assert_eq!(by_hand::read(counter, &mut [0; 8]).unwrap(), 8),
    )
}
