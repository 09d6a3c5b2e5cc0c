//! [`Once`] between processes and threads.

mod support;

use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::panic::catch_unwind;

use rawipc::Deadline;
use rawipc::error::TimedOut;
use rawipc::sync::{Event, Once};
use support::crowd::{all, all_threads, asleep, times_out};
use support::shared::shared;
use support::signals::Interruptions;
use support::{SOON, isolated, join, kill};

/// By each of the forms in turn.
fn call(once: &Once, form: usize, task: impl FnOnce()) {
    match form % 3 {
        0 => once.call_once(task),
        1 => once.call_once_until(task, Deadline::after(SOON)).expect("in time"),
        _ => {
            if !once.try_call_once(task) {
                once.wait();
            }
        }
    }
}

/// Not atomic in effect, so that twice at once shows too.
fn add_one(runs: &AtomicU32) {
    let before = runs.load(Relaxed);
    std::thread::yield_now();
    runs.store(before + 1, Relaxed);
}

#[test]
fn it_is_done_once_and_seen_by_all() {
    isolated(|| {
        const ROUNDS: usize = 200;
        let onces = shared([const { Once::new() }; ROUNDS]);
        let runs = shared([const { AtomicU32::new(0) }; ROUNDS]);
        all(8, |number| {
            for (round, (once, runs)) in onces.iter().zip(runs.iter()).enumerate() {
                call(once, number + round, || add_one(runs));
                assert!(once.is_completed());
                assert_eq!(runs.load(Relaxed), 1);
            }
        });
    });
}

#[test]
fn threads_do_it_once() {
    isolated(|| {
        for _ in 0..30 {
            let (once, runs) = (Once::new(), AtomicU32::new(0));
            all_threads(4, |number| {
                call(&once, number, || add_one(&runs));
                assert_eq!(runs.load(Relaxed), 1);
            });
        }
    });
}

#[test]
fn the_others_wait_until_it_is_done() {
    isolated(|| {
        let (once, go_on) = (shared(Once::new()), shared(Event::new()));
        let first = asleep(|| once.call_once(|| go_on.wait()));
        assert!(!once.try_call_once(|| unreachable!("another is at it")));
        let not_mine = || unreachable!("another has done it");
        {
            let _interruptions = Interruptions::start();
            assert_eq!(times_out(|by| once.call_once_until(not_mine, by)), TimedOut);
            assert_eq!(times_out(|by| once.wait_until(by)), TimedOut);
        }
        let others = [
            asleep(|| once.call_once(not_mine)),
            asleep(|| once.call_once_until(not_mine, Deadline::NEVER).expect("in time")),
            asleep(|| once.wait()),
        ];
        kill(asleep(|| once.call_once(not_mine)));
        go_on.set();
        join(first);
        others.into_iter().for_each(join);
        assert_eq!(once.call_once_until(not_mine, Deadline::now()), Ok(()));
    });
}

#[test]
fn a_panic_leaves_it_to_the_next() {
    isolated(|| {
        let (once, go_on) = (shared(Once::new()), shared(Event::new()));
        let runs = shared(AtomicU32::new(0));
        let first = asleep(|| {
            let panics = || {
                go_on.wait();
                std::panic::resume_unwind(Box::new(()));
            };
            let caught = catch_unwind(AssertUnwindSafe(|| once.call_once(panics)));
            caught.expect_err("a panic");
        });
        let next = [(); 3].map(|()| asleep(|| once.call_once(|| add_one(&runs))));
        let waiter = asleep(|| once.wait());
        go_on.set();
        join(first);
        next.into_iter().for_each(join);
        join(waiter);
        assert_eq!(runs.load(Relaxed), 1);
    });
}

#[test]
fn one_that_is_killed_at_it_leaves_it_undone() {
    isolated(|| {
        let (once, never) = (shared(Once::new()), shared(Event::new()));
        kill(asleep(|| once.call_once(|| never.wait())));
        assert!(!once.is_completed());
        assert_eq!(times_out(|by| once.call_once_until(|| {}, by)), TimedOut);
    });
}
