//! [`Condvar`] between processes and threads.

mod support;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use rawipc::Deadline;
use rawipc::error::TimedOut;
use rawipc::sync::{Condvar, Mutex};
use support::crowd::{SIZES, all, all_threads, asleep, times_out};
use support::shared::shared;
use support::{SOON, child, eventually, isolated, join, kill};
use zerocopy::FromBytes;

/// A buffer for a few numbers, under a mutex.
#[derive(Default, FromBytes)]
#[repr(C)]
struct Few {
    numbers: [u64; 3],
    /// How many have been put in, and taken out.
    put: u64,
    taken: u64,
}

impl Few {
    fn is_full(&mut self) -> bool {
        self.put - self.taken == 3
    }

    fn is_empty(&mut self) -> bool {
        self.put == self.taken
    }
}

struct Buffer<'a> {
    few: &'a Mutex<Few>,
    not_full: &'a Condvar,
    not_empty: &'a Condvar,
}

impl Buffer<'_> {
    fn put(&self, number: u64) {
        let mut few = self.few.lock();
        self.not_full.wait_while(&mut few, Few::is_full);
        let at = few.put % 3;
        few.numbers[at as usize] = number;
        few.put += 1;
        // Under the mutex or not is the same.
        if number % 2 == 0 {
            drop(few);
        }
        self.not_empty.notify_one();
    }

    fn take(&self) -> u64 {
        let mut few = self.few.lock();
        let by = Deadline::after(SOON);
        self.not_empty.wait_while_until(&mut few, Few::is_empty, by).expect("in time");
        let at = few.taken % 3;
        let number = few.numbers[at as usize];
        few.taken += 1;
        drop(few);
        self.not_full.notify_one();
        number
    }

    /// Half of them put numbers in, half take them out.
    fn work(&self, worker: usize, rounds: u64, sum: &AtomicU64) {
        for number in 1..=rounds {
            if worker % 2 == 0 {
                self.put(number);
            } else {
                sum.fetch_add(self.take(), Relaxed);
            }
        }
    }
}

#[test]
fn whatever_is_put_into_a_bounded_buffer_is_taken_out_once() {
    isolated(|| {
        for size in SIZES {
            let size = size / 2 * 2;
            let rounds = 10_000 / size as u64;
            let few = shared(Mutex::new(Few::default()));
            let [not_full, not_empty] = [(); 2].map(|()| shared(Condvar::new()));
            let sum = shared(AtomicU64::new(0));
            let buffer = Buffer { few: &few, not_full: &not_full, not_empty: &not_empty };
            all(size, |worker| buffer.work(worker, rounds, &sum));
            assert_eq!(sum.load(Relaxed), size as u64 / 2 * rounds * (rounds + 1) / 2);
            assert!(few.lock().is_empty());
        }
    });
}

#[test]
fn threads_share_a_bounded_buffer() {
    isolated(|| {
        let few = Mutex::new(Few::default());
        let (not_full, not_empty, sum) = (Condvar::new(), Condvar::new(), AtomicU64::new(0));
        let buffer = Buffer { few: &few, not_full: &not_full, not_empty: &not_empty };
        all_threads(4, |worker| buffer.work(worker, 500, &sum));
        assert_eq!(sum.into_inner(), 2 * 500 * 501 / 2);
    });
}

#[test]
fn all_who_wait_are_notified() {
    isolated(|| {
        let (turn, changed) = (shared(Mutex::new(0_u32)), shared(Condvar::new()));
        all(6, |number| {
            // Each waits for its turn, which the one before it begins.
            let number = u32::try_from(number).unwrap();
            for round in 0..100 {
                let mut turn = turn.lock();
                changed.wait_while(&mut turn, |turn| *turn != round * 6 + number);
                *turn += 1;
                changed.notify_all();
            }
        });
        assert_eq!(*turn.lock(), 600);
    });
}

#[test]
fn one_notification_ends_the_wait_of_one_sleeper() {
    isolated(|| {
        let (mutex, condvar) = (shared(Mutex::new(0_u32)), shared(Condvar::new()));
        let sleepers = [(); 3].map(|()| {
            asleep(|| {
                let mut notified = mutex.lock();
                condvar.wait(&mut notified);
                *notified += 1;
            })
        });
        condvar.notify_one();
        eventually("one gets on", || *mutex.lock() > 0);
        condvar.notify_all();
        sleepers.into_iter().for_each(join);
        assert_eq!(*mutex.lock(), 3);
    });
}

#[test]
fn the_mutex_is_free_while_one_waits_and_held_afterwards() {
    isolated(|| {
        let (mutex, condvar) = (shared(Mutex::new(0_u32)), shared(Condvar::new()));
        let mut guard = mutex.lock();
        let other = child(|| *mutex.lock() = 1);
        // Gives it up each time, until the other has had it.
        while *guard == 0 {
            let error = times_out(|by| condvar.wait_until(&mut guard, by));
            assert_eq!(error, TimedOut);
            all(1, |_| assert!(mutex.try_lock().is_none()));
        }
        drop(guard);
        join(other);
    });
}

#[test]
fn a_wait_that_times_out_waits_for_the_mutex_nevertheless() {
    isolated(|| {
        let (mutex, condvar) = (shared(Mutex::new(0_u32)), shared(Condvar::new()));
        let returned = shared(AtomicU32::new(0));
        let mut held_in_time = false;
        for attempt in 0..8 {
            let by = Deadline::after(Duration::from_millis(20 << attempt));
            let waiter = child(|| {
                let mut guard = mutex.lock();
                *guard = 1;
                assert_eq!(condvar.wait_until(&mut guard, by), Err(TimedOut));
                returned.store(1, Relaxed);
            });
            eventually("it waits", || *mutex.lock() == 1);
            let mut guard = mutex.lock();
            held_in_time = !by.has_passed();
            if held_in_time {
                eventually("the deadline passes", || by.has_passed());
                assert_eq!(times_out(|by| mutex.lock_until(by).map(drop)), TimedOut);
                assert_eq!(returned.load(Relaxed), 0, "another holds the mutex");
            }
            *guard = 0;
            drop(guard);
            join(waiter);
            assert_eq!(returned.swap(0, Relaxed), 1);
            if held_in_time {
                break;
            }
        }
        assert!(held_in_time, "too slow a machine");
    });
}

#[test]
fn a_notification_nobody_waits_for_is_gone() {
    isolated(|| {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        condvar.notify_one();
        condvar.notify_all();
        assert_eq!(times_out(|by| condvar.wait_until(&mut mutex.lock(), by)), TimedOut);
    });
}

#[test]
fn others_are_notified_after_some_were_killed_while_they_waited() {
    isolated(|| {
        let (mutex, condvar) = (shared(Mutex::new(0_u32)), shared(Condvar::new()));
        let ended = shared(AtomicU32::new(0));
        let wait = || {
            condvar.wait_while(&mut mutex.lock(), |value| *value == 0);
            ended.fetch_add(1, Relaxed);
        };
        let [first, second, third, fourth] = [(); 4].map(|()| asleep(wait));
        kill(first);
        kill(third);
        *mutex.lock() = 1;
        condvar.notify_one();
        condvar.notify_one();
        join(second);
        join(fourth);
        assert_eq!(ended.load(Relaxed), 2);
    });
}
