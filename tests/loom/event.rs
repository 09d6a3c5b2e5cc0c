use loom::model;
use loom::sync::Arc;
use rawipc::sync::{AutoResetEvent, Event};

use crate::{Tally, beside, join, model_interrupted, soon};

/// What was done before it was set is seen by whoever has waited for it.
#[test]
fn what_went_before_is_seen() {
    model(|| {
        let shared = Arc::new((Event::new(), Tally::default()));
        let waiter = beside(&shared, |(event, done)| {
            event.wait();
            assert_eq!(done.get(), 1);
        });
        shared.1.add_one();
        shared.0.set();
        waiter.join().unwrap();
    });
}

/// The same for who finds it set, or gives up waiting for that.
#[test]
fn what_went_before_is_seen_without_sleep() {
    model(|| {
        let shared = Arc::new((Event::new(), Tally::default()));
        let waiter = beside(&shared, |(event, done)| {
            if event.is_set() || event.wait_until(soon()).is_ok() {
                assert_eq!(done.get(), 1);
            }
        });
        shared.1.add_one();
        shared.0.set();
        waiter.join().unwrap();
    });
}

/// Who finds it set sees what all have done who have set it: of two, the second sees the first.
#[test]
fn what_all_have_done_is_seen() {
    fn meet((event, done): &(Event, [Tally; 2]), me: usize) -> bool {
        done[me].add_one();
        event.set();
        event.wait();
        done[1 - me].get() == 1
    }
    model(|| {
        let shared = Arc::new((Event::new(), Default::default()));
        let other = beside(&shared, |shared| meet(shared, 1));
        let sees_other = meet(&shared, 0);
        assert!(other.join().unwrap() || sees_other);
    });
}

/// All who sleep get on when it is set.
#[test]
fn all_get_on() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let event = Arc::new(Event::new());
        let waiters = [beside(&event, Event::wait), beside(&event, Event::wait)];
        event.set();
        join(waiters);
    });
}

/// Who sleeps when it is set gets on, though it is reset before they have run again.
#[test]
fn reset_holds_nobody_back() {
    // Nobody is interrupted, so that all sleep when it is set, and nobody runs before the reset.
    model_interrupted(0, || {
        let shared = Arc::new((Event::new(), [Event::new(), Event::new()]));
        let waiters = [0, 1].map(|number| {
            beside(&shared, move |(event, ready)| {
                ready[number].set();
                event.wait();
            })
        });
        let (event, ready) = &*shared;
        ready.iter().for_each(Event::wait);
        event.set();
        event.reset();
        join(waiters);
    });
}

/// To reset what is not set forgets nobody who sleeps until it is.
#[test]
fn reset_forgets_no_sleeper() {
    model(|| {
        let event = Arc::new(Event::new());
        let waiter = beside(&event, Event::wait);
        event.reset();
        event.set();
        waiter.join().unwrap();
    });
}

/// What went before is seen also by those for whom it was reset already.
#[test]
fn what_went_before_is_seen_through_a_reset() {
    model(|| {
        let shared = Arc::new((Event::new(), Tally::default()));
        let waiter = beside(&shared, |(event, done)| {
            if event.wait_until(soon()).is_ok() {
                assert_eq!(done.get(), 1);
            }
        });
        let (event, done) = &*shared;
        done.add_one();
        event.set();
        event.reset();
        waiter.join().unwrap();
    });
}

/// Who gives up takes no wake from another.
#[test]
fn who_gives_up_takes_no_wake() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let event = Arc::new(Event::new());
        let hasty = beside(&event, |event| event.wait_until(soon()).is_ok());
        let patient = beside(&event, Event::wait);
        event.set();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert!(event.is_set());
    });
}

/// It is handed to one only, who sees what went before.
#[test]
fn auto_reset_hands_to_exactly_one() {
    model(|| {
        let shared = Arc::new((AutoResetEvent::new(), Tally::default()));
        let takes = |(event, done): &(AutoResetEvent, Tally)| {
            let took = event.try_wait();
            assert!(!took || done.get() == 1);
            took
        };
        let others = [beside(&shared, takes), beside(&shared, takes)];
        shared.1.add_one();
        shared.0.set();
        let took = others.map(|other| u32::from(other.join().unwrap()));
        let left = u32::from(shared.0.is_set());
        assert_eq!(took.iter().sum::<u32>() + left, 1);
    });
}

/// Who waits sees what went before, and takes it away.
#[test]
fn auto_reset_is_seen_with_what_went_before() {
    model(|| {
        let shared = Arc::new((AutoResetEvent::new(), Tally::default()));
        let waiter = beside(&shared, |(event, done)| {
            event.wait();
            assert_eq!(done.get(), 1);
        });
        shared.1.add_one();
        shared.0.set();
        waiter.join().unwrap();
        assert!(!shared.0.is_set());
    });
}

/// Who takes it sees what all have done who have set it, also where it was set already.
#[test]
fn auto_reset_shows_what_all_have_done() {
    fn ring((bell, done): &(AutoResetEvent, [Tally; 2]), me: usize) {
        done[me].add_one();
        bell.set();
    }
    model_interrupted(4, || {
        // Three threads: too many schedules to go through them all.
        let shared = Arc::new((AutoResetEvent::new(), Default::default()));
        let others = [0, 1].map(|me| beside(&shared, move |shared| ring(shared, me)));
        let (bell, done) = &*shared;
        bell.wait();
        let all_seen = done.iter().all(|done| done.get() == 1);
        join(others);
        assert!(all_seen || bell.is_set(), "only what is set after that is still to be seen");
    });
}

/// Who is handed it hands it on: so no sleeper is forgotten.
#[test]
fn auto_reset_forgets_no_sleeper() {
    fn pass_on(bell: &AutoResetEvent) {
        bell.wait();
        bell.set();
    }
    model_interrupted(4, || {
        // Three threads: too many schedules to go through them all.
        let bell = Arc::new(AutoResetEvent::new());
        let waiters = [beside(&bell, pass_on), beside(&bell, pass_on)];
        bell.set();
        join(waiters);
        assert!(bell.try_wait());
    });
}

/// Who barges in, and hands it on, leaves the one that sleeps its turn.
#[test]
fn auto_reset_survives_barging() {
    model(|| {
        let bell = Arc::new(AutoResetEvent::new());
        let sleeper = beside(&bell, AutoResetEvent::wait);
        bell.set();
        if bell.try_wait() {
            bell.set();
        }
        sleeper.join().unwrap();
        assert!(!bell.is_set());
    });
}

/// Who takes back what nobody has noticed leaves those who sleep to be woken by the next.
#[test]
fn auto_reset_can_be_taken_back() {
    model(|| {
        let bell = Arc::new(AutoResetEvent::new());
        let sleeper = beside(&bell, AutoResetEvent::wait);
        bell.set();
        bell.reset();
        bell.set();
        sleeper.join().unwrap();
    });
}

/// Who gives up takes neither the event nor the wake with it.
#[test]
fn who_gives_up_takes_no_event() {
    model_interrupted(4, || {
        // Three threads: too many schedules to go through them all.
        let bell = Arc::new(AutoResetEvent::new());
        let hasty = beside(&bell, |bell| {
            if bell.wait_until(soon()).is_ok() {
                bell.set();
            }
        });
        let patient = beside(&bell, AutoResetEvent::wait);
        bell.set();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert!(!bell.is_set());
    });
}
