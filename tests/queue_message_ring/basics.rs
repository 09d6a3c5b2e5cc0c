//! What each call does.

use core::mem::MaybeUninit;

use rawipc::queue::{MessagePopError, MessagePushError, MessageRing};

use crate::support::crowd::{asleep, times_out};
use crate::support::shared::shared;
use crate::support::{child, isolated, join, soon};
use crate::{Ring, Small, ring_at};

#[test]
fn the_longest_message_fits_wherever_an_empty_ring_has_come_to() {
    fn fits<const BYTES: usize>() {
        let longest = MessageRing::<BYTES>::MAX_LEN;
        for position in (0..BYTES as u64).step_by(8) {
            let ring = ring_at::<BYTES>(position);
            let mut producer = ring.producer().unwrap();
            let message = vec![7; longest];
            assert_eq!(producer.try_push(&message), Ok(()), "at {position} of {BYTES}");
            let mut buffer = vec![0; longest];
            assert_eq!(ring.consumer().unwrap().try_pop(&mut buffer[..]).unwrap(), message);
        }
    }
    fits::<64>();
    fits::<128>();
    fits::<4096>();
}

#[test]
fn what_is_longer_than_any_may_be_is_refused() {
    let ring = Ring::new();
    let mut producer = ring.producer().unwrap();
    for length in [Ring::MAX_LEN + 1, Ring::CAPACITY, usize::MAX] {
        assert_eq!(producer.reserve(length).unwrap_err(), MessagePushError::TooLong);
        assert_eq!(producer.try_reserve(length).unwrap_err(), MessagePushError::TooLong);
    }
    let message = vec![0; Ring::MAX_LEN + 1];
    assert_eq!(producer.push(&message), Err(MessagePushError::TooLong));
    assert_eq!(producer.push_until(&message, soon()), Err(MessagePushError::TooLong));
    assert!(ring.is_empty());
}

#[test]
fn a_message_that_is_longer_than_the_buffer_stays() {
    let ring = Ring::new();
    let mut consumer = ring.consumer().unwrap();
    ring.producer().unwrap().push(b"four").unwrap();
    for _ in 0..2 {
        let error = Err(MessagePopError::TooShort { length: 4 });
        assert_eq!(consumer.try_pop(&mut [0; 3]), error);
        assert_eq!(consumer.pop(&mut [0; 0]), error);
        assert_eq!(consumer.pop_until(&mut [MaybeUninit::uninit(); 3], soon()), error);
    }
    assert_eq!(consumer.pop(&mut [MaybeUninit::uninit(); 4]).unwrap(), b"four");
}

#[test]
fn a_message_without_bytes_is_one() {
    let ring = Ring::new();
    let mut producer = ring.producer().unwrap();
    producer.push(b"").unwrap();
    producer.reserve(9).unwrap().commit(0).unwrap();
    let mut consumer = ring.consumer().unwrap();
    assert_eq!(consumer.try_pop(&mut [0; 0]).unwrap(), b"");
    assert!(consumer.try_read().unwrap().is_empty());
    assert_eq!(ring.used_bytes(), 8);
}

#[test]
fn what_is_copied_out_is_what_there_is_and_what_there_is_room_for() {
    let ring = Ring::new();
    ring.producer().unwrap().push(b"0123456789").unwrap();
    let mut consumer = ring.consumer().unwrap();
    let message = consumer.read().unwrap();
    for offset in [0, 1, 7, 8, 9, 10, 11, usize::MAX] {
        for room in [0, 1, 7, 8, 20] {
            let expected = &b"0123456789"[offset.min(10)..offset.saturating_add(room).min(10)];
            assert_eq!(message.copy_out(offset, &mut vec![0; room][..]), expected);
        }
    }
}

#[test]
fn what_does_not_fit_into_a_reservation_is_not_copied_nor_committed() {
    let ring = Ring::new();
    let mut producer = ring.producer().unwrap();
    let mut reservation = producer.reserve(8).unwrap();
    for (offset, bytes) in [(0, &[1; 9][..]), (8, &[1]), (9, &[]), (usize::MAX, &[1])] {
        assert_eq!(reservation.copy_in(offset, bytes), Err(MessagePushError::TooLong));
    }
    reservation.copy_in(8, &[]).unwrap();
    assert_eq!(reservation.commit(9), Err(MessagePushError::TooLong));
    assert!(ring.is_empty());
}

#[test]
#[allow(clippy::cast_ptr_alignment, reason = "which is asserted")]
fn messages_lie_where_words_do_and_are_used_there() {
    let ring = Ring::new();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    for (number, more) in (0..2000_u64).zip((0..5).cycle()) {
        let mut reservation = producer.reserve(8 + more).unwrap();
        let room = reservation.as_mut_ptr().cast::<u64>();
        assert!(room.is_aligned());
        // SAFETY: 8 bytes and more, aligned; nobody else has this memory.
        unsafe { room.write(number) };
        reservation.commit(8).unwrap();
        let message = consumer.read().unwrap();
        assert_eq!(message.copy_out(0, &mut [0; 8]), number.to_ne_bytes());
        // SAFETY: 8 bytes, aligned; nobody else has this memory.
        assert_eq!(unsafe { message.as_ptr().cast::<u64>().read() }, number);
        message.release();
    }
}

#[test]
fn a_role_is_taken_in_every_process_until_it_is_given_back() {
    isolated(|| {
        let ring = shared(Ring::new());
        let roles = (ring.producer(), ring.consumer());
        join(child(|| assert!(ring.producer().is_none() && ring.consumer().is_none())));
        drop(roles);
        join(child(|| {
            ring.producer().expect("given back").push(b"from the child").unwrap();
            assert!(ring.consumer().is_some());
        }));
        assert!(ring.producer().is_some());
        let mut consumer = ring.consumer().expect("given back");
        assert_eq!(consumer.try_pop(&mut [0; 20]).unwrap(), b"from the child");
    });
}

#[test]
fn who_waits_gives_up_at_the_deadline() {
    let ring = Small::new();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let pop = |by| consumer.pop_until(&mut [0; 8], by).map(drop);
    assert_eq!(times_out(pop), MessagePopError::Empty);
    assert_eq!(times_out(|by| consumer.read_until(by).map(drop)), MessagePopError::Empty);
    while producer.try_push(&[0; 24]).is_ok() {}
    assert_eq!(times_out(|by| producer.push_until(&[0; 24], by)), MessagePushError::Full);
    let reserve = |by| producer.reserve_until(24, by).map(drop);
    assert_eq!(times_out(reserve), MessagePushError::Full);
}

#[test]
fn who_sleeps_is_woken_by_a_message_by_room_and_by_the_end() {
    isolated(|| {
        let ring = shared(Small::new());
        let pop = |length| ring.reclaim_consumer().pop(&mut [0; 120]).map(|m| m.len() == length);
        let sleeper = asleep(|| assert_eq!(pop(5), Ok(true)));
        ring.reclaim_producer().push(b"woken").unwrap();
        join(sleeper);

        while ring.reclaim_producer().try_push(&[0; 100]).is_ok() {}
        let sleeper = asleep(|| ring.reclaim_producer().push(&[0; 112]).expect("room"));
        assert_eq!(pop(100), Ok(true));
        // Not enough yet, or enough.
        assert_eq!(pop(100), Ok(true));
        join(sleeper);

        while ring.reclaim_producer().try_push(&[0; 100]).is_ok() {}
        let sleeper = asleep(|| {
            let error = ring.reclaim_producer().push(&[0; 112]).unwrap_err();
            assert_eq!(error, MessagePushError::Closed);
        });
        ring.close();
        join(sleeper);

        let ring = shared(Small::new());
        let sleeper = asleep(|| {
            let error = ring.reclaim_consumer().pop(&mut [0; 8]).unwrap_err();
            assert_eq!(error, MessagePopError::Closed);
        });
        ring.close();
        join(sleeper);
    });
}

#[test]
fn what_is_in_a_closed_ring_can_still_be_popped() {
    let ring = Ring::new();
    let mut producer = ring.producer().unwrap();
    producer.push(b"first").unwrap();
    let mut reservation = producer.reserve(8).unwrap();
    reservation.copy_in(0, b"too late").unwrap();
    ring.close();
    // What it is told is what the consumer sees: it may be the last one.
    let is_pushed = reservation.commit(8).is_ok();
    assert_eq!(producer.push(b"later"), Err(MessagePushError::Closed));
    assert_eq!(producer.try_reserve(1).unwrap_err(), MessagePushError::Closed);
    let mut consumer = ring.consumer().unwrap();
    assert_eq!(consumer.pop(&mut [0; 8]).unwrap(), b"first");
    assert_eq!(consumer.pop(&mut [0; 8]).is_ok_and(|last| last == b"too late"), is_pushed);
    for _ in 0..2 {
        assert_eq!(consumer.try_pop(&mut [0; 8]), Err(MessagePopError::Closed));
        assert_eq!(consumer.read().unwrap_err(), MessagePopError::Closed);
    }
}

#[test]
fn what_is_committed_after_the_consumer_has_ended_is_never_popped() {
    let ring = Ring::new();
    let mut producer = ring.producer().unwrap();
    let mut reservation = producer.reserve(8).unwrap();
    reservation.copy_in(0, b"too late").unwrap();
    ring.close();
    let mut consumer = ring.consumer().unwrap();
    assert_eq!(consumer.try_pop(&mut [0; 8]), Err(MessagePopError::Closed));
    assert_eq!(reservation.commit(8), Err(MessagePushError::Closed));
    assert_eq!(consumer.try_pop(&mut [0; 8]), Err(MessagePopError::Closed));
    drop(consumer);
    let mut consumer = ring.consumer().unwrap();
    assert_eq!(consumer.try_pop(&mut [0; 8]), Err(MessagePopError::Closed));
    assert!(ring.is_empty());
}
