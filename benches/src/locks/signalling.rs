//! To say that something has happened, and to hear of it.

use rawipc::sync::{AutoResetEvent, Condvar, Event, Once, Semaphore};
use rustix_futex_sync::shm as futex_sync;

use crate::by_hand;
use crate::harness::{Contender, Group};
use crate::shared::share;

pub(super) const GROUPS: &[Group] = &[
    Group { name: "semaphore of value 0: post and wait", contenders: || semaphore(0) },
    Group { name: "semaphore of value 5: post and wait", contenders: || semaphore(5) },
    Group { name: "event that resets itself: set and wait", contenders: auto_reset_event },
    Group { name: "event that is set: wait", contenders: event },
    Group { name: "condition variable: notify nobody", contenders: condvar },
    Group { name: "once that is done: call", contenders: once },
];

fn semaphore(value: u32) -> Vec<Contender> {
    let ours = share(Semaphore::new(value));
    let libc = by_hand::Semaphore::shared(value).unwrap();
    vec![
        Contender::new("rawipc", || {
            ours.post().unwrap();
            ours.wait();
        }),
        Contender::new("libc, between processes", || {
            libc.post().unwrap();
            libc.wait().unwrap();
        }),
    ]
}

fn auto_reset_event() -> Vec<Contender> {
    let ours = share(AutoResetEvent::new());
    let libc = share(by_hand::Flag::default());
    vec![
        Contender::new("rawipc", || {
            ours.set();
            ours.wait();
        }),
        Contender::new("libc, a flag on a futex", || {
            libc.set().unwrap();
            libc.wait_asleep().unwrap();
        }),
    ]
}

fn event() -> Vec<Contender> {
    let ours = share(Event::new());
    ours.set();
    let std = share(std::sync::OnceLock::new());
    std.set(()).unwrap();
    vec![
        Contender::new("rawipc", || ours.wait()),
        Contender::new("rawipc, is_set", || ours.is_set()),
        Contender::new("std, wait of OnceLock", || *std.wait()),
    ]
}

fn condvar() -> Vec<Contender> {
    let ours = share(Condvar::new());
    let std = share(std::sync::Condvar::new());
    let parking_lot = share(parking_lot::Condvar::new());
    let futex_sync = share(futex_sync::Condvar::new());
    let libc = by_hand::Condvar::shared().unwrap();
    vec![
        Contender::new("rawipc", || ours.notify_one()),
        Contender::new("std", || std.notify_one()),
        Contender::new("parking_lot", || parking_lot.notify_one()),
        Contender::new("rustix-futex-sync", || futex_sync.notify_one()),
        Contender::new("libc, between processes", || libc.signal().unwrap()),
    ]
}

fn once() -> Vec<Contender> {
    let ours = share(Once::new());
    let std = share(std::sync::Once::new());
    let parking_lot = share(parking_lot::Once::new());
    let futex_sync = share(futex_sync::Once::new());
    ours.call_once(|| {});
    std.call_once(|| {});
    parking_lot.call_once(|| {});
    futex_sync.call_once(|| {});
    vec![
        Contender::new("rawipc", || ours.call_once(|| {})),
        Contender::new("std", || std.call_once(|| {})),
        Contender::new("parking_lot", || parking_lot.call_once(|| {})),
        Contender::new("rustix-futex-sync", || futex_sync.call_once(|| {})),
    ]
}
