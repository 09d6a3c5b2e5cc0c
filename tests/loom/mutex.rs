use loom::model;
use loom::sync::Arc;
use rawipc::sync::Mutex;

use crate::{beside, join, model_interrupted, soon};

/// What is done under the lock is done alone, and seen by the next.
#[test]
fn holder_is_unique() {
    model(|| {
        let count = Arc::new(Mutex::new(0));
        let other = beside(&count, |count| *count.lock() += 1);
        *count.lock() += 1;
        other.join().unwrap();
        assert_eq!(*count.lock(), 2);
    });
}

/// The same where nobody ever waits.
#[test]
fn holder_is_unique_among_those_who_try() {
    fn attempt(count: &Mutex<u32>) -> u32 {
        count.try_lock().map_or(0, |mut count| {
            *count += 1;
            1
        })
    }
    model(|| {
        let count = Arc::new(Mutex::new(0));
        let others = [beside(&count, attempt), beside(&count, attempt)];
        let held = attempt(&count) + join(others).iter().sum::<u32>();
        assert!(held > 0, "the first finds it free");
        assert_eq!(count.try_lock().as_deref(), Some(&held));
    });
}

/// Of several who sleep, each gets on: the one that was woken wakes the next.
#[test]
fn no_sleeper_is_forgotten() {
    model_interrupted(4, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(Mutex::new(0));
        let others = [(); 2].map(|()| beside(&count, |count| *count.lock() += 1));
        *count.lock() += 1;
        join(others);
        assert_eq!(*count.lock(), 3);
    });
}

/// Who comes just when it is unlocked may take it, but the one that sleeps gets on after that.
#[test]
fn who_barges_in_forgets_nobody() {
    model(|| {
        let count = Arc::new(Mutex::new(0));
        let held = count.lock();
        let sleeper = beside(&count, |count| *count.lock() += 1);
        drop(held);
        if let Some(mut count) = count.try_lock() {
            *count += 1;
        }
        sleeper.join().unwrap();
        assert!(!count.is_locked());
    });
}

/// Who gives up does not take the wake with it that another sleeps for.
#[test]
fn who_gives_up_takes_no_wake() {
    model_interrupted(4, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(Mutex::new(0));
        let held = count.lock();
        let hasty = beside(&count, |count| {
            count.lock_until(soon()).is_ok_and(|mut count| {
                *count += 1;
                true
            })
        });
        let patient = beside(&count, |count| *count.lock() += 1);
        drop(held);
        let hasty_got_it = hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(*count.lock(), 1 + u32::from(hasty_got_it));
    });
}
