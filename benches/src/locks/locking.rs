//! To lock and unlock.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Release};

use rawipc::sync::{Mutex, ReentrantMutex, RwLock};
use rustix_futex_sync::shm as futex_sync;

use crate::by_hand::{self, Kind};
use crate::harness::{Contender, Group};
use crate::shared::share;

pub(super) const GROUPS: &[Group] = &[
    Group { name: "mutex: lock and unlock", contenders: mutex },
    Group { name: "reader-writer lock: lock for reading and unlock", contenders: read },
    Group { name: "reader-writer lock: lock for writing and unlock", contenders: write },
    Group { name: "reentrant mutex: lock and unlock", contenders: reentrant },
];

fn mutex() -> Vec<Contender> {
    let ours = share(Mutex::new(0_u64));
    let std = share(std::sync::Mutex::new(0_u64));
    let parking_lot = share(parking_lot::Mutex::new(0_u64));
    let futex_sync = share(futex_sync::Mutex::new(0_u64));
    vec![
        Contender::new("rawipc", || drop(ours.lock())),
        Contender::new("std", || drop(std.lock().unwrap())),
        Contender::new("parking_lot", || drop(parking_lot.lock())),
        Contender::new("rustix-futex-sync", || drop(futex_sync.lock())),
        by_libc("libc, between processes", Kind::Plain),
        by_libc("libc, between processes, robust", Kind::Robust),
        two_locked_instructions(),
        one_locked_instruction(),
    ]
}

fn by_libc(name: &'static str, kind: Kind) -> Contender {
    let mutex = by_hand::Mutex::shared(kind).unwrap();
    Contender::new(name, || {
        mutex.lock().unwrap();
        mutex.unlock().unwrap();
    })
}

/// The least that a lock takes whose sleepers are remembered in its word.
fn two_locked_instructions() -> Contender {
    let word = share(AtomicU32::new(0));
    Contender::new("floor: swap and swap", || {
        // Not returned: what is written to the stack would have to get there before the next one.
        let _free = word.swap(1, Acquire);
        let _held = word.swap(0, Release);
    })
}

/// The least that a lock takes on which nobody sleeps.
fn one_locked_instruction() -> Contender {
    let word = share(AtomicU32::new(0));
    Contender::new("floor of a spin lock: swap and store", || {
        let _free = word.swap(1, Acquire);
        word.store(0, Release);
    })
}

fn read() -> Vec<Contender> {
    let ours = share(RwLock::new(0_u64));
    let std = share(std::sync::RwLock::new(0_u64));
    let parking_lot = share(parking_lot::RwLock::new(0_u64));
    let futex_sync = share(futex_sync::RwLock::new(0_u64));
    let libc = by_hand::RwLock::shared().unwrap();
    vec![
        Contender::new("rawipc", || drop(ours.read())),
        Contender::new("std", || drop(std.read().unwrap())),
        Contender::new("parking_lot", || drop(parking_lot.read())),
        Contender::new("rustix-futex-sync", || drop(futex_sync.read())),
        Contender::new("libc, between processes", || {
            libc.read().unwrap();
            libc.unlock().unwrap();
        }),
    ]
}

fn write() -> Vec<Contender> {
    let ours = share(RwLock::new(0_u64));
    let std = share(std::sync::RwLock::new(0_u64));
    let parking_lot = share(parking_lot::RwLock::new(0_u64));
    let futex_sync = share(futex_sync::RwLock::new(0_u64));
    let libc = by_hand::RwLock::shared().unwrap();
    vec![
        Contender::new("rawipc", || drop(ours.write())),
        Contender::new("std", || drop(std.write().unwrap())),
        Contender::new("parking_lot", || drop(parking_lot.write())),
        Contender::new("rustix-futex-sync", || drop(futex_sync.write())),
        Contender::new("libc, between processes", || {
            libc.write().unwrap();
            libc.unlock().unwrap();
        }),
    ]
}

fn reentrant() -> Vec<Contender> {
    let ours = share(ReentrantMutex::new(0_u64));
    let parking_lot = share(parking_lot::ReentrantMutex::new(0_u64));
    vec![
        Contender::new("rawipc", || drop(ours.lock())),
        Contender::new("parking_lot", || drop(parking_lot.lock())),
        by_libc("libc, between processes, recursive", Kind::Recursive),
    ]
}
