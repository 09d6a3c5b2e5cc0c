use loom::model;
use loom::sync::Arc;
use rawipc::sync::ReentrantMutex;

use crate::{Tally, beside, model_interrupted, soon};

fn lock_twice(count: &ReentrantMutex<Tally>) {
    let outer = count.lock();
    {
        let inner = count.lock();
        inner.add_one();
    }
    outer.add_one();
    drop(outer);
    assert!(!count.is_owned());
}

/// It is held until the last guard is dropped, by one thread; the next sees what that has done.
#[test]
fn thread_is_unique() {
    model(|| {
        let count = Arc::new(ReentrantMutex::new(Tally::default()));
        let other = beside(&count, lock_twice);
        lock_twice(&count);
        other.join().unwrap();
        assert_eq!(count.lock().get(), 4);
        assert!(!count.is_locked());
    });
}

/// The same where nobody ever waits.
#[test]
fn thread_is_unique_among_those_who_try() {
    fn attempt(count: &ReentrantMutex<Tally>) -> usize {
        let Some(outer) = count.try_lock() else {
            assert!(!count.is_owned());
            return 0;
        };
        count.try_lock().expect("held by this thread").add_one();
        assert!(count.is_owned());
        outer.add_one();
        2
    }
    model(|| {
        let count = Arc::new(ReentrantMutex::new(Tally::default()));
        let other = beside(&count, attempt);
        let mine = attempt(&count);
        assert_eq!(mine + other.join().unwrap(), count.lock().get());
    });
}

/// Who gives up takes no wake from another.
#[test]
fn who_gives_up_takes_no_wake() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(ReentrantMutex::new(Tally::default()));
        let held = count.lock();
        let hasty = beside(&count, |count| drop(count.lock_until(soon())));
        let patient = beside(&count, |count| count.lock().add_one());
        drop(held);
        hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(count.lock().get(), 1);
    });
}
