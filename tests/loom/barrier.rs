use loom::model;
use loom::sync::Arc;
use rawipc::sync::{Barrier, BarrierError, Broken, Event};

use crate::{Tally, beside, join, model_interrupted, soon};

/// All see what the others have done before they came, and one of them leads.
#[test]
fn all_have_come_when_one_gets_on() {
    fn meet((barrier, done): &(Barrier, [Tally; 2]), me: usize) -> bool {
        done[me].add_one();
        let leads = barrier.wait().unwrap().is_leader();
        assert_eq!(done[1 - me].get(), 1);
        leads
    }
    model(|| {
        let shared = Arc::new((Barrier::new(2), Default::default()));
        let other = beside(&shared, |shared| meet(shared, 1));
        let leads = meet(&shared, 0);
        assert!(leads != other.join().unwrap());
    });
}

/// The same with two that sleep.
#[test]
fn all_of_three_get_on() {
    fn meet((barrier, done): &(Barrier, [Tally; 3]), me: usize) -> u32 {
        done[me].add_one();
        let result = barrier.wait().unwrap();
        assert!(done.iter().all(|done| done.get() == 1));
        u32::from(result.is_leader())
    }
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let shared = Arc::new((Barrier::new(3), Default::default()));
        let others = [1, 2].map(|me| beside(&shared, move |shared| meet(shared, me)));
        let leaders = meet(&shared, 0) + join(others).iter().sum::<u32>();
        assert_eq!(leaders, 1);
    });
}

/// The next turn holds as the first one does, though some are slow to leave that.
#[test]
fn turns_do_not_mix() {
    fn meet_twice((barrier, done): &(Barrier, [Tally; 2]), me: usize) -> [bool; 2] {
        [1, 2].map(|turn| {
            done[me].add_one();
            let leads = barrier.wait().unwrap().is_leader();
            // The other may be one further, but not more.
            assert!([turn, turn + 1].contains(&done[1 - me].get()));
            leads
        })
    }
    model_interrupted(3, || {
        // Two turns: too many schedules to go through them all.
        let shared = Arc::new((Barrier::new(2), Default::default()));
        let other = beside(&shared, |shared| meet_twice(shared, 1));
        let [first, second] = meet_twice(&shared, 0);
        let [other_first, other_second] = other.join().unwrap();
        assert!(first != other_first && second != other_second);
    });
}

/// Who only comes if it is the last sees what the others have done, and they what it has.
#[test]
fn who_tries_comes_last_or_not_at_all() {
    model(|| {
        let shared = Arc::new((Barrier::new(2), [Tally::default(), Tally::default()]));
        let waiter = beside(&shared, |(barrier, [mine, theirs])| {
            mine.add_one();
            let end = barrier.wait_until(soon());
            if end.is_ok() {
                assert_eq!(theirs.get(), 1);
            }
            end
        });
        let (barrier, [theirs, mine]) = &*shared;
        mine.add_one();
        let end = barrier.try_wait();
        if let Ok(Some(last)) = end {
            assert!(last.is_leader());
            assert_eq!(theirs.get(), 1);
        }
        let other = waiter.join().unwrap();
        let both = matches!(end, Ok(Some(_)));
        assert_eq!(both, other.is_ok_and(|other| !other.is_leader()));
    });
}

/// To abort reaches who waits and who comes, and shows what went before.
#[test]
fn abort_reaches_all() {
    model(|| {
        let shared = Arc::new((Barrier::new(2), Tally::default()));
        let waiter = beside(&shared, |(barrier, done)| {
            assert_eq!(barrier.wait(), Err(Broken));
            assert_eq!(done.get(), 1);
        });
        let (barrier, done) = &*shared;
        done.add_one();
        barrier.abort();
        assert_eq!(barrier.try_wait(), Err(Broken));
        waiter.join().unwrap();
        assert_eq!(barrier.waiting(), 0);
    });
}

/// So it does where nobody ever waits.
#[test]
fn abort_shows_what_went_before_to_who_tries() {
    model(|| {
        let shared = Arc::new((Barrier::new(2), Tally::default()));
        let other = beside(&shared, |(barrier, done)| {
            if barrier.try_wait() == Err(Broken) {
                assert_eq!(done.get(), 1);
            }
        });
        shared.1.add_one();
        shared.0.abort();
        other.join().unwrap();
    });
}

/// To abort reaches each of several who wait.
#[test]
fn abort_reaches_several() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let barrier = Arc::new(Barrier::new(3));
        let waiters = [beside(&barrier, Barrier::wait), beside(&barrier, Barrier::wait)];
        barrier.abort();
        let ends = join(waiters);
        assert_eq!(ends, [Err(Broken); 2]);
    });
}

/// To reset it reaches who waits.
#[test]
fn reset_reaches_who_waits() {
    // Nobody is interrupted, so that the other waits when it is reset.
    model_interrupted(0, || {
        let shared = Arc::new((Barrier::new(2), Event::new()));
        let waiter = beside(&shared, |(barrier, ready)| {
            ready.set();
            barrier.wait()
        });
        let (barrier, ready) = &*shared;
        ready.wait();
        barrier.reset();
        assert_eq!(waiter.join().unwrap(), Err(Broken));
        assert_eq!((barrier.is_broken(), barrier.waiting()), (false, 0));
    });
}

/// Whenever it is reset, who waited knows what came before it, and who comes begins anew.
#[test]
fn reset_shows_what_went_before() {
    model(|| {
        let shared = Arc::new((Barrier::new(2), Tally::default()));
        let waiter = beside(&shared, |(barrier, done)| {
            if barrier.wait() == Err(Broken) {
                assert_eq!(done.get(), 1);
            }
        });
        let (barrier, done) = &*shared;
        done.add_one();
        barrier.reset();
        // Should the other have come after the reset, it waits for one more.
        let _either = barrier.wait_until(soon());
        waiter.join().unwrap();
    });
}

/// Who is slow to look learns how its own turn has ended, whatever came after that.
#[test]
fn slow_waiter_learns_the_end_of_its_turn() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let waiter = beside(&barrier, Barrier::wait);
        barrier.wait().unwrap();
        barrier.abort();
        barrier.reset();
        assert_eq!(barrier.wait_until(soon()), Err(BarrierError::TimedOut));
        waiter.join().unwrap().unwrap();
    });
}

/// Who waited in vain learns that too, though the next turn has ended well.
#[test]
fn slow_waiter_learns_that_it_waited_in_vain() {
    // Nobody is interrupted, so that the other waits when it is reset, and is slow.
    model_interrupted(0, || {
        let shared = Arc::new((Barrier::new(2), Event::new(), Event::new()));
        let slow = beside(&shared, |(barrier, ready, _)| {
            ready.set();
            barrier.wait()
        });
        let next = beside(&shared, |(barrier, _, anew)| {
            anew.wait();
            barrier.wait()
        });
        let (barrier, ready, anew) = &*shared;
        ready.wait();
        barrier.reset();
        anew.set();
        barrier.wait().unwrap();
        next.join().unwrap().unwrap();
        assert_eq!(slow.join().unwrap(), Err(Broken));
    });
}

/// Of one that gives up and the last that comes, the first decides for both.
#[test]
fn giving_up_and_coming_last_exclude_each_other() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let hasty = beside(&barrier, |barrier| barrier.wait_until(soon()));
        let mine = barrier.wait();
        match (mine, hasty.join().unwrap()) {
            (Ok(mine), Ok(other)) => assert!(mine.is_leader() != other.is_leader()),
            (Err(Broken), Err(BarrierError::TimedOut)) => assert!(barrier.is_broken()),
            ends => panic!("{ends:?}"),
        }
    });
}

/// Who gives up wakes the others that wait.
#[test]
fn who_gives_up_tells_the_others() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let barrier = Arc::new(Barrier::new(3));
        let hasty = beside(&barrier, |barrier| barrier.wait_until(soon()).is_ok());
        let patient = beside(&barrier, |barrier| barrier.wait().is_ok());
        let mine = barrier.wait().is_ok();
        let [hasty, patient] = [hasty, patient].map(|other| other.join().unwrap());
        assert!(hasty == mine && patient == mine);
    });
}
