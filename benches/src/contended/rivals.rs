//! The locks.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use rawipc::sync::{Mutex, RwLock, Semaphore};

use super::crowd::Rival;
use crate::by_hand::{self, Kind};
use crate::meeting::Kin;
use crate::shared::share;

pub(super) fn mutexes() -> Vec<Rival> {
    let std = share(std::sync::Mutex::new(0_u64));
    let parking_lot = share(parking_lot::Mutex::new(0_u64));
    vec![
        rawipc(Kin::Processes),
        by_libc("libc", Kind::Plain),
        by_libc("libc, robust", Kind::Robust),
        rawipc(Kin::Threads),
        Rival::new("std", Kin::Threads, || *std.lock().unwrap() += 1),
        Rival::new("parking_lot", Kin::Threads, || *parking_lot.lock() += 1),
    ]
}

fn rawipc(kin: Kin) -> Rival {
    let mutex = share(Mutex::new(0_u64));
    Rival::new("rawipc", kin, || *mutex.lock() += 1)
}

fn by_libc(name: &'static str, kind: Kind) -> Rival {
    let mutex = by_hand::Mutex::shared(kind).unwrap();
    Rival::new(name, Kin::Processes, || {
        mutex.lock().unwrap();
        add_one(&mutex.value);
        mutex.unlock().unwrap();
    })
}

/// Reader-writer locks that all want for writing.
pub(super) fn rwlocks() -> Vec<Rival> {
    let ours = share(RwLock::new(0_u64));
    let libc = by_hand::RwLock::shared().unwrap();
    let parking_lot = share(parking_lot::RwLock::new(0_u64));
    vec![
        Rival::new("rawipc", Kin::Processes, || *ours.write() += 1),
        Rival::new("libc", Kin::Processes, || {
            libc.write().unwrap();
            add_one(&libc.value);
            libc.unlock().unwrap();
        }),
        Rival::new("parking_lot", Kin::Threads, || *parking_lot.write() += 1),
    ]
}

/// Semaphores of value one.
pub(super) fn semaphores() -> Vec<Rival> {
    let (semaphore, value) = share((Semaphore::new(1), AtomicU64::new(0)));
    let sem_t = by_hand::Semaphore::shared(1).unwrap();
    vec![
        Rival::new("rawipc", Kin::Processes, || {
            semaphore.wait();
            add_one(value);
            semaphore.post().unwrap();
        }),
        Rival::new("libc", Kin::Processes, || {
            sem_t.wait().unwrap();
            add_one(&sem_t.value);
            sem_t.post().unwrap();
        }),
    ]
}

/// By who holds the lock: a load and a store.
fn add_one(value: &AtomicU64) {
    value.store(value.load(Relaxed) + 1, Relaxed);
}
