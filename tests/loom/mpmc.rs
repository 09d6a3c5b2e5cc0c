use loom::model;
use loom::sync::Arc;
use rawipc::queue::{Closed, Mpmc, PopError, PushError};

use crate::{Tally, beside, join, later, model_interrupted, soon};

// With three threads, there are too many schedules to go through them all; with two who sleep, too.

fn push_all<const N: usize>(queue: &Mpmc<u8, N>, values: &[u8]) {
    for &value in values {
        assert_eq!(queue.push(value), Ok(()));
    }
}

fn pop<const N: usize>(queue: &Mpmc<u8, N>) -> u8 {
    queue.pop().unwrap()
}

/// All that still come, until it is closed and empty.
fn pop_all<const N: usize>(queue: &Mpmc<u8, N>) -> Vec<u8> {
    core::iter::from_fn(|| queue.pop().ok()).collect()
}

fn sorted(values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable();
    values
}

/// What one has pushed comes in its order, beside what another has.
fn each_producers_values_come_in_order<const N: usize>(interruptions: usize) {
    model_interrupted(interruptions, || {
        let queue = Arc::new(Mpmc::<u8, N>::new());
        let producer = beside(&queue, |queue| push_all(queue, &[1, 2]));
        let other = beside(&queue, |queue| push_all(queue, &[11]));
        let popped = [(); 3].map(|()| pop(&queue));
        join([producer, other]);
        assert!([[1, 2, 11], [1, 11, 2], [11, 1, 2]].contains(&popped), "{popped:?}");
    });
}

#[test]
fn each_producers_values_come_in_order_through_one_slot() {
    each_producers_values_come_in_order::<1>(0);
}

#[test]
fn each_producers_values_come_in_order_through_two_slots() {
    each_producers_values_come_in_order::<2>(1);
}

/// Each value goes to one, who pops them in order.
#[test]
fn each_consumer_pops_in_order() {
    model(|| {
        let queue = Arc::new(Mpmc::<u8, 4>::new());
        push_all(&queue, &[1, 2, 3]);
        let pop_two = |queue: &Mpmc<u8, 4>| [(); 2].map(|()| queue.try_pop().ok());
        let other = beside(&queue, pop_two);
        let popped = [pop_two(&queue), other.join().unwrap()].map(|popped| {
            let values: Vec<_> = popped.into_iter().flatten().collect();
            assert!(values.is_sorted(), "{popped:?}");
            values
        });
        assert_eq!(sorted(popped.concat()), [1, 2, 3]);
    });
}

#[test]
fn each_consumer_gets_one_through_one_slot() {
    model_interrupted(1, || {
        let queue = Arc::new(Mpmc::<u8, 1>::new());
        let consumers = [beside(&queue, pop), beside(&queue, pop)];
        push_all(&queue, &[1, 2]);
        assert_eq!(sorted(join(consumers)), [1, 2]);
    });
}

/// The same among those who try.
#[test]
fn nothing_is_lost_among_those_who_try() {
    fn work(queue: &Mpmc<u8, 2>, value: u8) -> (Option<u8>, Option<u8>) {
        (queue.try_push(value).ok().map(|()| value), queue.try_pop().ok())
    }
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let others = [1, 2].map(|value| beside(&queue, move |queue| work(queue, value)));
        let (mut pushed, mut popped): (Vec<_>, Vec<_>) = [work(&queue, 3)].into_iter().unzip();
        for (push, pop) in join(others) {
            pushed.push(push);
            popped.push(pop);
        }
        let popped = popped.into_iter().flatten().chain(queue.drain());
        assert_eq!(sorted(popped), sorted(pushed.into_iter().flatten()));
    });
}

/// Also where one slot is used by all in turn: what one reads, the next does not yet overwrite.
#[test]
fn slot_is_used_by_one_at_a_time() {
    model(|| {
        let queue = Arc::new(Mpmc::<u8, 1>::new());
        let other = beside(&queue, |queue| {
            let popped = queue.try_pop().ok();
            (queue.try_push(2).is_ok(), popped)
        });
        let pushed = [queue.try_push(1).is_ok(), queue.try_push(3).is_ok()];
        let (others, popped) = other.join().unwrap();
        let pushed = usize::from(pushed[0]) + usize::from(pushed[1]) + usize::from(others);
        assert_eq!(pushed, popped.iter().count() + queue.drain().count());
    });
}

#[test]
fn sleeping_consumer_is_not_forgotten() {
    model(|| {
        let queue = Arc::new(Mpmc::<u8, 1>::new());
        let consumer = beside(&queue, pop);
        push_all(&queue, &[7]);
        assert_eq!(consumer.join().unwrap(), 7);
    });
}

#[test]
fn sleeping_producer_is_not_forgotten() {
    model(|| {
        let queue = Arc::new(Mpmc::<u8, 1>::new());
        push_all(&queue, &[0]);
        let producer = beside(&queue, |queue| push_all(queue, &[1]));
        assert_eq!(pop(&queue), 0);
        producer.join().unwrap();
        assert_eq!(pop(&queue), 1);
    });
}

/// Of two who sleep, each push wakes one.
#[test]
fn two_sleeping_consumers_are_not_forgotten() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let consumers = [beside(&queue, pop), beside(&queue, pop)];
        push_all(&queue, &[1, 2]);
        assert_eq!(sorted(join(consumers)), [1, 2]);
    });
}

#[test]
fn two_sleeping_producers_are_not_forgotten() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        push_all(&queue, &[1, 2]);
        let producers = [3, 4].map(|value| beside(&queue, move |queue| push_all(queue, &[value])));
        assert_eq!([(); 2].map(|()| pop(&queue)), [1, 2]);
        join(producers);
        assert_eq!(sorted(queue.drain()), [3, 4]);
    });
}

/// Whoever has taken the first slot may be the last to write there: then there is one for two.
#[test]
fn each_value_wakes_one() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let other = beside(&queue, pop);
        let third = beside(&queue, |queue| {
            push_all(queue, &[1]);
            pop(queue)
        });
        push_all(&queue, &[2]);
        assert_eq!(sorted(join([other, third])), [1, 2]);
    });
}

/// The same for who has taken the first value, and is the last to have read it.
#[test]
fn each_free_slot_wakes_one() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        push_all(&queue, &[1, 2]);
        let other = beside(&queue, |queue| push_all(queue, &[3]));
        let third = beside(&queue, |queue| {
            let popped = pop(queue);
            push_all(queue, &[4]);
            popped
        });
        let popped = pop(&queue);
        other.join().unwrap();
        assert_eq!(sorted([popped, third.join().unwrap()]), [1, 2]);
        assert_eq!(sorted(queue.drain()), [3, 4]);
    });
}

/// Whoever counts out those that it has woken counts out nobody who comes later, even if others
/// ring meanwhile.
#[test]
fn no_ring_counts_out_who_comes_after_it() {
    model_interrupted(1, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let producers = [
            beside(&queue, |queue| push_all(queue, &[1])),
            beside(&queue, |queue| push_all(queue, &[2, 3])),
        ];
        let popped = [(); 3].map(|()| pop(&queue));
        join(producers);
        assert_eq!(sorted(popped), [1, 2, 3]);
    });
}

/// Who gives up at a deadline has popped nothing, and takes no wake from another.
#[test]
fn consumer_that_gives_up_takes_no_wake() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let hasty = beside(&queue, |queue| queue.pop_until(soon()).ok());
        let patient = beside(&queue, pop);
        push_all(&queue, &[1]);
        if hasty.join().unwrap().is_some() {
            push_all(&queue, &[2]);
        }
        patient.join().unwrap();
        assert!(queue.is_empty());
    });
}

#[test]
fn producer_that_gives_up_takes_no_wake() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 1>::new());
        push_all(&queue, &[1]);
        let hasty = beside(&queue, |queue| queue.push_until(2, soon()).is_ok());
        let patient = beside(&queue, |queue| push_all(queue, &[3]));
        assert_eq!(pop(&queue), 1);
        if hasty.join().unwrap() {
            assert!([2, 3].contains(&pop(&queue)));
        }
        patient.join().unwrap();
        assert_eq!(queue.drain().count(), 1);
    });
}

/// A deadline may pass while a value comes: that is popped then, or next.
#[test]
fn who_gives_up_loses_nothing() {
    model(|| {
        let queue = Arc::new(Mpmc::<u8, 1>::new());
        let consumer =
            beside(&queue, |queue| queue.pop_until(soon()).or_else(|_| queue.pop_until(later())));
        push_all(&queue, &[7]);
        assert_eq!(consumer.join().unwrap(), Ok(7));
    });
}

/// Who hears that it is closed sees what was done before it was closed.
#[test]
fn close_wakes_all_consumers_who_see_what_went_before() {
    model_interrupted(3, || {
        let shared = Arc::new((Mpmc::<u8, 1>::new(), Tally::default()));
        let consume = |(queue, done): &(Mpmc<u8, 1>, Tally)| {
            assert_eq!(queue.pop(), Err(Closed(())));
            assert_eq!(done.get(), 1);
        };
        let consumers = [beside(&shared, consume), beside(&shared, consume)];
        shared.1.add_one();
        shared.0.close();
        join(consumers);
    });
}

#[test]
fn close_wakes_all_producers_who_see_what_went_before() {
    model_interrupted(2, || {
        let shared = Arc::new((Mpmc::<u8, 1>::new(), Tally::default()));
        push_all(&shared.0, &[0]);
        let produce = |(queue, done): &(Mpmc<u8, 1>, Tally)| {
            assert_eq!(queue.push(1), Err(Closed(1)));
            assert_eq!(done.get(), 1);
        };
        let producers = [beside(&shared, produce), beside(&shared, produce)];
        shared.1.add_one();
        shared.0.close();
        join(producers);
    });
}

/// The same for who never waits.
#[test]
fn what_went_before_a_close_is_seen_without_sleep() {
    model(|| {
        let shared = Arc::new((Mpmc::<u8, 1>::new(), Tally::default()));
        let consumer = beside(&shared, |(queue, done)| {
            if queue.try_pop() == Err(PopError::Closed) {
                assert_eq!(done.get(), 1);
            }
        });
        let producer = beside(&shared, |(queue, done)| {
            if queue.try_push_slice(&[]).is_err() || queue.is_closed() {
                assert_eq!(done.get(), 1);
            }
        });
        shared.1.add_one();
        shared.0.close();
        join([consumer, producer]);
    });
}

/// What a push says it has pushed is popped before the last consumer hears that it is closed, and
/// what a push gives back never is.
#[test]
fn close_is_exact() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let consumer = beside(&queue, pop_all);
        let closer = beside(&queue, Mpmc::close);
        let pushed: Vec<_> = (0..2).take_while(|&value| queue.push(value).is_ok()).collect();
        assert_eq!(consumer.join().unwrap(), pushed);
        closer.join().unwrap();
        assert_eq!(queue.try_push(9), Err(PushError::Closed(9)));
        assert_eq!(queue.try_pop(), Err(PopError::Closed));
    });
}

/// As many come out as were said to be pushed.
#[test]
fn close_is_exact_within_a_batch() {
    model_interrupted(3, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| {
            queue.close();
            pop_all(queue)
        });
        let pushed = queue.push_slice(&[0, 1]).unwrap_or_default();
        assert_eq!(consumer.join().unwrap(), [0, 1][..pushed]);
    });
}

/// What is pushed at once stays together, and what is popped at once comes in order.
#[test]
fn batches_stay_together() {
    model_interrupted(1, || {
        let queue = Arc::new(Mpmc::<u8, 4>::new());
        let others = [[1, 2], [11, 12]]
            .map(|pair| beside(&queue, move |queue| assert_eq!(queue.push_slice(&pair), Ok(2))));
        let mut popped = [0; 4];
        let mut left = &mut popped[..];
        while !left.is_empty() {
            let count = queue.pop_slice(left).unwrap().len();
            left = &mut left[count..];
        }
        join(others);
        assert!([[1, 2, 11, 12], [11, 12, 1, 2]].contains(&popped), "{popped:?}");
    });
}

/// A batch is for as many as sleep.
#[test]
fn batch_wakes_as_many_as_there_are_values() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        let consumers = [beside(&queue, pop), beside(&queue, pop)];
        assert_eq!(queue.push_slice(&[1, 2]), Ok(2));
        assert_eq!(sorted(join(consumers)), [1, 2]);
    });
}

#[test]
fn batch_wakes_as_many_as_there_are_slots() {
    model_interrupted(2, || {
        let queue = Arc::new(Mpmc::<u8, 2>::new());
        push_all(&queue, &[1, 2]);
        let producers = [3, 4].map(|value| beside(&queue, move |queue| push_all(queue, &[value])));
        assert_eq!(queue.pop_slice(&mut [0; 2]).unwrap(), [1, 2]);
        join(producers);
        assert_eq!(sorted(queue.drain()), [3, 4]);
    });
}

/// Who pops a value sees what was done before it was pushed; who pushes into the slot sees what was
/// done before it was popped from there.
#[test]
fn what_went_before_is_seen() {
    model(|| {
        let shared = Arc::new((Mpmc::<u8, 1>::new(), Tally::default(), Tally::default()));
        let consumer = beside(&shared, |(queue, pushed, popped)| {
            popped.add_one();
            if queue.try_pop().is_ok() {
                assert_eq!(pushed.get(), 1);
            }
        });
        let (queue, pushed, popped) = &*shared;
        pushed.add_one();
        push_all(queue, &[1]);
        if queue.try_push(2).is_ok() {
            assert_eq!(popped.get(), 1);
        }
        consumer.join().unwrap();
    });
}

/// The same for batches.
#[test]
fn what_went_before_a_batch_is_seen() {
    model(|| {
        let shared = Arc::new((Mpmc::<u8, 2>::new(), Tally::default(), Tally::default()));
        let consumer = beside(&shared, |(queue, pushed, popped)| {
            popped.add_one();
            if queue.try_pop_slice(&mut [0; 2]).is_ok() {
                assert_eq!(pushed.get(), 1);
            }
        });
        let (queue, pushed, popped) = &*shared;
        pushed.add_one();
        assert_eq!(queue.try_push_slice(&[1, 2]), Ok(2));
        if queue.try_push_slice(&[3, 4]).is_ok() {
            assert_eq!(popped.get(), 1);
        }
        consumer.join().unwrap();
    });
}

/// Nobody counts what never was.
#[test]
fn length_is_none_that_never_was() {
    model(|| {
        let queue = Arc::new(Mpmc::<u8, 4>::new());
        let consumer = beside(&queue, |queue| {
            let popped = queue.try_pop().is_ok();
            assert!(!popped || queue.is_empty());
        });
        let stranger = beside(&queue, |queue| assert!(queue.len() <= 1));
        push_all(&queue, &[0]);
        join([consumer, stranger]);
    });
}

/// Whoever is woken by the end while one is still being pushed sleeps again, and hears of it later.
#[test]
fn end_behind_a_push_that_is_not_done_yet_is_heard_by_all() {
    model_interrupted(1, || {
        let queue = Arc::new(Mpmc::<u8, 1>::new());
        let consumers = [(); 2].map(|()| beside(&queue, |queue| queue.pop().ok()));
        let closer = beside(&queue, Mpmc::close);
        let is_pushed = queue.push(1).is_ok();
        let popped = join(consumers).into_iter().flatten().count();
        closer.join().unwrap();
        assert_eq!(popped, usize::from(is_pushed));
    });
}
