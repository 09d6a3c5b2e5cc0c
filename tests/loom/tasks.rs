use loom::model;
use loom::sync::Arc;
use rawipc::queue::{NoneUnfinished, Tasks};
use rawipc::sync::Event;

use crate::{Tally, beside, join, later, model_interrupted, soon};

/// So many, unfinished.
fn unfinished(count: u32) -> Tasks {
    let tasks = Tasks::new();
    tasks.add(count).unwrap();
    tasks
}

/// One task, which leaves something behind.
fn work((tasks, done): &(Tasks, [Tally; 2]), me: usize) {
    done[me].add_one();
    tasks.task_done().unwrap();
}

/// Whether something of both has been left behind.
fn both_are_seen(done: &[Tally; 2]) -> bool {
    done.iter().all(|done| done.get() == 1)
}

/// Who joins sees what the task did.
#[test]
fn who_joins_sees_what_was_done() {
    model(|| {
        let shared = Arc::new((unfinished(1), Default::default()));
        let joiner = beside(&shared, |(tasks, done): &(Tasks, [Tally; 2])| {
            tasks.join();
            assert_eq!(done[0].get(), 1);
        });
        work(&shared, 0);
        joiner.join().unwrap();
    });
}

/// Who joins sees what all tasks did, and not the last one only.
#[test]
fn who_joins_sees_what_all_have_done() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let shared = Arc::new((unfinished(2), Default::default()));
        let joiner = beside(&shared, |(tasks, done)| {
            tasks.join();
            assert!(both_are_seen(done));
        });
        let worker = beside(&shared, |shared| work(shared, 1));
        work(&shared, 0);
        worker.join().unwrap();
        joiner.join().unwrap();
    });
}

/// The same for who finds all done.
#[test]
fn what_all_have_done_is_seen_by_a_look() {
    model(|| {
        let shared = Arc::new((unfinished(2), Default::default()));
        let looker = beside(&shared, |(tasks, done)| !tasks.is_done() || both_are_seen(done));
        let worker = beside(&shared, |shared| work(shared, 1));
        work(&shared, 0);
        worker.join().unwrap();
        assert!(looker.join().unwrap());
    });
}

/// What the tasks did is seen also by those for whom others have been added already.
#[test]
fn what_was_done_is_seen_through_the_next_task() {
    model(|| {
        let shared = Arc::new((unfinished(1), Default::default()));
        let joiner = beside(&shared, |(tasks, done): &(Tasks, [Tally; 2])| {
            if tasks.join_until(soon()).is_ok() {
                assert_eq!(done[0].get(), 1);
            }
        });
        work(&shared, 0);
        shared.0.add(1).unwrap();
        joiner.join().unwrap();
    });
}

/// All who sleep get on when the last task is done.
#[test]
fn all_get_on() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let tasks = Arc::new(unfinished(1));
        let joiners = [beside(&tasks, Tasks::join), beside(&tasks, Tasks::join)];
        tasks.task_done().unwrap();
        join(joiners);
    });
}

/// Who sleeps when the last is done gets on, though others are added before they have run again.
#[test]
fn next_task_holds_nobody_back() {
    // Nobody is interrupted, so that all sleep when it is done, and nobody runs before the next.
    model_interrupted(0, || {
        let shared = Arc::new((unfinished(1), [Event::new(), Event::new()]));
        let joiners = [0, 1].map(|number| {
            beside(&shared, move |(tasks, ready)| {
                ready[number].set();
                tasks.join();
            })
        });
        let (tasks, ready) = &*shared;
        ready.iter().for_each(Event::wait);
        tasks.task_done().unwrap();
        tasks.add(1).unwrap();
        join(joiners);
    });
}

/// Whenever it comes, between tasks that come and go: who joins is not forgotten.
#[test]
fn no_joiner_is_forgotten() {
    model(|| {
        let tasks = Arc::new(unfinished(1));
        let joiner = beside(&tasks, Tasks::join);
        tasks.add(1).unwrap();
        tasks.task_done().unwrap();
        tasks.task_done().unwrap();
        tasks.add(1).unwrap();
        tasks.task_done().unwrap();
        joiner.join().unwrap();
    });
}

/// Nor one that has looked again in the middle of its sleep.
#[test]
fn who_looks_again_is_not_forgotten() {
    model(|| {
        let shared = Arc::new((unfinished(2), Default::default()));
        let joiner = beside(&shared, |(tasks, done): &(Tasks, [Tally; 2])| {
            tasks.join_until(later()).unwrap();
            assert_eq!(done.each_ref().map(Tally::get), [1, 1]);
        });
        work(&shared, 0);
        work(&shared, 1);
        joiner.join().unwrap();
    });
}

/// However they are added and done, there are as many as have been added and not done.
#[test]
fn count_is_conserved() {
    fn add_some(tasks: &Tasks) {
        tasks.add(2).unwrap();
        tasks.task_done().unwrap();
    }
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let tasks = Arc::new(unfinished(1));
        let others = [beside(&tasks, add_some), beside(&tasks, add_some)];
        tasks.add(3).unwrap();
        join(others);
        assert_eq!(tasks.unfinished(), 6);
    });
}

/// Of two who say that the only task is done, one is refused.
#[test]
fn one_of_two_is_refused() {
    model(|| {
        let tasks = Arc::new(unfinished(1));
        let other = beside(&tasks, |tasks| tasks.task_done().is_ok());
        let mine = tasks.task_done().is_ok();
        assert!(mine != other.join().unwrap());
        assert_eq!((tasks.task_done(), tasks.unfinished()), (Err(NoneUnfinished), 0));
    });
}

/// Who has got a task, in whatever way, is not refused.
#[test]
fn what_was_added_before_can_be_done() {
    model(|| {
        let shared = Arc::new((Tasks::new(), Event::new()));
        let worker =
            beside(&shared, |(tasks, pushed)| !pushed.is_set() || tasks.task_done().is_ok());
        shared.0.add(1).unwrap();
        shared.1.set();
        assert!(worker.join().unwrap());
    });
}

/// Who gives up takes no wake from another.
#[test]
fn who_gives_up_takes_no_wake() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let tasks = Arc::new(unfinished(1));
        let hasty = beside(&tasks, |tasks| tasks.join_until(soon()).is_ok());
        let patient = beside(&tasks, Tasks::join);
        tasks.task_done().unwrap();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert!(tasks.is_done());
    });
}

/// Who gives up leaves nothing behind over which who joins then, or the next turn, could stumble.
#[test]
fn who_gives_up_leaves_nothing_behind() {
    model(|| {
        let tasks = Arc::new(unfinished(1));
        let joiner = beside(&tasks, |tasks| {
            let _joined = tasks.join_until(soon());
            tasks.join();
        });
        tasks.task_done().unwrap();
        tasks.add(1).unwrap();
        tasks.task_done().unwrap();
        joiner.join().unwrap();
        assert_eq!((tasks.unfinished(), tasks.join_until(soon())), (0, Ok(())));
    });
}
