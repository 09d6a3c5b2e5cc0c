//! [`RwLock`] between processes and threads.

mod support;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rawipc::Deadline;
use rawipc::error::TimedOut;
use rawipc::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use support::crowd::{SIZES, all, all_threads, asleep, swallower, times_out};
use support::shared::{shared, words};
use support::{SOON, eventually, isolated, join, kill};

type Words = [u64; 8];

/// By each of the forms in turn.
fn read(lock: &RwLock<Words>, round: u64) -> RwLockReadGuard<'_, Words> {
    match round % 3 {
        0 => lock.read(),
        1 => lock.read_until(Deadline::after(SOON)).expect("in time"),
        _ => lock.try_read().unwrap_or_else(|| lock.read()),
    }
}

fn write(lock: &RwLock<Words>, round: u64) -> RwLockWriteGuard<'_, Words> {
    match round % 3 {
        0 => lock.write(),
        1 => lock.write_until(Deadline::after(SOON)).expect("in time"),
        _ => lock.try_write().unwrap_or_else(|| lock.write()),
    }
}

/// Reads, or now and then counts in all words, one after the other.
fn use_it(lock: &RwLock<Words>, rounds: u64, write_every: u64) {
    for round in 0..rounds {
        if round % write_every == 0 {
            let mut words = write(lock, round / write_every);
            let first = words[0];
            for word in &mut *words {
                assert_eq!(*word, first, "another writes");
                *word += 1;
            }
            if round % 2 == 0 {
                let words = RwLockWriteGuard::downgrade(words);
                assert_eq!(*words, [first + 1; 8], "another wrote since");
            }
        } else {
            let words = read(lock, round);
            assert_eq!(*words, [words[7]; 8], "torn");
        }
    }
}

#[test]
fn no_reader_sees_half_of_what_a_writer_does() {
    isolated(|| {
        for size in SIZES {
            for write_every in [1, 2, 10] {
                let rounds = 30_000 / size as u64 / write_every * write_every;
                let lock = shared(RwLock::new([0; 8]));
                all(size, |_| use_it(&lock, rounds, write_every));
                assert_eq!(*lock.read(), [rounds / write_every * size as u64; 8]);
                assert!(!lock.is_write_locked());
            }
        }
    });
}

#[test]
fn no_thread_sees_half_of_what_a_writer_does() {
    isolated(|| {
        let lock = RwLock::new([0; 8]);
        all_threads(6, |_| use_it(&lock, 8000, 4));
        assert_eq!(lock.into_inner(), [12_000; 8]);
    });
}

#[test]
fn all_sleepers_get_in_where_holders_keep_it_for_long() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        all(8, |number| {
            for _ in 0..40 {
                if number % 2 == 0 {
                    let mut value = lock.write();
                    std::thread::yield_now();
                    *value += 1;
                } else {
                    let value = lock.read();
                    let before = *value;
                    std::thread::yield_now();
                    assert_eq!(*value, before);
                }
            }
        });
        assert_eq!(*lock.read(), 160);
    });
}

#[test]
fn readers_share_it_and_writers_do_not() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let reader = lock.read();
        all(3, |_| {
            assert!(lock.try_read().is_some());
            assert!(lock.try_write().is_none() && !lock.is_write_locked());
        });
        drop(reader);
        let writer = lock.write();
        all(3, |_| {
            assert!(lock.try_read().is_none());
            assert!(lock.try_write().is_none() && lock.is_write_locked());
        });
        drop(writer);
        all(1, |_| assert!(lock.try_write().is_some()));
    });
}

#[test]
fn a_writer_that_waits_goes_before_readers_that_come_later() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let first = lock.read();
        let writer = asleep(|| *lock.write() += 1);
        assert!(lock.try_read().is_none());
        let reader = asleep(|| assert_eq!(*lock.read(), 1));
        drop(first);
        join(writer);
        join(reader);
    });
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_in() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let _first = lock.read();
        assert_eq!(times_out(|by| lock.write_until(by).map(drop)), TimedOut);
        all(1, |_| assert!(lock.try_read().is_some()));
    });
}

#[test]
fn who_goes_on_as_a_reader_lets_other_readers_in() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let mut writer = lock.write();
        let sleepers: Vec<_> = (0..3).map(|_| asleep(|| assert_eq!(*lock.read(), 1))).collect();
        *writer = 1;
        let _reader = RwLockWriteGuard::downgrade(writer);
        sleepers.into_iter().for_each(join);
        assert!(lock.try_write().is_none());
    });
}

#[test]
fn a_writer_that_is_killed_while_it_waits_keeps_readers_out_for_a_while_only() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let _first = lock.read();
        kill(asleep(|| drop(lock.write())));
        // Slept through a slice, in doubt.
        all(2, |_| drop(lock.read()));
        // And that for once only, although the first reader has not gone.
        all(1, |_| drop(lock.try_read().expect("open to readers")));
    });
}

#[test]
fn a_writer_that_waits_for_long_goes_on_waiting_when_readers_doubt_it() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let first = lock.read();
        let writer = asleep(|| *lock.write() += 1);
        // Slept through a slice, in doubt; the writer says that it lives.
        all(1, |_| drop(lock.read()));
        eventually("the writer keeps readers out again", || lock.try_read().is_none());
        drop(first);
        join(writer);
        assert_eq!(*lock.read(), 1);
    });
}

#[test]
fn a_killed_writer_is_forgotten_once_all_readers_have_gone() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let first = lock.read();
        kill(asleep(|| drop(lock.write())));
        drop(first);
        all(1, |_| {
            drop(lock.try_read().expect("free for readers"));
            drop(lock.try_write().expect("free for writers"));
        });
    });
}

#[test]
fn readers_get_in_although_a_writer_died_with_their_wake() {
    isolated(|| {
        let lock = shared(RwLock::new(0_u32));
        let held = lock.write();
        let writer = swallower(&words(&lock)[1], 0);
        kill(asleep(|| drop(lock.write())));
        let readers = [asleep(|| drop(lock.read())), asleep(|| drop(lock.read()))];
        drop(held);
        join(writer);
        readers.into_iter().for_each(join);
    });
}

#[test]
fn all_sleepers_get_on_when_one_of_them_is_killed() {
    isolated(|| {
        let (lock, done) = (shared(RwLock::new(0_u32)), shared(AtomicU32::new(0)));
        let held = lock.write();
        let killed = [asleep(|| drop(lock.read())), asleep(|| drop(lock.write()))];
        let write = || {
            *lock.write() += 1;
            done.fetch_add(1, Relaxed);
        };
        let read = || {
            drop(lock.read());
            done.fetch_add(1, Relaxed);
        };
        let others = [asleep(write), asleep(read), asleep(write), asleep(read)];
        killed.into_iter().for_each(kill);
        drop(held);
        others.into_iter().for_each(join);
        assert_eq!((*lock.read(), done.load(Relaxed)), (2, 4));
    });
}
