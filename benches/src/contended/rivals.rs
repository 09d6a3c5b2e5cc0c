//! The locks.

use core::cell::Cell;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use rawipc::sync::{Mutex, ReentrantMutex, RwLock, Semaphore};
use rustix_futex_sync::shm as futex_sync;

use super::test_and_set::TestAndSet;
use crate::by_hand::{self, Kind};
use crate::crowds::Rival;
use crate::meeting::Kin::{self, Processes, Threads};
use crate::shared::share;

/// A lock, fought for by processes or by threads.
struct Lock {
    name: &'static str,
    kin: Kin,
    rival: fn(name: &'static str, kin: Kin) -> Rival,
    /// Whether it is worth the time to have very many fight for it.
    by_many: bool,
}

/// The crate's mutex first, which the others are compared with.
const LOCKS: [Lock; 14] = [
    Lock { name: "rawipc, Mutex", kin: Processes, rival: mutex, by_many: true },
    Lock { name: "rawipc, Mutex", kin: Threads, rival: mutex, by_many: false },
    Lock { name: "rawipc, Semaphore(1)", kin: Processes, rival: semaphore, by_many: true },
    Lock { name: "rawipc, RwLock, write", kin: Processes, rival: rwlock, by_many: false },
    Lock { name: "rawipc, ReentrantMutex", kin: Processes, rival: reentrant, by_many: false },
    Lock { name: "libc, mutex", kin: Processes, rival: by_libc, by_many: true },
    Lock { name: "libc, robust mutex", kin: Processes, rival: by_libc_robust, by_many: true },
    Lock { name: "libc, sem_t", kin: Processes, rival: sem_t, by_many: true },
    Lock { name: "libc, rwlock, write", kin: Processes, rival: by_libc_rwlock, by_many: false },
    Lock { name: "rustix-futex-sync, Mutex", kin: Processes, rival: futex_mutex, by_many: true },
    Lock { name: "std, Mutex", kin: Threads, rival: by_std, by_many: true },
    Lock { name: "parking_lot, Mutex", kin: Threads, rival: parking_lot, by_many: true },
    Lock { name: "parking_lot, RwLock, write", kin: Threads, rival: parked_rwlock, by_many: false },
    Lock { name: "test-and-set, polled", kin: Processes, rival: polled, by_many: false },
];

pub(super) fn all() -> Vec<Rival> {
    LOCKS.iter().map(Lock::rival).collect()
}

/// For a crowd so large that each takes long.
pub(super) fn some() -> Vec<Rival> {
    LOCKS.iter().filter(|lock| lock.by_many).map(Lock::rival).collect()
}

impl Lock {
    fn rival(&self) -> Rival {
        (self.rival)(self.name, self.kin)
    }
}

fn mutex(name: &'static str, kin: Kin) -> Rival {
    let mutex = share(Mutex::new(0_u64));
    Rival::new(name, kin, || *mutex.lock() += 1)
}

fn reentrant(name: &'static str, kin: Kin) -> Rival {
    let mutex = share(ReentrantMutex::new(Cell::new(0_u64)));
    Rival::new(name, kin, || mutex.lock().update(|value| value + 1))
}

/// One that all want for writing.
fn rwlock(name: &'static str, kin: Kin) -> Rival {
    let lock = share(RwLock::new(0_u64));
    Rival::new(name, kin, || *lock.write() += 1)
}

fn semaphore(name: &'static str, kin: Kin) -> Rival {
    let (semaphore, value) = share((Semaphore::new(1), AtomicU64::new(0)));
    Rival::new(name, kin, || {
        semaphore.wait();
        add_one(value);
        semaphore.post().unwrap();
    })
}

fn by_libc(name: &'static str, kin: Kin) -> Rival {
    of_kind(Kind::Plain, name, kin)
}

fn by_libc_robust(name: &'static str, kin: Kin) -> Rival {
    of_kind(Kind::Robust, name, kin)
}

fn of_kind(kind: Kind, name: &'static str, kin: Kin) -> Rival {
    let mutex = by_hand::Mutex::shared(kind).unwrap();
    Rival::new(name, kin, || {
        mutex.lock().unwrap();
        add_one(&mutex.value);
        mutex.unlock().unwrap();
    })
}

fn by_libc_rwlock(name: &'static str, kin: Kin) -> Rival {
    let lock = by_hand::RwLock::shared().unwrap();
    Rival::new(name, kin, || {
        lock.write().unwrap();
        add_one(&lock.value);
        lock.unlock().unwrap();
    })
}

fn sem_t(name: &'static str, kin: Kin) -> Rival {
    let semaphore = by_hand::Semaphore::shared(1).unwrap();
    Rival::new(name, kin, || {
        semaphore.wait().unwrap();
        add_one(&semaphore.value);
        semaphore.post().unwrap();
    })
}

fn futex_mutex(name: &'static str, kin: Kin) -> Rival {
    let mutex = share(futex_sync::Mutex::new(0_u64));
    Rival::new(name, kin, || *mutex.lock() += 1)
}

fn by_std(name: &'static str, kin: Kin) -> Rival {
    let mutex = share(std::sync::Mutex::new(0_u64));
    Rival::new(name, kin, || *mutex.lock().unwrap() += 1)
}

fn parking_lot(name: &'static str, kin: Kin) -> Rival {
    let mutex = share(parking_lot::Mutex::new(0_u64));
    Rival::new(name, kin, || *mutex.lock() += 1)
}

fn parked_rwlock(name: &'static str, kin: Kin) -> Rival {
    let lock = share(parking_lot::RwLock::new(0_u64));
    Rival::new(name, kin, || *lock.write() += 1)
}

fn polled(name: &'static str, kin: Kin) -> Rival {
    let lock = share(TestAndSet::default());
    Rival::new(name, kin, || lock.turn())
}

/// By who holds the lock: a load and a store.
pub(super) fn add_one(value: &AtomicU64) {
    value.store(value.load(Relaxed) + 1, Relaxed);
}
