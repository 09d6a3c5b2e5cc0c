//! Many messages from one process to another.

use rawipc::queue::{
    MessageConsumer, MessagePopError, MessageProducer, MessagePushError, MessageRing,
};

use crate::support::shared::shared;
use crate::support::{self, child, isolated, join, soon};
use crate::{Large, Numbers, Small, ring_at};

/// What a message consists of that is the `number`th, so that each has another length and others
/// bytes.
struct Messages {
    noise: Vec<u8>,
    longest: usize,
}

impl Messages {
    fn new(longest: usize) -> Self {
        let mut numbers = Numbers(3);
        let noise = (0..2 * longest + 512).map(|_| numbers.next().to_le_bytes()[0]).collect();
        Self { noise, longest }
    }

    fn get(&self, number: u64) -> &[u8] {
        let random = Numbers(number).next();
        // More short ones than long ones.
        let limit = match random % 32 {
            0 => self.longest,
            1..8 => 700,
            _ => 90,
        };
        let limit = limit.min(self.longest);
        let length = (random >> 8) as usize % (limit + 1);
        let start = (random >> 40) as usize % (self.noise.len() - length);
        &self.noise[start..start + length]
    }
}

/// Pushes it in one of all the ways.
fn push_somehow<const BYTES: usize>(
    producer: &mut MessageProducer<'_, BYTES>,
    message: &[u8],
    way: u64,
) {
    match way % 5 {
        0 => producer.push(message).expect("room"),
        1 => producer.push_until(message, soon()).expect("room"),
        2 => {
            while let Err(error) = producer.try_push(message) {
                assert_eq!(error, MessagePushError::Full);
                std::thread::yield_now();
            }
        }
        3 => {
            let mut reservation = producer.reserve(message.len()).expect("room");
            assert_eq!(reservation.len(), message.len());
            let (first, second) = message.split_at(message.len() / 3);
            reservation.copy_in(first.len(), second).expect("within");
            reservation.copy_in(0, first).expect("within");
            reservation.commit(message.len()).expect("not closed");
        }
        _ => {
            let more = (message.len() + 40).min(MessageRing::<BYTES>::MAX_LEN);
            let mut reservation = producer.reserve_until(more, soon()).expect("room");
            reservation.copy_in(0, message).expect("within");
            reservation.commit(message.len()).expect("not closed");
        }
    }
}

/// Pops it in one of all the ways.
fn pop_somehow<const BYTES: usize>(
    consumer: &mut MessageConsumer<'_, BYTES>,
    buffer: &mut [u8],
    way: u64,
) -> usize {
    match way % 5 {
        0 => consumer.pop(buffer).expect("a message").len(),
        1 => consumer.pop_until(buffer, soon()).expect("a message").len(),
        2 => loop {
            match consumer.try_pop(&mut *buffer) {
                Ok(message) => break message.len(),
                Err(error) => assert_eq!(error, MessagePopError::Empty),
            }
            std::thread::yield_now();
        },
        3 => {
            let message = consumer.read().expect("a message");
            let length = message.len();
            let (first, second) = buffer.split_at_mut(length / 3);
            assert_eq!(message.copy_out(first.len(), second).len(), length - length / 3);
            assert_eq!(message.copy_out(0, first).len(), length / 3);
            message.release();
            length
        }
        _ => {
            drop(consumer.read().expect("a message"));
            let message = consumer.read_until(soon()).expect("the same message");
            let length = message.copy_out(0, &mut *buffer).len();
            assert_eq!(length, message.len());
            message.release();
            length
        }
    }
}

fn stream<const BYTES: usize>(ring: MessageRing<BYTES>, count: u64, longest: usize) {
    let (ring, messages) = (shared(ring), Messages::new(longest));
    let producer = child(|| {
        let mut producer = ring.producer().expect("the role");
        for number in 0..count {
            push_somehow(&mut producer, messages.get(number), Numbers(!number).next());
        }
        ring.close();
    });
    let mut consumer = ring.consumer().expect("the role");
    let mut buffer = vec![0; longest];
    for number in 0..count {
        let length = pop_somehow(&mut consumer, &mut buffer, Numbers(!number).next() >> 32);
        assert!(buffer[..length] == *messages.get(number), "message {number} of {length} bytes");
    }
    assert_eq!(consumer.pop(&mut buffer[..]), Err(MessagePopError::Closed));
    join(producer);
    assert!(ring.is_empty());
}

#[test]
fn a_million_messages_come_whole_and_in_order_from_another_process() {
    // A quarter of them where each takes four times as long.
    let count = if cfg!(debug_assertions) { 250_000 } else { 1_000_000 };
    isolated(move || stream(Large::new(), count, Large::MAX_LEN));
}

#[test]
fn messages_come_whole_and_in_order_through_the_smallest_ring() {
    isolated(|| stream(MessageRing::<64>::new(), 100_000, MessageRing::<64>::MAX_LEN));
}

#[test]
fn messages_come_whole_and_in_order_where_positions_begin_anew() {
    isolated(|| {
        for before in (0..2048).step_by(264) {
            stream(ring_at::<256>(u64::MAX - 7 - before), 1000, Small::MAX_LEN);
        }
    });
}

#[test]
fn a_stream_that_is_longer_than_it_is_fast_comes_through_one_cpu() {
    isolated(|| {
        support::stay_on_one_cpu();
        stream(Small::new(), 20_000, Small::MAX_LEN);
    });
}
