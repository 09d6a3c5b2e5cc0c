use loom::model;
use loom::sync::Arc;
use rawipc::sync::{Condvar, Mutex};

use crate::{beside, join, model_interrupted, soon};

/// How many there are of what is waited for.
type Store = (Mutex<u32>, Condvar);

fn empty() -> Arc<Store> {
    Arc::new((Mutex::new(0), Condvar::new()))
}

fn take((count, filled): &Store) {
    let mut count = count.lock();
    filled.wait_while(&mut count, |count| *count == 0);
    *count -= 1;
}

fn take_soon((count, filled): &Store) -> bool {
    let mut count = count.lock();
    let in_time = filled.wait_while_until(&mut count, |count| *count == 0, soon()).is_ok();
    if in_time {
        *count -= 1;
    }
    in_time
}

fn put(store: &Store) {
    *store.0.lock() += 1;
    store.1.notify_one();
}

/// No notification falls between the look at what the mutex protects and the sleep.
#[test]
fn change_is_not_missed() {
    model(|| {
        let store = empty();
        let taker = beside(&store, take);
        put(&store);
        taker.join().unwrap();
        assert_eq!(*store.0.lock(), 0);
    });
}

/// Nor where the one that notifies holds the mutex still.
#[test]
fn change_is_not_missed_if_notified_under_the_mutex() {
    model(|| {
        let store = empty();
        let taker = beside(&store, take);
        let mut count = store.0.lock();
        *count += 1;
        store.1.notify_one();
        drop(count);
        taker.join().unwrap();
    });
}

/// Each notification of one gets one on, whatever the other does.
#[test]
fn two_notifications_reach_two() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let store = empty();
        let takers = [beside(&store, take), beside(&store, take)];
        put(&store);
        put(&store);
        join(takers);
        assert_eq!(*store.0.lock(), 0);
    });
}

/// One notification of all gets all on.
#[test]
fn all_are_notified() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let store = empty();
        let takers = [beside(&store, take), beside(&store, take)];
        *store.0.lock() += 2;
        store.1.notify_all();
        join(takers);
    });
}

/// Who gives up has not been notified in place of another.
#[test]
fn who_gives_up_takes_no_notification() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let store = empty();
        let hasty = beside(&store, |store| {
            if take_soon(store) {
                put(store);
            }
        });
        let patient = beside(&store, take);
        put(&store);
        hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(*store.0.lock(), 0);
    });
}

/// Who gives up holds the mutex again, alone.
#[test]
fn who_gives_up_holds_the_mutex() {
    model(|| {
        let store = empty();
        let hasty = beside(&store, |(count, filled)| {
            let mut count = count.lock();
            let _either = filled.wait_until(&mut count, soon());
            *count += 1;
        });
        put(&store);
        hasty.join().unwrap();
        assert_eq!(*store.0.lock(), 2);
    });
}
