//! [`Semaphore`] and [`BoundedSemaphore`] between processes and threads.

mod support;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use rawipc::Deadline;
use rawipc::error::{Overflow, TimedOut};
use rawipc::sync::{BoundedSemaphore, Semaphore};
use support::crowd::{SIZES, all, all_threads, asleep};
use support::shared::{shared, words};
use support::{SOON, child, isolated, join, kill};

/// By each of the forms in turn.
fn wait(semaphore: &Semaphore, round: u64) {
    match round % 3 {
        0 => semaphore.wait(),
        1 => semaphore.wait_until(Deadline::after(SOON)).expect("in time"),
        _ => {
            if !semaphore.try_wait() {
                semaphore.wait();
            }
        }
    }
}

/// Takes one and gives it back, with others and never more than there are.
fn take_and_give_back(semaphore: &Semaphore, inside: &AtomicU32, most: u32, rounds: u64) {
    for round in 0..rounds {
        wait(semaphore, round);
        assert!(inside.fetch_add(1, Relaxed) < most, "more than there are");
        if round % 64 == 0 {
            std::thread::yield_now();
        }
        inside.fetch_sub(1, Relaxed);
        semaphore.post().expect("room for what was taken");
    }
}

#[test]
fn as_many_can_be_taken_as_there_are() {
    isolated(|| {
        for size in SIZES {
            for most in [1, 3] {
                let semaphore = shared(Semaphore::new(most));
                let inside = shared(AtomicU32::new(0));
                let rounds = 20_000 / size as u64;
                all(size, |_| take_and_give_back(&semaphore, &inside, most, rounds));
                assert_eq!(semaphore.value(), most);
            }
        }
    });
}

#[test]
fn threads_take_as_many_as_there_are() {
    isolated(|| {
        let (semaphore, inside) = (Semaphore::new(2), AtomicU32::new(0));
        all_threads(6, |_| take_and_give_back(&semaphore, &inside, 2, 1000));
        assert_eq!(semaphore.value(), 2);
    });
}

#[test]
fn two_hand_over_to_each_other() {
    isolated(|| {
        let [there, back] = [(); 2].map(|()| shared(Semaphore::new(0)));
        // Not atomic in effect: right only as long as they take turns.
        let turns = shared(AtomicU64::new(0));
        let turn = || turns.store(turns.load(Relaxed) + 1, Relaxed);
        let other = child(|| {
            for round in 0..3000 {
                wait(&there, round);
                turn();
                back.post().unwrap();
            }
        });
        for round in 0..3000 {
            turn();
            there.post().unwrap();
            wait(&back, round);
        }
        join(other);
        assert_eq!(turns.load(Relaxed), 6000);
    });
}

#[test]
fn what_is_posted_is_taken_as_often() {
    isolated(|| {
        let semaphore = shared(Semaphore::new(0));
        all(8, |number| {
            for round in 0..1000 {
                if number % 2 == 0 {
                    semaphore.post().unwrap();
                } else {
                    wait(&semaphore, round);
                }
            }
        });
        assert_eq!(semaphore.value(), 0);
    });
}

#[test]
fn those_who_give_up_take_nothing() {
    isolated(|| {
        let (semaphore, taken) = (shared(Semaphore::new(0)), shared(AtomicU32::new(0)));
        let wait = |microseconds| {
            let by = Deadline::after(Duration::from_micros(microseconds));
            let result = semaphore.wait_until(by);
            assert!(result.is_ok() || by.has_passed());
            taken.fetch_add(result.is_ok().into(), Relaxed);
        };
        all(4, |number| {
            for round in 0..500 {
                if number == 0 {
                    semaphore.post().unwrap();
                } else {
                    wait(round % 100);
                }
            }
        });
        assert_eq!(taken.load(Relaxed) + semaphore.value(), 500);
        let waiting = &words(&semaphore)[usize::from(cfg!(target_endian = "little"))];
        assert_eq!(waiting.load(Relaxed), 0, "waits no more");
    });
}

#[test]
fn killed_waiters_take_nothing() {
    isolated(|| {
        let semaphore = shared(Semaphore::new(0));
        let waiters = [(); 4].map(|()| asleep(|| semaphore.wait()));
        let [first, second, third, fourth] = waiters;
        kill(first);
        kill(third);
        for _ in 0..3 {
            semaphore.post().unwrap();
        }
        join(second);
        join(fourth);
        assert_eq!(semaphore.value(), 1);
        assert!(semaphore.try_wait() && !semaphore.try_wait());
        assert_eq!(semaphore.wait_until(Deadline::now()), Err(TimedOut));
    });
}

#[test]
fn never_more_than_the_highest_value() {
    isolated(|| {
        let full = Semaphore::new(u32::MAX);
        assert_eq!((full.value(), full.post()), (Semaphore::MAX, Err(Overflow)));
        assert!(full.try_wait());
        assert_eq!((full.post(), full.post()), (Ok(()), Err(Overflow)));
    });
}

#[test]
fn a_bounded_one_takes_back_no_more_than_it_gave() {
    isolated(|| {
        let seats = shared(BoundedSemaphore::new(3));
        let refused = shared(AtomicU32::new(0));
        let post = |_| {
            refused.fetch_add(seats.post().is_err().into(), Relaxed);
        };
        all(6, |_| {
            for _ in 0..500 {
                seats.wait();
                assert!(seats.value() < seats.bound());
                seats.post().expect("room for what was taken");
            }
        });
        assert_eq!(seats.value(), 3);
        all(4, post);
        assert_eq!((refused.load(Relaxed), seats.value()), (4, 3));
        assert!(seats.try_wait());
        assert_eq!(seats.wait_until(Deadline::now()), Ok(()));
        all(4, post);
        assert_eq!((refused.load(Relaxed), seats.value()), (6, 3));
    });
}
