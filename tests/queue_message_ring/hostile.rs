//! Rings over bytes that nobody who keeps to the rules has written: no call panics, none waits
//! beyond its deadline, and what is no message is said to be none.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;
use std::time::Instant;

use proptest::prelude::*;
use rawipc::Deadline;
use rawipc::process::Child;
use rawipc::queue::{MessagePopError, MessagePushError};
use rawipc::shm::Shared;

use crate::support::crowd::times_out;
use crate::support::shared::{shared, words};
use crate::support::{child, isolated, join};
use crate::{CLOSED, END, HEAD, Numbers, SKIP, STORAGE, Small, TAIL, ring_of, size};

/// Every call that may be made of whatever bytes are there.
fn call_all(ring: &Small) {
    let shortly = || Deadline::after(Duration::from_micros(50));
    let mut buffer = [0; Small::MAX_LEN];
    for mut producer in ring.producer().into_iter().chain([ring.reclaim_producer()]) {
        let _ = (producer.try_push(b"some"), producer.push_until(&[1; 112], shortly()));
        let _ = producer.try_reserve(60).map(|mut room| {
            let _ = (room.copy_in(3, b"in it"), room.as_mut_ptr());
            room.commit(50)
        });
        let _ = producer.reserve_until(112, shortly()).map(drop);
    }
    for mut consumer in ring.consumer().into_iter().chain([ring.reclaim_consumer()]) {
        let _ = (consumer.try_pop(&mut [0; 7]), consumer.pop_until(&mut buffer, shortly()));
        for _ in 0..300 {
            match consumer.try_pop(&mut buffer) {
                Ok(message) => assert!(message.len() <= Small::MAX_LEN),
                Err(_) => break,
            }
        }
        let _ = consumer.try_read().map(|message| message.copy_out(1, &mut buffer).len());
        let _ = consumer.read_until(shortly()).map(|message| {
            assert!(message.len() <= Small::MAX_LEN);
            message.release();
        });
    }
    assert!(ring.used_bytes() <= Small::CAPACITY);
    let _ = (ring.is_empty(), ring.is_closed(), format!("{ring:?}"));
}

#[test]
fn any_bytes_can_be_called() {
    let mut numbers = Numbers(7);
    for round in 0..2000 {
        let at = (0..size_of::<Small>()).step_by(8);
        let mut all: Vec<_> = at.map(|at| (at, numbers.telling())).collect();
        if round % 2 == 0 {
            // Open, and at a place where there may be something.
            let position = numbers.next();
            let used = numbers.next() % 33 * 8;
            all.extend([(CLOSED, 0), (HEAD, position), (TAIL, position.wrapping_add(used))]);
        }
        let ring = ring_of::<256>(&all);
        call_all(&ring);
        if round % 2 == 0 {
            ring.close();
            call_all(&ring);
        }
    }
}

/// Writes there without a pause, until it is told to stop.
fn vandal(ring: &Shared<Small>, stop: &AtomicU32) -> Child {
    child(|| {
        let mut numbers = Numbers(8);
        while stop.load(Relaxed) == 0 {
            for halves in words(ring).chunks_exact(2) {
                let number = numbers.telling().to_ne_bytes();
                let values = number.chunks_exact(4).map(|half| half.try_into().expect("four"));
                for (half, value) in halves.iter().zip(values.map(u32::from_ne_bytes)) {
                    half.store(value, Relaxed);
                }
            }
        }
    })
}

#[test]
fn bytes_that_change_all_the_time_can_be_called() {
    isolated(|| {
        let (ring, stop) = (shared(Small::new()), shared(AtomicU32::new(0)));
        let vandal = vandal(&ring, &stop);
        for _ in 0..300 {
            call_all(&ring);
        }
        stop.store(1, Relaxed);
        join(vandal);
    });
}

#[test]
fn deadlines_hold_in_a_ring_that_says_nonsense() {
    isolated(|| {
        let full_for_ever = ring_of::<256>(&[(TAIL, 0), (HEAD, 64)]);
        let mut producer = full_for_ever.producer().unwrap();
        assert_eq!(times_out(|by| producer.push_until(b"", by)), MessagePushError::Full);

        let skips_for_ever = ring_of::<256>(&[(STORAGE, SKIP)]);
        let start = Instant::now();
        let error = skips_for_ever.consumer().unwrap().pop(&mut [0; 8]).unwrap_err();
        assert_eq!(error, MessagePopError::Corrupt);
        assert!(start.elapsed() < Duration::from_secs(1));

        let ends_nowhere = ring_of::<256>(&[(CLOSED, 1), (END, 77)]);
        let error = ends_nowhere.reclaim_consumer().pop(&mut [0; 8]).unwrap_err();
        assert_eq!(error, MessagePopError::Closed);
    });
}

/// What there is at `offset` of 256 bytes of storage, of those headers there and at the beginning.
fn expected(offset: u64, header: u64, first: u64) -> Result<usize, MessagePopError> {
    let length = |offset: u64, header: u64| {
        let length = usize::try_from(header - 1).expect("64 bits");
        let is_whole = length <= Small::MAX_LEN && offset + size(length) <= 256;
        is_whole.then_some(length).ok_or(MessagePopError::Corrupt)
    };
    match (header, first) {
        (0, _) => Err(MessagePopError::Empty),
        (SKIP, 0) => Err(MessagePopError::Corrupt),
        (SKIP, first) => length(0, first),
        _ => length(offset, header),
    }
}

fn headers() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..260_u64,
        Just(SKIP),
        SKIP..SKIP + 300,
        any::<u64>(),
        any::<u32>().prop_map(u64::from)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_header_is_a_message_or_nothing_or_corrupt(
        turn in any::<u64>(),
        offset in 0..32_u64,
        header in headers(),
        first in headers(),
    ) {
        let offset = offset * 8;
        let position = (turn & !255) + offset;
        let first = if offset == 0 { header } else { first };
        let at = STORAGE + usize::try_from(offset).unwrap();
        let ring = ring_of::<256>(&[
            (TAIL, position), (HEAD, position), (STORAGE, first), (at, header),
        ]);
        let expected = if (offset, header) == (0, SKIP) {
            Err(MessagePopError::Corrupt)
        } else {
            expected(offset, header, first)
        };
        let mut consumer = ring.consumer().unwrap();
        let found = consumer.try_read().map(|message| message.len());
        prop_assert_eq!(found, expected);
        let popped = consumer.try_pop(&mut [0; Small::MAX_LEN]).map(|message| message.len());
        prop_assert_eq!(popped, expected);
        if expected.is_err() {
            let again = consumer.try_read().map(|message| message.len());
            prop_assert_eq!(again, expected);
        }
    }
}
