use core::ops::Range;

use loom::model;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread::JoinHandle;
use rawipc::queue::{Closed, Consumer, PopError, PushError, Spsc};

use crate::{Tally, beside, join, later, model_interrupted, soon};

// As in all models: who has loaded what it then stores hides from loom those who load it before. So
// whoever loads less of it goes first, where it matters which side that is, and else both do.

/// As many as that are popped, by a consumer that then gives its role back.
fn pop_in_order<const N: usize>(queue: &Spsc<u8, N>, values: Range<u8>) {
    let mut consumer = queue.consumer().unwrap();
    for value in values {
        assert_eq!(consumer.pop(), Ok(value));
    }
}

fn push_in_order<const N: usize>(queue: &Spsc<u8, N>, values: Range<u8>) {
    let mut producer = queue.producer().unwrap();
    for value in values {
        assert_eq!(producer.push(value), Ok(()));
    }
}

/// All that still come, until it is closed and empty.
fn pop_all<const N: usize>(consumer: &mut Consumer<'_, u8, N>) -> Vec<u8> {
    core::iter::from_fn(|| consumer.pop().ok()).collect()
}

/// What is in it when nobody else uses it any more.
fn rest<const N: usize>(queue: &Spsc<u8, N>) -> Vec<u8> {
    queue.consumer().unwrap().drain().collect()
}

/// Whoever has to wait is not forgotten, and each slot is written after it has been read.
#[test]
fn values_come_in_order_through_one_slot() {
    model_interrupted(4, || {
        // Both may sleep, and more than once: too many schedules to go through them all.
        let queue = Arc::new(Spsc::<u8, 1>::new());
        let consumer = beside(&queue, |queue| pop_in_order(queue, 0..2));
        push_in_order(&queue, 0..2);
        consumer.join().unwrap();
    });
}

#[test]
fn values_come_in_order_through_one_slot_thrice() {
    model_interrupted(2, || {
        // Each value more takes ten times as long.
        let queue = Arc::new(Spsc::<u8, 1>::new());
        let producer = beside(&queue, |queue| push_in_order(queue, 0..3));
        pop_in_order(&queue, 0..3);
        producer.join().unwrap();
    });
}

#[test]
fn values_come_in_order_through_two_slots() {
    model_interrupted(2, || {
        // So many that both slots are used again.
        let queue = Arc::new(Spsc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| pop_in_order(queue, 0..4));
        push_in_order(&queue, 0..4);
        consumer.join().unwrap();
    });
}

/// The same among those who try.
fn nothing_is_lost_among_those_who_try<const N: usize>() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, N>::new());
        let consumer = beside(&queue, |queue| {
            let mut consumer = queue.consumer().unwrap();
            (0..3).filter_map(|_| consumer.try_pop().ok()).collect::<Vec<_>>()
        });
        let mut producer = queue.producer().unwrap();
        let pushed: Vec<_> = (0..3).filter(|&value| producer.try_push(value).is_ok()).collect();
        let mut popped = consumer.join().unwrap();
        popped.extend(rest(&queue));
        assert_eq!(popped, pushed);
    });
}

#[test]
fn nothing_is_lost_where_one_tries_one_slot() {
    nothing_is_lost_among_those_who_try::<1>();
}

#[test]
fn nothing_is_lost_where_one_tries_two_slots() {
    nothing_is_lost_among_those_who_try::<2>();
}

#[test]
fn sleeping_consumer_is_not_forgotten() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 1>::new());
        let consumer = beside(&queue, |queue| pop_in_order(queue, 7..8));
        push_in_order(&queue, 7..8);
        consumer.join().unwrap();
    });
}

#[test]
fn sleeping_producer_is_not_forgotten() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 1>::new());
        push_in_order(&queue, 0..1);
        let producer = beside(&queue, |queue| push_in_order(queue, 1..2));
        pop_in_order(&queue, 0..1);
        producer.join().unwrap();
        assert_eq!(rest(&queue), [1]);
    });
}

/// Who hears that it is closed sees what was done before it was closed.
#[test]
fn close_wakes_the_consumer_who_sees_what_went_before() {
    model(|| {
        let shared = Arc::new((Spsc::<u8, 1>::new(), Tally::default()));
        let consumer = beside(&shared, |(queue, done)| {
            assert_eq!(queue.consumer().unwrap().pop(), Err(Closed(())));
            assert_eq!(done.get(), 1);
        });
        shared.1.add_one();
        shared.0.close();
        consumer.join().unwrap();
    });
}

#[test]
fn close_wakes_the_producer_who_sees_what_went_before() {
    model(|| {
        let shared = Arc::new((Spsc::<u8, 1>::new(), Tally::default()));
        push_in_order(&shared.0, 0..1);
        let producer = beside(&shared, |(queue, done)| {
            assert_eq!(queue.producer().unwrap().push(1), Err(Closed(1)));
            assert_eq!(done.get(), 1);
        });
        shared.1.add_one();
        shared.0.close();
        producer.join().unwrap();
    });
}

/// The same for who is told so when it comes, or has already stored a value.
#[test]
fn what_went_before_a_close_is_seen_without_sleep() {
    model(|| {
        let shared = Arc::new((Spsc::<u8, 1>::new(), Tally::default()));
        let producer = beside(&shared, |(queue, done)| {
            if queue.producer().unwrap().try_push(0).is_err() || queue.is_closed() {
                assert_eq!(done.get(), 1);
            }
        });
        let consumer = beside(&shared, |(queue, done)| {
            if queue.consumer().unwrap().try_pop() == Err(PopError::Closed) {
                assert_eq!(done.get(), 1);
            }
        });
        shared.1.add_one();
        shared.0.close();
        producer.join().unwrap();
        consumer.join().unwrap();
    });
}

/// What a push says it has pushed is popped before the consumer hears that it is closed, and what a
/// push gives back never is.
fn is_popped<const N: usize>(pushed: &[u8], popped: &[u8], queue: &Spsc<u8, N>) {
    assert_eq!(popped, pushed);
    assert_eq!(queue.consumer().unwrap().try_pop(), Err(PopError::Closed));
    assert_eq!(queue.producer().unwrap().try_push(9), Err(PushError::Closed(9)));
}

#[test]
fn close_is_exact() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let queue = Arc::new(Spsc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| pop_all(&mut queue.consumer().unwrap()));
        let closer = beside(&queue, Spsc::close);
        let mut producer = queue.producer().unwrap();
        let pushed: Vec<_> = (0..2).take_while(|&value| producer.push(value).is_ok()).collect();
        drop(producer);
        let popped = consumer.join().unwrap();
        closer.join().unwrap();
        is_popped(&pushed, &popped, &queue);
    });
}

#[test]
fn close_by_the_consumer_is_exact() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| {
            queue.close();
            pop_all(&mut queue.consumer().unwrap())
        });
        let mut producer = queue.producer().unwrap();
        let pushed: Vec<_> = (0..2).take_while(|&value| producer.push(value).is_ok()).collect();
        drop(producer);
        is_popped(&pushed, &consumer.join().unwrap(), &queue);
    });
}

/// Also where only the beginning of what is pushed at once still comes out.
#[test]
fn close_is_exact_within_a_batch() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| {
            queue.close();
            pop_all(&mut queue.consumer().unwrap())
        });
        let pushed = queue.producer().unwrap().push_slice(&[0, 1]).unwrap_or_default();
        is_popped(&[0, 1][..pushed], &consumer.join().unwrap(), &queue);
    });
}

#[test]
fn what_is_pushed_at_once_comes_in_order() {
    model_interrupted(3, || {
        // Each value more takes ten times as long.
        let queue = Arc::new(Spsc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| {
            let mut consumer = queue.consumer().unwrap();
            let mut popped = [9; 3];
            let mut left = &mut popped[..];
            while !left.is_empty() {
                let count = consumer.pop_slice(left).unwrap().len();
                left = &mut left[count..];
            }
            assert_eq!(popped, [0, 1, 2]);
        });
        let mut producer = queue.producer().unwrap();
        let mut left = &[0, 1, 2][..];
        while !left.is_empty() {
            left = &left[producer.push_slice(left).unwrap()..];
        }
        consumer.join().unwrap();
    });
}

#[test]
fn what_is_written_in_place_comes_in_order() {
    model_interrupted(3, || {
        // Each value more takes ten times as long.
        let queue = Arc::new(Spsc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| {
            let mut consumer = queue.consumer().unwrap();
            let mut next = 0;
            while next < 3 {
                let chunk = consumer.read(2).unwrap();
                for slot in chunk.slots() {
                    assert_eq!(slot.read(), next);
                    next += 1;
                }
                chunk.release(2);
            }
        });
        let mut producer = queue.producer().unwrap();
        let mut values = 0..3;
        while !values.is_empty() {
            let mut chunk = producer.reserve(values.len()).unwrap();
            chunk.slots().zip(&mut values).for_each(|(mut slot, value)| slot.write(value));
            assert!(chunk.commit(2).is_ok());
        }
        consumer.join().unwrap();
    });
}

/// Whoever pushes after another goes on where that has stopped.
#[test]
fn role_of_the_producer_is_handed_over() {
    fn push(queue: &Spsc<u8, 4>, value: u8) -> usize {
        queue.producer().map(|mut producer| producer.try_push(value).unwrap()).iter().count()
    }
    model(|| {
        let queue = Arc::new(Spsc::<u8, 4>::new());
        let others = [1, 2].map(|value| beside(&queue, move |queue| push(queue, value)));
        let pushed = push(&queue, 3) + join(others).iter().sum::<usize>();
        assert_eq!(rest(&queue).len(), pushed);
    });
}

#[test]
fn role_of_the_consumer_is_handed_over() {
    fn pop(queue: &Spsc<u8, 4>) -> Option<u8> {
        queue.consumer().map(|mut consumer| consumer.try_pop().unwrap())
    }
    model(|| {
        let queue = Arc::new(Spsc::<u8, 4>::new());
        push_in_order(&queue, 0..3);
        let others = [beside(&queue, pop), beside(&queue, pop)];
        let mut popped: Vec<_> = pop(&queue).into_iter().collect();
        popped.extend(join(others).into_iter().flatten());
        popped.extend(rest(&queue));
        popped.sort_unstable();
        assert_eq!(popped, [0, 1, 2]);
    });
}

/// Also where that has written what it has not pushed.
#[test]
fn next_producer_overwrites_what_was_not_committed() {
    fn write(queue: &Spsc<u8, 1>, value: u8) {
        if let Some(mut producer) = queue.producer() {
            let mut chunk = producer.try_reserve(1).unwrap();
            chunk.slots().for_each(|mut slot| slot.write(value));
        }
    }
    model(|| {
        let queue = Arc::new(Spsc::<u8, 1>::new());
        let other = beside(&queue, |queue| write(queue, 1));
        write(&queue, 2);
        other.join().unwrap();
        assert!(queue.is_empty());
    });
}

/// Whoever takes the role finds what is free without another look, and may write there.
#[test]
fn next_producer_sees_what_has_been_read() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 1>::new());
        push_in_order(&queue, 0..1);
        let consumer = beside(&queue, |queue| pop_in_order(queue, 0..1));
        let pushed = queue.producer().unwrap().try_push(1).is_ok();
        consumer.join().unwrap();
        assert_eq!(rest(&queue), [1][..usize::from(pushed)]);
    });
}

/// Whoever seizes a role that was given back, of which it has heard by the way, finds all as it was
/// left.
#[test]
fn role_that_is_seized_is_handed_over() {
    type Shared = (Spsc<u8, 2>, AtomicUsize);
    fn seizes(task: impl Fn(&Spsc<u8, 2>) + Copy + Send + Sync + 'static, seize: fn(&Spsc<u8, 2>)) {
        model(move || {
            let shared = Arc::new((Spsc::new(), AtomicUsize::new(0)));
            push_in_order(&shared.0, 0..1);
            let next: JoinHandle<()> = beside(&shared, move |(queue, gone): &Shared| {
                if gone.load(Relaxed) == 1 {
                    seize(queue);
                }
            });
            task(&shared.0);
            shared.1.store(1, Relaxed);
            next.join().unwrap();
        });
    }
    seizes(
        |queue| queue.producer().unwrap().push(1).unwrap(),
        |queue| assert_eq!(queue.reclaim_producer().try_push(2), Err(PushError::Full(2))),
    );
    seizes(
        |queue| assert_eq!(queue.consumer().unwrap().pop(), Ok(0)),
        |queue| assert_eq!(queue.reclaim_consumer().try_pop(), Err(PopError::Empty)),
    );
}

/// A deadline may pass while a value comes: that is popped then, or next.
#[test]
fn consumer_that_gives_up_loses_nothing() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 1>::new());
        let consumer = beside(&queue, |queue| {
            let mut consumer = queue.consumer().unwrap();
            let popped = consumer.pop_until(soon()).or_else(|_| consumer.pop_until(later()));
            assert_eq!(popped, Ok(7));
        });
        push_in_order(&queue, 7..8);
        consumer.join().unwrap();
    });
}

#[test]
fn producer_that_gives_up_loses_nothing() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 1>::new());
        push_in_order(&queue, 0..1);
        let producer = beside(&queue, |queue| {
            let mut producer = queue.producer().unwrap();
            let pushed = producer.push_until(1, soon()).or_else(|error| {
                assert_eq!(error, PushError::Full(1));
                producer.push_until(1, later())
            });
            assert_eq!(pushed, Ok(()));
        });
        pop_in_order(&queue, 0..1);
        producer.join().unwrap();
        assert_eq!(rest(&queue), [1]);
    });
}

/// The consumer counts no more than there is, the producer no less, and nobody what never was.
#[test]
fn length_errs_on_the_safe_side() {
    model(|| {
        let queue = Arc::new(Spsc::<u8, 2>::new());
        let consumer = beside(&queue, |queue| {
            let popped = queue.consumer().unwrap().try_pop().is_ok();
            assert!(!popped || queue.is_empty());
        });
        let stranger = beside(&queue, |queue| assert!(queue.len() <= 1));
        push_in_order(&queue, 0..1);
        let length = queue.len();
        join([consumer, stranger]);
        assert!(length >= queue.len());
    });
}
