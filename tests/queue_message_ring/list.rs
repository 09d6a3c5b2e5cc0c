//! A ring against a list of messages, which does the same in a simpler way.

use core::cell::RefCell;
use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use rawipc::queue::{Message, MessagePopError, MessagePushError};

use crate::{Numbers, Small, ring_at, size};

#[derive(Clone, Debug)]
enum Act {
    Push(usize),
    Commit { reserved: usize, length: usize },
    Reserve(usize),
    Pop(usize),
    Release,
    Read,
    Handover,
    Close,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    const LONGEST: usize = Small::MAX_LEN + 2;
    let act = prop_oneof![
        8 => (0..LONGEST).prop_map(Act::Push),
        4 => (0..LONGEST, 0..LONGEST)
            .prop_map(|(reserved, length)| Act::Commit { reserved, length }),
        1 => (0..LONGEST).prop_map(Act::Reserve),
        8 => (0..LONGEST * 3).prop_map(|room| Act::Pop(room.min(LONGEST))),
        3 => Just(Act::Release),
        1 => Just(Act::Read),
        1 => Just(Act::Handover),
    ];
    let acts = vec(act, 1..200);
    (acts, vec(Just(Act::Close), 0..2), vec((0..LONGEST).prop_map(Act::Pop), 0..9))
        .prop_map(|(acts, close, pops)| [acts, close, pops].concat())
}

/// What a ring does, with the messages in a list.
#[derive(Default)]
struct Model {
    messages: VecDeque<Vec<u8>>,
    /// Where each of them ends.
    ends: VecDeque<u64>,
    head: u64,
    tail: u64,
    is_closed: bool,
}

impl Model {
    /// Where a message begins that can be so long.
    fn place(&self, length: usize) -> Result<u64, MessagePushError> {
        let left = 256 - self.tail % 256;
        let skipped = if size(length) <= left { 0 } else { left };
        let at = self.tail.wrapping_add(skipped);
        let used = at.wrapping_add(size(length)).wrapping_sub(self.head);
        match () {
            () if length > Small::MAX_LEN => Err(MessagePushError::TooLong),
            () if self.is_closed => Err(MessagePushError::Closed),
            () if used + 8 > 256 => Err(MessagePushError::Full),
            () => Ok(at),
        }
    }

    fn push(&mut self, at: u64, message: &[u8]) {
        self.tail = at.wrapping_add(size(message.len()));
        self.messages.push_back(message.to_vec());
        self.ends.push_back(self.tail);
    }

    fn front(&self) -> Result<&[u8], MessagePopError> {
        let none = if self.is_closed { MessagePopError::Closed } else { MessagePopError::Empty };
        self.messages.front().map(Vec::as_slice).ok_or(none)
    }

    fn pop(&mut self) {
        self.messages.pop_front();
        self.head = self.ends.pop_front().expect("as many");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_a_list_of_messages_does(acts in acts(), turn in any::<u64>()) {
        let start = turn & !7;
        let ring = ring_at::<256>(start);
        let mut model = Model { head: start, tail: start, ..Model::default() };
        let mut producer = ring.producer().unwrap();
        let mut consumer = ring.consumer().unwrap();
        let numbers = RefCell::new(Numbers(turn));
        let some = |length: usize| -> Vec<u8> {
            (0..length).map(|_| numbers.borrow_mut().next().to_le_bytes()[0]).collect()
        };
        for act in acts {
            match act {
                Act::Push(length) => {
                    let message = some(length);
                    let place = model.place(length);
                    prop_assert_eq!(producer.try_push(&message), place.map(drop));
                    if let Ok(at) = place {
                        model.push(at, &message);
                    }
                }
                Act::Commit { reserved, length } => {
                    let message = some(length);
                    match (producer.try_reserve(reserved), model.place(reserved)) {
                        (Ok(mut reservation), Ok(at)) => {
                            let is_short = length <= reserved;
                            prop_assert_eq!(reservation.copy_in(0, &message).is_ok(), is_short);
                            prop_assert_eq!(reservation.commit(length).is_ok(), is_short);
                            if is_short {
                                model.push(at, &message);
                            }
                        }
                        (Err(error), Err(expected)) => prop_assert_eq!(error, expected),
                        (found, expected) => prop_assert!(false, "{found:?}, {expected:?}"),
                    }
                }
                Act::Reserve(length) => {
                    let reserved = producer.try_reserve(length).map(|mut reservation| {
                        reservation.copy_in(0, &some(length)).unwrap();
                    });
                    prop_assert_eq!(reserved, model.place(length).map(drop));
                }
                Act::Pop(room) => {
                    let mut buffer = vec![0; room];
                    let popped = consumer.try_pop(&mut buffer[..]);
                    match model.front() {
                        Ok(message) if message.len() > room => {
                            let length = message.len();
                            prop_assert_eq!(popped, Err(MessagePopError::TooShort { length }));
                        }
                        Ok(message) => {
                            prop_assert_eq!(&*popped.unwrap(), message);
                            model.pop();
                        }
                        Err(error) => prop_assert_eq!(popped, Err(error)),
                    }
                }
                Act::Release => {
                    let released = consumer.try_read().map(Message::release);
                    prop_assert_eq!(released, model.front().map(drop));
                    if released.is_ok() {
                        model.pop();
                    }
                }
                Act::Read => {
                    let mut buffer = [0; Small::MAX_LEN];
                    let read = consumer.try_read().map(|it| it.copy_out(0, &mut buffer).to_vec());
                    prop_assert_eq!(read, model.front().map(<[u8]>::to_vec));
                }
                Act::Handover => {
                    drop((producer, consumer));
                    producer = ring.producer().unwrap();
                    consumer = ring.consumer().unwrap();
                }
                Act::Close => {
                    ring.close();
                    model.is_closed = true;
                }
            }
            prop_assert_eq!(ring.used_bytes() as u64, model.tail.wrapping_sub(model.head));
            prop_assert_eq!(ring.is_empty(), model.messages.is_empty());
        }
    }
}
