//! The calls that queues have, and what they do when they are as new.

use core::fmt::Debug;

use rawipc::Deadline;
use rawipc::error::TimedOut;
use rawipc::queue::{
    Closed, Consumer, MessageConsumer, MessagePopError, MessageProducer, MessagePushError,
    MessageRing, Mpmc, NoneUnfinished, PopError, Producer, PushError, Spsc, Tasks,
};
use rawipc::shm::Plain;

use super::{Arena, Call, Subject};

/// A value that says which it is.
fn nth<T: Plain>(number: u8) -> T {
    let mut value = T::new_zeroed();
    value.as_mut_bytes().fill(number);
    value
}

impl Subject for Tasks {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        move |call, _| match call.which % 5 {
            0 => _ = self.add(call.number),
            1 => _ = self.task_done(),
            2 => _ = self.join_until(call.by()),
            3 => _ = (self.is_done(), self.unfinished()),
            _ => assert!(format!("{self:?}").starts_with("Tasks")),
        }
    }

    fn works(&self) {
        assert!(self.is_done());
        assert_eq!((self.task_done(), self.add(2)), (Err(NoneUnfinished), Ok(())));
        assert_eq!((self.unfinished(), self.task_done()), (2, Ok(())));
        assert_eq!(self.join_until(Deadline::now()), Err(TimedOut));
        assert_eq!(self.task_done(), Ok(()));
        self.join();
    }
}

impl<T: Plain + Send + Debug + PartialEq, const N: usize> Subject for Spsc<T, N> {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, arena: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        let mut producer: Option<Producer<'a, T, N>> = self.producer();
        let mut consumer: Option<Consumer<'a, T, N>> = self.consumer();
        let mut room = [T::new_zeroed(); 6];
        move |call, middle| {
            if call.which < 3 {
                match call.which {
                    0 => self.close(),
                    1 => {
                        (producer, consumer) = (None, None);
                        middle();
                        (producer, consumer) = (self.producer(), self.consumer());
                    }
                    _ => {
                        (producer, consumer) = (None, None);
                        let (push, pop) = (self.reclaim_producer(), self.reclaim_consumer());
                        (producer, consumer) = (Some(push), Some(pop));
                    }
                }
                return;
            }
            assert!(self.len() <= N);
            if let Some(producer) = &mut producer {
                push(producer, call, middle, |at| arena.check_within::<Self>(at, size_of::<T>()));
            }
            if let Some(consumer) = &mut consumer {
                pop(consumer, call, middle, &mut room, |at| {
                    arena.check_within::<Self>(at, size_of::<T>());
                });
            }
            let printed = format!("{self:?} {producer:?} {consumer:?}");
            assert!(!printed.is_empty());
            let _either = (self.is_empty(), self.is_closed());
        }
    }

    fn works(&self) {
        let mut producer = self.producer().expect("free");
        let mut consumer = self.consumer().expect("free");
        assert!(self.producer().is_none() && self.consumer().is_none() && self.is_empty());
        let full: [T; N] = core::array::from_fn(|at| nth(u8::try_from(at).expect("few")));
        assert_eq!(consumer.try_pop(), Err(PopError::Empty));
        assert_eq!(producer.push_slice(&full), Ok(N));
        assert_eq!(producer.try_push(nth(9)), Err(PushError::Full(nth(9))));
        assert_eq!(producer.push_until(nth(9), Deadline::now()), Err(PushError::Full(nth(9))));
        assert_eq!(self.len(), N);
        assert_eq!(consumer.pop(), Ok(nth(0)));
        assert_eq!(producer.push(nth(7)), Ok(()));
        self.close();
        assert_eq!(producer.push(nth(8)), Err(Closed(nth(8))));
        let rest: Vec<T> = consumer.drain().collect();
        assert_eq!((&rest[..N - 1], &rest[N - 1..]), (&full[1..], &[nth(7)][..]));
        assert_eq!(consumer.pop_until(Deadline::now()), Err(PopError::Closed));
    }
}

fn push<T: Plain, const N: usize>(
    producer: &mut Producer<'_, T, N>,
    call: &Call,
    middle: &dyn Fn(),
    check: impl Fn(*const u8),
) {
    let values = [nth(call.which); 6];
    let most = call.below(7);
    match call.which % 16 {
        0 | 1 => _ = producer.try_push(values[0]),
        2 => _ = producer.push_until(values[0], call.by()),
        3 => {
            let pushed = producer.try_push_slice(&values[..most]);
            assert!(pushed.is_err() || pushed.is_ok_and(|count| count <= most.min(N)));
        }
        4 => {
            let pushed = producer.push_slice_until(&values[..most], call.by());
            assert!(pushed.is_err() || pushed.is_ok_and(|count| count <= most.min(N)));
        }
        at @ (5 | 6) => {
            let chunk = if at == 5 {
                producer.try_reserve(most)
            } else {
                producer.reserve_until(most, call.by())
            };
            let Ok(mut chunk) = chunk else { return };
            assert!(chunk.len() <= most.min(N));
            chunk.slots().for_each(|mut slot| check(slot.as_mut_ptr().cast()));
            middle();
            chunk.slots().for_each(|mut slot| slot.write(values[0]));
            let count = usize::from(call.which / 16);
            let pushed = chunk.commit(count);
            assert!(pushed.is_err() || pushed.is_ok_and(|pushed| pushed <= count));
        }
        _ => {}
    }
}

fn pop<T: Plain, const N: usize>(
    consumer: &mut Consumer<'_, T, N>,
    call: &Call,
    middle: &dyn Fn(),
    room: &mut [T; 6],
    check: impl Fn(*const u8),
) {
    let most = call.below(7);
    match call.which % 16 {
        8 | 9 => _ = consumer.try_pop(),
        10 => _ = consumer.pop_until(call.by()),
        11 => {
            let popped = consumer.try_pop_slice(&mut room[..most]).map(|popped| popped.len());
            assert!(popped.is_err() || popped.is_ok_and(|count| count <= most.min(N)));
        }
        12 => {
            let popped = consumer.pop_slice_until(&mut room[..most], call.by());
            assert!(popped.map_or(0, |popped| popped.len()) <= most.min(N));
        }
        at @ (13 | 14) => {
            let chunk = if at == 13 {
                consumer.try_read(most)
            } else {
                consumer.read_until(most, call.by())
            };
            let Ok(chunk) = chunk else { return };
            assert!(chunk.len() <= most.min(N) && chunk.slots().count() == chunk.len());
            chunk.slots().for_each(|slot| check(slot.as_ptr().cast()));
            middle();
            chunk.slots().for_each(|slot| _ = slot.read());
            chunk.release(usize::from(call.which / 16));
        }
        // Endless, if somebody goes on writing that there is something.
        15 => _ = consumer.drain().take(50).inspect(|_| middle()).count(),
        _ => {}
    }
}

impl<T: Plain + Send + Debug + PartialEq, const N: usize> Subject for Mpmc<T, N> {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        let mut room = [T::new_zeroed(); 6];
        move |call, middle| {
            let (values, most) = ([nth::<T>(call.which); 6], call.below(7));
            match call.which % 11 {
                0 if call.which < 64 => self.close(),
                0 | 1 => _ = self.try_push(values[0]),
                2 => _ = self.push_until(values[0], call.by()),
                3 => {
                    let pushed = self.try_push_slice(&values[..most]);
                    assert!(pushed.is_err() || pushed.is_ok_and(|count| count <= most));
                }
                4 => {
                    let pushed = self.push_slice_until(&values[..most], call.by());
                    assert!(pushed.is_err() || pushed.is_ok_and(|count| count <= most));
                }
                5 => _ = self.try_pop(),
                6 => _ = self.pop_until(call.by()),
                7 => {
                    let popped = self.try_pop_slice(&mut room[..most]).map(|popped| popped.len());
                    assert!(popped.is_err() || popped.is_ok_and(|count| count <= most));
                }
                8 => {
                    let popped = self.pop_slice_until(&mut room[..most], call.by());
                    assert!(popped.map_or(0, |popped| popped.len()) <= most);
                }
                // Endless, if somebody goes on writing that there is something.
                9 => _ = self.drain().take(50).inspect(|_| middle()).count(),
                _ => {
                    assert!(self.len() <= N);
                    let _either = (self.is_empty(), self.is_closed());
                    assert!(format!("{self:?}").starts_with("Mpmc"));
                }
            }
        }
    }

    fn works(&self) {
        let full: [T; N] = core::array::from_fn(|at| nth(u8::try_from(at).expect("few")));
        assert_eq!((self.try_pop(), self.push_slice(&full)), (Err(PopError::Empty), Ok(N)));
        assert_eq!(self.try_push(nth(9)), Err(PushError::Full(nth(9))));
        assert_eq!(self.push_until(nth(9), Deadline::now()), Err(PushError::Full(nth(9))));
        assert_eq!((self.len(), self.pop(), self.push(nth(7))), (N, Ok(nth(0)), Ok(())));
        self.close();
        assert_eq!(self.push(nth(8)), Err(Closed(nth(8))));
        let rest: Vec<T> = self.drain().collect();
        assert_eq!((&rest[..N - 1], &rest[N - 1..]), (&full[1..], &[nth(7)][..]));
        assert_eq!(self.pop_until(Deadline::now()), Err(PopError::Closed));
    }
}

impl<const BYTES: usize> Subject for MessageRing<BYTES> {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, arena: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        let mut producer: Option<MessageProducer<'a, BYTES>> = self.producer();
        let mut consumer: Option<MessageConsumer<'a, BYTES>> = self.consumer();
        move |call, middle| {
            if call.which < 3 {
                match call.which {
                    0 => self.close(),
                    1 => {
                        (producer, consumer) = (None, None);
                        middle();
                        (producer, consumer) = (self.producer(), self.consumer());
                    }
                    _ => {
                        (producer, consumer) = (None, None);
                        let (push, pop) = (self.reclaim_producer(), self.reclaim_consumer());
                        (producer, consumer) = (Some(push), Some(pop));
                    }
                }
                return;
            }
            assert!(self.used_bytes() <= BYTES);
            if let Some(producer) = &mut producer {
                push_message(producer, call, middle, |at, len| {
                    arena.check_within::<Self>(at, len);
                });
            }
            if let Some(consumer) = &mut consumer {
                pop_message(consumer, call, middle, |at, len| arena.check_within::<Self>(at, len));
            }
            let printed = format!("{self:?} {producer:?} {consumer:?}");
            assert!(!printed.is_empty());
            let _either = (self.is_empty(), self.is_closed());
        }
    }

    fn works(&self) {
        let mut producer = self.producer().expect("free");
        let mut consumer = self.consumer().expect("free");
        assert!(self.producer().is_none() && self.consumer().is_none() && self.is_empty());
        let (message, too_long) = (vec![7; Self::MAX_LEN], vec![7; Self::MAX_LEN + 1]);
        let mut room = [0; BYTES];
        assert_eq!(consumer.try_pop(&mut room).unwrap_err(), MessagePopError::Empty);
        for _ in 0..3 {
            assert_eq!(producer.try_push(&too_long), Err(MessagePushError::TooLong));
            assert_eq!((producer.push(&message), producer.push(b"")), (Ok(()), Ok(())));
            let more = (0..BYTES).take_while(|_| producer.try_push(b"more").is_ok()).count();
            assert!(more > 0 && self.used_bytes() > BYTES / 2);
            let late = producer.push_until(b"late", Deadline::now());
            assert_eq!(late, Err(MessagePushError::Full));
            assert_eq!(consumer.pop(&mut room).expect("one"), message);
            assert_eq!(consumer.pop(&mut room).expect("one"), b"");
            let rest = (0..BYTES).take_while(|_| consumer.try_pop(&mut room).is_ok()).count();
            assert_eq!(rest, more);
        }
        self.close();
        assert_eq!(producer.push(b"1"), Err(MessagePushError::Closed));
        assert_eq!(consumer.pop(&mut room).unwrap_err(), MessagePopError::Closed);
    }
}

fn push_message<const BYTES: usize>(
    producer: &mut MessageProducer<'_, BYTES>,
    call: &Call,
    middle: &dyn Fn(),
    check: impl Fn(*const u8, usize),
) {
    let message = [call.which; BYTES];
    let message = &message[..call.below(MessageRing::<BYTES>::MAX_LEN + 2)];
    match call.which % 8 {
        0 => _ = producer.try_push(message),
        1 => _ = producer.push_until(message, call.by()),
        at @ (2 | 3) => {
            let by = call.by();
            let len = message.len();
            let reserved =
                if at == 2 { producer.try_reserve(len) } else { producer.reserve_until(len, by) };
            let Ok(mut reservation) = reserved else { return };
            assert_eq!(reservation.len(), len);
            check(reservation.as_mut_ptr(), len);
            middle();
            let offset = usize::from(call.which / 8).min(len);
            let rest = &message[offset..];
            assert_eq!(reservation.copy_in(offset, rest), Ok(()));
            let too_long = reservation.copy_in(offset + 1, rest);
            assert_eq!(too_long, Err(MessagePushError::TooLong));
            let _either = reservation.commit(offset);
        }
        _ => {}
    }
}

fn pop_message<const BYTES: usize>(
    consumer: &mut MessageConsumer<'_, BYTES>,
    call: &Call,
    middle: &dyn Fn(),
    check: impl Fn(*const u8, usize),
) {
    let most = MessageRing::<BYTES>::MAX_LEN;
    let room = &mut [0; BYTES][..call.below(BYTES)];
    let room_len = room.len();
    let check_popped = |popped: Result<&mut [u8], MessagePopError>| match popped {
        Ok(message) => assert!(message.len() <= room_len.min(most)),
        Err(MessagePopError::TooShort { length }) => assert!(length > room_len && length <= most),
        Err(_) => {}
    };
    match call.which % 8 {
        4 => check_popped(consumer.try_pop(room)),
        5 => check_popped(consumer.pop_until(room, call.by())),
        at @ (6 | 7) => {
            let by = call.by();
            let read = if at == 6 { consumer.try_read() } else { consumer.read_until(by) };
            let Ok(message) = read else { return };
            assert!(message.len() <= most);
            check(message.as_ptr(), message.len());
            middle();
            let offset = usize::from(call.which / 8);
            let copied = message.copy_out(offset, room);
            assert_eq!(copied.len(), room_len.min(message.len().saturating_sub(offset)));
            if call.number % 2 == 0 {
                message.release();
            }
        }
        _ => {}
    }
}
