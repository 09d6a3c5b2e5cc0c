use core::ops::Deref;

use loom::model;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread::JoinHandle;
use rawipc::queue::{MessageConsumer, MessagePopError, MessagePushError, MessageRing};

use crate::{join, later, model_interrupted};

/// As small as there is: 64 bytes, of which a message of 16 takes 24, and a header stays free.
type Ring = MessageRing<64>;
type Consumer<'r> = MessageConsumer<'r, 64>;

/// A ring, and what all come by who use it.
///
/// That orders nothing, but is what makes loom try who of them comes first. It looks only at who
/// was last at an atomic, and so does not see that it matters who comes first where each of them
/// loads before it stores, as it does who claims a role.
struct Stage(Ring, AtomicUsize);

impl Stage {
    fn new() -> Arc<Self> {
        Arc::new(Self(Ring::new(), AtomicUsize::new(0)))
    }

    fn come(&self) {
        self.1.fetch_add(1, Relaxed);
    }
}

impl Deref for Stage {
    type Target = Ring;

    fn deref(&self) -> &Ring {
        &self.0
    }
}

/// Does it in a thread of its own, before this one goes on or later.
fn beside<T: 'static>(ring: &Arc<Stage>, task: impl FnOnce(&Ring) -> T + 'static) -> JoinHandle<T> {
    let thread = crate::beside(ring, |stage| {
        stage.come();
        task(stage)
    });
    ring.come();
    thread
}

const LONGEST: usize = Ring::MAX_LEN;

fn push(ring: &Ring, message: &[u8]) -> Result<(), MessagePushError> {
    ring.reclaim_producer().push(message)
}

fn try_push(ring: &Ring, message: &[u8]) -> Result<(), MessagePushError> {
    ring.reclaim_producer().try_push(message)
}

fn pop(ring: &Ring) -> Result<Vec<u8>, MessagePopError> {
    ring.reclaim_consumer().pop(&mut [0; LONGEST]).map(|message| message.to_vec())
}

fn try_pop(ring: &Ring) -> Result<Vec<u8>, MessagePopError> {
    ring.reclaim_consumer().try_pop(&mut [0; LONGEST]).map(|message| message.to_vec())
}

/// Empty, with so many bytes left before the end of the storage.
fn with_left(left: usize) -> Arc<Stage> {
    let ring = Stage::new();
    for _ in 0..(64 - left) / 8 {
        push(&ring, b"").unwrap();
        pop(&ring).unwrap();
    }
    ring
}

/// Whoever finds a message finds all of it; the next one comes after it. Here the second is where
/// the storage begins.
#[test]
fn messages_come_whole_and_in_order() {
    model(|| {
        let ring = with_left(24);
        let producer = beside(&ring, |ring| {
            let mut producer = ring.producer().unwrap();
            producer.push(&[1; 16]).unwrap();
            producer.push(&[2; 3]).unwrap();
        });
        let mut consumer = ring.consumer().unwrap();
        let mut found = 0;
        for _ in 0..2 {
            if let Ok(message) = consumer.try_pop(&mut [0; 16]) {
                let all = [vec![1; 16], vec![2; 3]];
                assert_eq!(message, all[found]);
                found += 1;
            }
        }
        producer.join().unwrap();
        let left = core::iter::from_fn(|| try_pop(&ring).ok()).count();
        assert_eq!(found + left, 2);
    });
}

/// The same for one that does not fit before the end of the storage.
#[test]
fn what_is_passed_over_is_found_behind_it() {
    model(|| {
        let ring = with_left(16);
        let producer = beside(&ring, |ring| push(ring, &[1; 16]).unwrap());
        let found = try_pop(&ring);
        producer.join().unwrap();
        assert_eq!(found.or_else(|_empty| try_pop(&ring)).unwrap(), [1; 16]);
        assert_eq!(try_pop(&ring), Err(MessagePopError::Empty));
    });
}

/// What is left of earlier messages is never taken for a record: not even while there is none
/// behind the last.
#[test]
fn nothing_is_found_behind_the_last() {
    model(|| {
        let ring = Stage::new();
        for _ in 0..4 {
            // Bytes that could be headers, all over the storage.
            push(&ring, &[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]).unwrap();
            pop(&ring).unwrap();
        }
        let producer = beside(&ring, |ring| push(ring, b"one").unwrap());
        let mut consumer = ring.consumer().unwrap();
        let mut found = 0;
        while let Ok(message) = consumer.try_pop(&mut [0; 16]) {
            assert_eq!(message, b"one");
            found += 1;
        }
        producer.join().unwrap();
        assert_eq!(found + usize::from(try_pop(&ring).is_ok()), 1);
    });
}

/// Nobody writes to a message that is still being read, however full it is.
#[test]
fn room_is_used_again_when_it_has_been_read() {
    model(|| {
        let ring = with_left(24);
        for message in [&[1; 16][..], &[2; 8], &[3; 8]] {
            push(&ring, message).unwrap();
        }
        let consumer = beside(&ring, |ring| assert_eq!(pop(ring).unwrap(), [1; 16]));
        // Where the first was, and only there.
        let is_pushed = try_push(&ring, &[4; 16]).is_ok();
        consumer.join().unwrap();
        assert_eq!([pop(&ring).unwrap(), pop(&ring).unwrap()], [[2; 8], [3; 8]]);
        assert_eq!(try_pop(&ring).is_ok_and(|message| message == [4; 16]), is_pushed);
    });
}

/// The same for who has looked for the consumer before it came.
#[test]
fn room_is_used_again_by_who_was_there_before() {
    model(|| {
        let ring = with_left(24);
        let mut producer = ring.producer().unwrap();
        for message in [&[1; 16][..], &[2; 8], &[3; 8]] {
            producer.push(message).unwrap();
        }
        let consumer = beside(&ring, |ring| assert_eq!(pop(ring).unwrap(), [1; 16]));
        let is_pushed = producer.try_push(&[4; 16]).is_ok();
        consumer.join().unwrap();
        assert_eq!([pop(&ring).unwrap(), pop(&ring).unwrap()], [[2; 8], [3; 8]]);
        assert_eq!(try_pop(&ring).is_ok_and(|message| message == [4; 16]), is_pushed);
    });
}

#[test]
fn who_waits_for_a_message_is_not_forgotten() {
    model(|| {
        let ring = Stage::new();
        let consumer = beside(&ring, pop);
        push(&ring, b"one").unwrap();
        assert_eq!(consumer.join().unwrap().unwrap(), b"one");
    });
}

#[test]
fn who_waits_for_room_is_not_forgotten() {
    model_interrupted(3, || {
        let ring = Stage::new();
        push(&ring, &[1; 16]).unwrap();
        push(&ring, &[2; 16]).unwrap();
        let producer = beside(&ring, |ring| push(ring, &[3; 16]));
        assert_eq!(pop(&ring).unwrap(), [1; 16]);
        assert_eq!(pop(&ring).unwrap(), [2; 16]);
        producer.join().unwrap().unwrap();
        assert_eq!(pop(&ring).unwrap(), [3; 16]);
    });
}

/// Both wait for each other, in turn.
#[test]
fn who_waits_in_turn_is_not_forgotten() {
    model_interrupted(2, || {
        let ring = with_left(40);
        let producer = beside(&ring, |ring| {
            let mut producer = ring.producer().unwrap();
            for number in 0..3 {
                producer.push(&[number; LONGEST]).unwrap();
            }
        });
        let mut consumer = ring.consumer().unwrap();
        for number in 0..3 {
            assert_eq!(consumer.pop(&mut [0; LONGEST]).unwrap(), [number; LONGEST]);
        }
        producer.join().unwrap();
    });
}

/// Who gives up leaves nothing behind by which the next who waits is forgotten.
#[test]
fn who_gives_up_takes_nobodys_wake() {
    model_interrupted(3, || {
        let ring = Stage::new();
        let consumer = beside(&ring, |ring| {
            let mut consumer = ring.consumer().unwrap();
            let by = crate::soon();
            let first = consumer.pop_until(&mut [0; 16], by).is_ok();
            first || consumer.pop_until(&mut [0; 16], later()).is_ok()
        });
        push(&ring, b"one").unwrap();
        assert!(consumer.join().unwrap());
    });
}

#[test]
fn who_waits_for_a_message_hears_that_it_is_closed() {
    model(|| {
        let ring = Stage::new();
        let consumer = beside(&ring, pop);
        ring.close();
        assert_eq!(consumer.join().unwrap(), Err(MessagePopError::Closed));
    });
}

#[test]
fn who_waits_for_room_hears_that_it_is_closed() {
    model(|| {
        let ring = Stage::new();
        push(&ring, &[1; 16]).unwrap();
        push(&ring, &[2; 16]).unwrap();
        let producer = beside(&ring, |ring| push(ring, &[3; 16]));
        ring.close();
        assert_eq!(producer.join().unwrap(), Err(MessagePushError::Closed));
    });
}

/// What a push says it has pushed is popped before the consumer hears that it is closed; and what a
/// push says it has not is never popped, also by a later consumer.
fn close_is_exact(
    left: usize,
    lengths: &'static [usize],
    pop: fn(&mut Consumer<'_>) -> Result<usize, MessagePopError>,
) {
    model_interrupted(2, move || {
        let ring = with_left(left);
        let producer = beside(&ring, move |ring| {
            let mut producer = ring.producer().unwrap();
            lengths.iter().take_while(|&&length| producer.push(&[7; 16][..length]).is_ok()).count()
        });
        let closer = beside(&ring, Ring::close);
        let mut consumer = ring.consumer().unwrap();
        let mut popped = 0;
        loop {
            match pop(&mut consumer) {
                Ok(length) => {
                    assert_eq!(length, lengths[popped]);
                    popped += 1;
                }
                Err(MessagePopError::Empty) => loom::thread::yield_now(),
                Err(error) => break assert_eq!(error, MessagePopError::Closed),
            }
        }
        assert_eq!(pop(&mut consumer), Err(MessagePopError::Closed));
        let [pushed] = join([producer]);
        join([closer]);
        assert_eq!(popped, pushed);
        assert_eq!(try_pop(&ring), Err(MessagePopError::Closed));
        assert_eq!(try_push(&ring, b""), Err(MessagePushError::Closed));
        assert!(ring.is_empty());
    });
}

fn at_once(consumer: &mut Consumer<'_>) -> Result<usize, MessagePopError> {
    Ok(consumer.try_pop(&mut [0; 16])?.len())
}

#[test]
fn close_is_exact_for_who_sleeps() {
    close_is_exact(64, &[3], |consumer| Ok(consumer.pop(&mut [0; 16])?.len()));
}

#[test]
fn close_is_exact_for_who_looks() {
    close_is_exact(64, &[3], at_once);
}

#[test]
fn close_is_exact_where_something_is_passed_over() {
    close_is_exact(16, &[16], at_once);
}

#[test]
fn close_is_exact_for_two() {
    close_is_exact(64, &[3, 4], at_once);
}

/// What was done before it was closed is seen by who finds it closed.
#[test]
fn what_went_before_the_close_is_seen() {
    model(|| {
        let shared = Arc::new((Ring::new(), crate::Tally::default()));
        let closer = crate::beside(&shared, |(ring, done)| {
            done.add_one();
            ring.close();
        });
        if shared.0.is_closed() {
            assert_eq!(shared.1.get(), 1);
        }
        closer.join().unwrap();
    });
}

/// Not before it is committed, and then only what is.
#[test]
fn what_is_reserved_is_not_pushed() {
    model(|| {
        let ring = with_left(16);
        let producer = beside(&ring, |ring| {
            let mut producer = ring.producer().unwrap();
            let mut dropped = producer.reserve(16).unwrap();
            dropped.copy_in(0, &[6; 16]).unwrap();
            drop(dropped);
            let mut reservation = producer.reserve(16).unwrap();
            reservation.copy_in(2, &[1; 7]).unwrap();
            reservation.copy_in(0, &[1; 2]).unwrap();
            reservation.commit(9).unwrap();
        });
        let found = try_pop(&ring);
        producer.join().unwrap();
        assert_eq!(found.or_else(|_empty| try_pop(&ring)).unwrap(), [1; 9]);
        assert_eq!(try_pop(&ring), Err(MessagePopError::Empty));
    });
}

/// Whoever gets a role that another has given back goes on where that one was.
#[test]
fn who_pushes_next_pushes_behind_the_last() {
    model(|| {
        let ring = Stage::new();
        let push = |ring: &Ring, message: &[u8]| {
            ring.producer().is_some_and(|mut producer| producer.push(message).is_ok())
        };
        let other = beside(&ring, move |ring| push(ring, b"a"));
        let mine = push(&ring, b"b");
        let theirs = other.join().unwrap();
        let popped = core::iter::from_fn(|| try_pop(&ring).ok()).count();
        assert_eq!(popped, usize::from(mine) + usize::from(theirs));
        assert!(mine || theirs);
    });
}

#[test]
fn who_pushes_next_writes_when_the_last_has_written() {
    model(|| {
        let ring = Stage::new();
        let other = beside(&ring, |ring| {
            if let Some(mut producer) = ring.producer() {
                producer.try_reserve(8).unwrap().copy_in(0, &[1; 8]).unwrap();
            }
        });
        if let Some(mut producer) = ring.producer() {
            producer.push(&[2; 8]).unwrap();
            assert_eq!(pop(&ring).unwrap(), [2; 8]);
        }
        other.join().unwrap();
    });
}

#[test]
fn who_pops_next_pops_what_is_behind_the_last() {
    model(|| {
        let ring = Stage::new();
        push(&ring, b"a").unwrap();
        push(&ring, b"b").unwrap();
        let pop = |ring: &Ring| {
            let popped = ring.consumer().map(|mut consumer| {
                consumer.try_pop(&mut [0; 16]).map(|message| message.to_vec()).unwrap()
            });
            popped.into_iter().collect::<Vec<_>>()
        };
        let other = beside(&ring, pop);
        let mut popped = pop(&ring);
        popped.extend(other.join().unwrap());
        popped.sort();
        popped.extend(core::iter::from_fn(|| try_pop(&ring).ok()));
        assert_eq!(popped, [b"a", b"b"]);
    });
}
