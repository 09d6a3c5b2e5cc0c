//! [`ReentrantMutex`] between processes and threads.

mod support;

use core::cell::Cell;

use rawipc::Deadline;
use rawipc::sync::{ReentrantMutex, ReentrantMutexGuard};
use support::crowd::{SIZES, all, all_threads, asleep};
use support::shared::shared;
use support::{SOON, isolated, join, kill};

type Words = Cell<[u64; 4]>;

/// By each of the forms in turn.
fn lock(mutex: &ReentrantMutex<Words>, round: u64) -> ReentrantMutexGuard<'_, Words> {
    match round % 3 {
        0 => mutex.lock(),
        1 => mutex.lock_until(Deadline::after(SOON)).expect("in time"),
        _ => mutex.try_lock().unwrap_or_else(|| mutex.lock()),
    }
}

/// Counts one word after the other, each under one more lock.
fn count(mutex: &ReentrantMutex<Words>, at: usize, round: u64) {
    let words = lock(mutex, round);
    assert!(mutex.is_owned());
    let mut now = words.get();
    assert_eq!(now[at] + u64::from(at > 0), now[0], "another is inside");
    now[at] += 1;
    words.set(now);
    if at + 1 < now.len() {
        count(mutex, at + 1, round + 1);
    }
}

#[test]
fn one_process_at_a_time_is_inside_as_deep_as_it_likes() {
    isolated(|| {
        for size in SIZES {
            let rounds = 20_000 / size as u64;
            let mutex = shared(ReentrantMutex::new(Cell::new([0; 4])));
            all(size, |_| (0..rounds).for_each(|round| count(&mutex, 0, round)));
            assert_eq!(mutex.lock().get(), [rounds * size as u64; 4]);
            assert!(!mutex.is_locked());
        }
    });
}

#[test]
fn one_thread_at_a_time_is_inside_as_deep_as_it_likes() {
    isolated(|| {
        let mutex = ReentrantMutex::new(Cell::new([0; 4]));
        all_threads(6, |_| (0..1000).for_each(|round| count(&mutex, 0, round)));
        assert_eq!(mutex.into_inner().get(), [6000; 4]);
    });
}

#[test]
fn it_is_free_when_the_last_guard_goes_in_whatever_order() {
    isolated(|| {
        let mutex = shared(ReentrantMutex::new(Cell::new([0; 4])));
        let (first, second, third) = (mutex.lock(), mutex.lock(), mutex.lock());
        let others_wait = || all(1, |_| assert!(!mutex.is_owned() && mutex.try_lock().is_none()));
        drop(first);
        others_wait();
        drop(third);
        others_wait();
        drop(second);
        assert!(!mutex.is_owned());
        all(1, |_| assert!(mutex.try_lock().is_some()));
    });
}

#[test]
fn a_sleeper_gets_in_when_the_last_guard_goes() {
    isolated(|| {
        let mutex = shared(ReentrantMutex::new(Cell::new([0; 4])));
        let (outer, inner) = (mutex.lock(), mutex.lock());
        let [killed, next] = [(); 2].map(|()| asleep(|| assert_eq!(mutex.lock().get(), [7; 4])));
        kill(killed);
        drop(inner);
        outer.set([7; 4]);
        drop(outer);
        join(next);
    });
}

#[test]
fn a_child_of_the_holder_is_another() {
    isolated(|| {
        let mutex = shared(ReentrantMutex::new(Cell::new([0; 4])));
        let _held = mutex.lock();
        all(2, |_| {
            assert!(mutex.try_lock().is_none() && mutex.lock_until(Deadline::now()).is_err());
        });
    });
}
