use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use loom::model;
use loom::sync::Arc;
use rawipc::sync::Once;

use crate::{Tally, beside, join, model_interrupted, soon};

type Shared = (Once, Tally);

fn untouched() -> Arc<Shared> {
    Arc::new((Once::new(), Tally::default()))
}

fn call((once, done): &Shared) {
    once.call_once(|| done.add_one());
    assert_eq!(done.get(), 1);
}

/// It is done once, and seen by all who have come.
#[test]
fn is_done_once() {
    model(|| {
        let shared = untouched();
        let other = beside(&shared, call);
        call(&shared);
        other.join().unwrap();
    });
}

/// The same with two that may sleep.
#[test]
fn is_done_once_for_three() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let shared = untouched();
        let others = [beside(&shared, call), beside(&shared, call)];
        call(&shared);
        join(others);
    });
}

/// The same where nobody ever waits.
#[test]
fn is_done_once_by_those_who_try() {
    fn attempt((once, done): &Shared) -> bool {
        let is_done = once.try_call_once(|| done.add_one());
        assert!(!is_done || done.get() == 1);
        is_done
    }
    model(|| {
        let shared = untouched();
        let other = beside(&shared, attempt);
        let mine = attempt(&shared);
        assert!(other.join().unwrap() || mine);
        assert!(shared.0.is_completed());
    });
}

/// Who only waits sees what was done, and is not forgotten.
#[test]
fn who_waits_sees_what_was_done() {
    model(|| {
        let shared = untouched();
        let waiter = beside(&shared, |(once, done)| {
            once.wait();
            assert_eq!(done.get(), 1);
        });
        call(&shared);
        waiter.join().unwrap();
    });
}

/// Fails at it, silently, as no panic hook runs; says whether it has come to that.
fn fail((once, done): &Shared) -> bool {
    let task = || {
        done.add_one();
        resume_unwind(Box::new("on purpose"))
    };
    catch_unwind(AssertUnwindSafe(|| once.call_once(task))).is_err()
}

/// If it panics, the next to come does it, and sees what it has left.
#[test]
fn panic_leaves_it_to_the_next() {
    model(|| {
        let shared = untouched();
        let failing = beside(&shared, fail);
        let (once, done) = &*shared;
        let mut ran = false;
        once.call_once(|| {
            ran = true;
            done.add_one();
        });
        let failed = failing.join().unwrap();
        assert!(ran && once.is_completed());
        assert_eq!(done.get(), 1 + usize::from(failed));
    });
}

/// So it does where nobody ever waits: each trace is on top of the other's.
#[test]
fn panic_leaves_traces_that_the_next_sees() {
    model(|| {
        let shared = untouched();
        let failing = beside(&shared, |(once, done)| {
            let task = || {
                done.add_one();
                resume_unwind(Box::new("on purpose"))
            };
            catch_unwind(AssertUnwindSafe(|| once.try_call_once(task))).is_err()
        });
        let (once, done) = &*shared;
        let mut seen = None;
        let _is_done = once.try_call_once(|| {
            seen = Some(done.get());
            done.add_one();
        });
        let failed = failing.join().unwrap();
        assert_eq!(done.get(), usize::from(failed) + usize::from(seen.is_some()));
    });
}

/// Who waits while it fails waits on, for the next to do it.
#[test]
fn who_waits_is_told_of_the_next() {
    // Nobody is interrupted: loom takes the futex of one that is for broken if another panics.
    model_interrupted(0, || {
        let shared = untouched();
        let waiters = [(); 2].map(|()| beside(&shared, |(once, _)| once.wait()));
        let failing = beside(&shared, fail);
        failing.join().unwrap();
        shared.0.call_once(|| ());
        join(waiters);
    });
}

/// Who gives up takes no wake from another.
#[test]
fn who_gives_up_takes_no_wake() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let shared = untouched();
        let hasty = beside(&shared, |(once, done)| {
            if once.wait_until(soon()).is_ok() {
                assert_eq!(done.get(), 1);
            }
        });
        let patient = beside(&shared, |(once, done)| {
            once.wait();
            assert_eq!(done.get(), 1);
        });
        shared.0.call_once(|| shared.1.add_one());
        hasty.join().unwrap();
        patient.join().unwrap();
    });
}

/// With a deadline, it is done, or another is at it.
#[test]
fn who_gives_up_has_not_done_it() {
    fn attempt((once, done): &Shared) {
        if once.call_once_until(|| done.add_one(), soon()).is_ok() {
            assert_eq!(done.get(), 1);
        }
    }
    model(|| {
        let shared = untouched();
        let other = beside(&shared, attempt);
        attempt(&shared);
        other.join().unwrap();
        assert_eq!(shared.1.get(), 1);
    });
}
