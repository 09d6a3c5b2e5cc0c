//! Locks that are free, which no system call is made for.

use rawipc::sync::{Mutex, RwLock, Semaphore};

use super::{Call, Wrapper};
use crate::by_hand::{self, Kind};
use crate::shared::share;

pub(super) const WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "Mutex::lock and unlock", calls: mutex },
    Wrapper { name: "RwLock::read and unlock", calls: read },
    Wrapper { name: "RwLock::write and unlock", calls: write },
    Wrapper { name: "Semaphore::post and wait", calls: semaphore },
];

fn mutex() -> [Call; 2] {
    let libc = by_hand::Mutex::shared(Kind::Plain).unwrap();
    let ours = share(Mutex::new(0_u64));
    [
        Call::new(|| {
            libc.lock().unwrap();
            libc.unlock().unwrap();
        }),
        Call::new(|| drop(ours.lock())),
    ]
}

fn read() -> [Call; 2] {
    let libc = by_hand::RwLock::shared().unwrap();
    let ours = share(RwLock::new(0_u64));
    [
        Call::new(|| {
            libc.read().unwrap();
            libc.unlock().unwrap();
        }),
        Call::new(|| drop(ours.read())),
    ]
}

fn write() -> [Call; 2] {
    let libc = by_hand::RwLock::shared().unwrap();
    let ours = share(RwLock::new(0_u64));
    [
        Call::new(|| {
            libc.write().unwrap();
            libc.unlock().unwrap();
        }),
        Call::new(|| drop(ours.write())),
    ]
}

fn semaphore() -> [Call; 2] {
    let libc = by_hand::Semaphore::shared(0).unwrap();
    let ours = share(Semaphore::new(0));
    [
        Call::new(|| {
            libc.post().unwrap();
            libc.wait().unwrap();
        }),
        Call::new(|| {
            ours.post().unwrap();
            ours.wait();
        }),
    ]
}
