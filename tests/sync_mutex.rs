//! [`Mutex`] between processes and threads.

mod support;

use rawipc::Deadline;
use rawipc::sync::{Mutex, MutexGuard};
use support::crowd::{SIZES, all, all_threads};
use support::shared::shared;
use support::{SOON, isolated};

/// Changes words that agree whenever nobody is in between.
fn count(words: &mut [u64; 8]) {
    for at in 0..8 {
        assert_eq!(words[at], words[0] - u64::from(at > 0), "another is inside");
        words[at] += 1;
    }
}

/// By each of the forms in turn.
fn lock(mutex: &Mutex<[u64; 8]>, round: u64) -> MutexGuard<'_, [u64; 8]> {
    match round % 3 {
        0 => mutex.lock(),
        1 => mutex.lock_until(Deadline::after(SOON)).expect("in time"),
        _ => loop {
            if let Some(guard) = mutex.try_lock() {
                break guard;
            }
            std::thread::yield_now();
        },
    }
}

#[test]
fn one_process_at_a_time_is_inside() {
    isolated(|| {
        for size in SIZES {
            let rounds = 60_000 / size as u64;
            let mutex = shared(Mutex::new([0; 8]));
            all(size, |_| (0..rounds).for_each(|round| count(&mut lock(&mutex, round))));
            assert_eq!(*mutex.lock(), [rounds * size as u64; 8]);
        }
    });
}

#[test]
fn one_thread_at_a_time_is_inside() {
    isolated(|| {
        let mutex = Mutex::new([0; 8]);
        all_threads(6, |_| (0..10_000).for_each(|round| count(&mut lock(&mutex, round))));
        assert_eq!(mutex.into_inner(), [60_000; 8]);
    });
}

#[test]
fn who_holds_it_for_long_lets_all_sleepers_in_later() {
    isolated(|| {
        let mutex = shared(Mutex::new([0; 8]));
        // Held across a switch to others, so that they all sleep.
        all(8, |_| {
            for _ in 0..40 {
                let mut words = mutex.lock();
                std::thread::yield_now();
                count(&mut words);
            }
        });
        assert_eq!(*mutex.lock(), [320; 8]);
        assert!(!mutex.is_locked());
    });
}

#[test]
fn what_is_held_cannot_be_taken() {
    isolated(|| {
        let mutex = shared(Mutex::new(5_u32));
        let held = mutex.lock();
        all(1, |_| assert!(mutex.is_locked() && mutex.try_lock().is_none()));
        drop(held);
        all(1, |_| assert_eq!(mutex.try_lock().as_deref(), Some(&5)));
    });
}
