//! `MessageRing` over whatever bytes, which change meanwhile: what comes of a call, and what it
//! writes, is what a second reading of the bytes says.

mod ends;
mod memory;

use core::sync::atomic::Ordering::Relaxed;

use arbitrary::{Arbitrary, Result, Unstructured};
use rawipc::queue::{
    MessageConsumer, MessagePopError, MessageProducer, MessagePushError, MessageRing,
};

use self::ends::{Consumer, Producer};
use self::memory::{
    CLOSED, CONSUMER, END, HEAD, Memory, PRODUCER, Record, SKIP, STORAGE, TAIL, half, load, mark,
    size, store,
};
use super::queues::{Call, Form, Role, Start, of_bytes};

#[derive(Arbitrary, Debug)]
struct Before {
    size: u8,
    /// Who sleeps.
    bells: [u32; 4],
    is_closed: bool,
    head: Start,
    skew: Option<u8>,
    used: Place,
    end: Option<Place>,
    pieces: u8,
}

/// A position, mostly one that is near the head.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    Ahead(u8),
    Anywhere(u64),
}

impl Place {
    fn from(self, head: u64) -> u64 {
        match self {
            Self::Ahead(words) => head.wrapping_add(u64::from(words % 40) * 8),
            Self::Anywhere(position) => position,
        }
    }
}

/// What lies in the storage, one behind the other.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Piece {
    Message(u8),
    Skip,
    Nothing,
    AboutLongest(i8),
    AboutSkip(i8),
    Word(u64),
}

impl Piece {
    /// Which word that is, and where the next one is; relative to where this is, of `left` bytes.
    fn header(self, longest: usize, left: u64) -> (u64, u64) {
        match self {
            Self::Message(length) => {
                let length = usize::from(length) % (longest + 1);
                (length as u64 + 1, size(length))
            }
            Self::Skip => (SKIP, left),
            Self::Nothing => (0, 8),
            Self::AboutLongest(more) => ((longest as u64 + 1).wrapping_add_signed(more.into()), 8),
            Self::AboutSkip(more) => (SKIP.wrapping_add_signed(more.into()), 8),
            Self::Word(word) => (word, 8),
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Op {
    Push(Form, u8),
    /// So much is reserved and partly filled, something is written elsewhere, and so much is
    /// committed.
    Commit {
        form: Form,
        reserved: u8,
        part: [u8; 2],
        write: Option<Write>,
        length: u8,
    },
    /// Into a buffer of so many bytes.
    Pop(Form, u8),
    /// Seen in place, from that byte on, and released or not.
    Read {
        form: Form,
        offset: u8,
        is_released: bool,
    },
    Producer(Role),
    Consumer(Role),
    Write(Write),
    Close,
}

/// What somebody does who keeps to no rule.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Write {
    Header(u8, Piece),
    Head(Place),
    Tail(Place),
    End(Option<Place>),
    Closed(bool),
    /// Who sleeps, or who has a role.
    First(u8, u32),
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(before) = Before::arbitrary(&mut input) else { return };
    // If there is too little for all, that is all.
    let _ = match before.size % 16 {
        // Its longest messages are copied in another way.
        2 => holds::<2048>(&before, &mut input),
        size if size % 2 == 0 => holds::<64>(&before, &mut input),
        _ => holds::<256>(&before, &mut input),
    };
}

fn holds<const BYTES: usize>(before: &Before, input: &mut Unstructured<'_>) -> Result<()> {
    let ring = of_bytes::<MessageRing<BYTES>>(&vec![0; size_of::<MessageRing<BYTES>>()]);
    let skew = before.skew.unwrap_or_default() % 8;
    let head = before.head.position().wrapping_mul(8).wrapping_add(skew.into());
    for (value, at) in before.bells.into_iter().zip((0..PRODUCER).step_by(4)) {
        half(&ring, at).store(value, Relaxed);
    }
    half(&ring, CLOSED).store(before.is_closed.into(), Relaxed);
    store(&ring, END, before.end.map_or(0, |end| mark(end.from(head))));
    store(&ring, TAIL, before.used.from(head));
    store(&ring, HEAD, head);
    let mut at = Memory::<BYTES>::offset(head & !7);
    for _ in 0..before.pieces % 24 {
        let left = (BYTES - at) as u64;
        let (word, step) = Piece::arbitrary(input)?.header(Memory::<BYTES>::LONGEST, left);
        store(&ring, STORAGE + at, word);
        at = Memory::<BYTES>::offset(at as u64 + step);
    }
    let mut tried = Tried { ring: &ring, producer: None, consumer: None };
    tried.take_producer(Role::Reclaim, &mut Memory::of(&ring));
    tried.take_consumer(Role::Reclaim, &Memory::of(&ring));
    while !input.is_empty() {
        tried.does(&Op::arbitrary(input)?);
    }
    Ok(())
}

/// A ring, and who is at its ends: with what each is said to know.
struct Tried<'r, const BYTES: usize> {
    ring: &'r MessageRing<BYTES>,
    producer: Option<(MessageProducer<'r, BYTES>, Producer)>,
    consumer: Option<(MessageConsumer<'r, BYTES>, Consumer)>,
}

impl<const BYTES: usize> Tried<'_, BYTES> {
    fn does(&mut self, op: &Op) {
        let mut memory = Memory::of(self.ring);
        let length = |length: u8| match length {
            250.. => Memory::<BYTES>::LONGEST.saturating_add_signed(isize::from(length) - 253),
            _ => usize::from(length) % (Memory::<BYTES>::LONGEST + 2),
        };
        match *op {
            Op::Push(form, long) => self.push(form, length(long), &mut memory),
            Op::Commit { form, reserved, part, write, length: long } => {
                let part = part.map(length);
                self.commit(form, length(reserved), part, write, length(long), &mut memory);
            }
            Op::Pop(form, room) => self.pop(form, length(room), &mut memory),
            Op::Read { form, offset, is_released } => {
                self.read(form, length(offset), is_released, &mut memory);
            }
            Op::Producer(role) => self.take_producer(role, &mut memory),
            Op::Consumer(role) => self.take_consumer(role, &memory),
            Op::Write(write) => {
                write.happens(self.ring);
                memory = Memory::of(self.ring);
            }
            Op::Close => {
                self.ring.close();
                memory.is_closed = true;
            }
        }
        assert_eq!(Memory::of(self.ring), memory);
        self.shows(&memory);
    }

    fn take_producer(&mut self, role: Role, memory: &mut Memory<BYTES>) {
        let ring = self.ring;
        let mut is_taken = half(ring, PRODUCER).load(Relaxed) != 0;
        let mut taken = None;
        let take = || ring.producer();
        let reclaim = || ring.reclaim_producer();
        role.happens(&mut taken, &mut is_taken, take, reclaim);
        match role {
            Role::Take | Role::Reclaim => {
                if let Some(producer) = taken {
                    core::mem::forget(self.producer.take());
                    self.producer = Some((producer, Producer::new(memory)));
                }
            }
            Role::GiveBack => drop(self.producer.take()),
            Role::Lose => core::mem::forget(self.producer.take()),
        }
    }

    fn take_consumer(&mut self, role: Role, memory: &Memory<BYTES>) {
        let ring = self.ring;
        let mut is_taken = half(ring, CONSUMER).load(Relaxed) != 0;
        let mut taken = None;
        let take = || ring.consumer();
        let reclaim = || ring.reclaim_consumer();
        role.happens(&mut taken, &mut is_taken, take, reclaim);
        match role {
            Role::Take | Role::Reclaim => {
                if let Some(consumer) = taken {
                    core::mem::forget(self.consumer.take());
                    self.consumer = Some((consumer, Consumer::new(memory)));
                }
            }
            Role::GiveBack => drop(self.consumer.take()),
            Role::Lose => core::mem::forget(self.consumer.take()),
        }
    }

    fn push(&mut self, form: Form, length: usize, memory: &mut Memory<BYTES>) {
        let Some((producer, model)) = &mut self.producer else { return };
        let message = vec![0xa5; length];
        let place = model.place(memory, length);
        let pushed = match form.call(place == Err(MessagePushError::Full)) {
            Call::Try => producer.try_push(&message),
            Call::Until(by) => producer.push_until(&message, by),
            Call::Wait => producer.push(&message),
        };
        let expected = place.and_then(|record| {
            memory.message(record).copy_from_slice(&message);
            memory.forget_padding(record, &Memory::of(self.ring));
            model.publish(memory, record)
        });
        assert_eq!(pushed, expected);
    }

    fn commit(
        &mut self,
        form: Form,
        reserved: usize,
        [offset, part]: [usize; 2],
        write: Option<Write>,
        length: usize,
        memory: &mut Memory<BYTES>,
    ) {
        let Some((producer, model)) = &mut self.producer else { return };
        let place = model.place(memory, reserved);
        let reservation = match form.call(place == Err(MessagePushError::Full)) {
            Call::Try => producer.try_reserve(reserved),
            Call::Until(by) => producer.reserve_until(reserved, by),
            Call::Wait => producer.reserve(reserved),
        };
        let (mut reservation, record) = match (reservation, place) {
            (Ok(reservation), Ok(record)) => (reservation, record),
            (found, place) => return assert_eq!(found.map(drop), place.map(drop)),
        };
        assert_eq!(reservation.len(), reserved);
        let copied = reservation.copy_in(offset, &vec![0x5a; part]);
        match memory.message(record).get_mut(offset..offset + part) {
            Some(bytes) => {
                bytes.fill(0x5a);
                assert_eq!(copied, Ok(()));
            }
            None => assert_eq!(copied, Err(MessagePushError::TooLong)),
        }
        assert_eq!(Memory::of(self.ring), *memory);
        if let Some(write) = write {
            write.happens(self.ring);
            *memory = Memory::of(self.ring);
        }
        let expected = if length > reserved {
            Err(MessagePushError::TooLong)
        } else {
            model.publish(memory, Record { length, ..record })
        };
        assert_eq!(reservation.commit(length), expected);
    }

    fn pop(&mut self, form: Form, room: usize, memory: &mut Memory<BYTES>) {
        let Some((consumer, model)) = &mut self.consumer else { return };
        let found = model.find(memory);
        let mut buffer = vec![0; room];
        let popped = match form.call(found == Err(MessagePopError::Empty)) {
            Call::Try => consumer.try_pop(&mut buffer[..]),
            Call::Until(by) => consumer.pop_until(&mut buffer[..], by),
            Call::Wait => consumer.pop(&mut buffer[..]),
        };
        match found {
            Ok(Record { length, .. }) if length > room => {
                assert_eq!(popped, Err(MessagePopError::TooShort { length }));
            }
            Ok(record) => {
                assert_eq!(popped, Ok(memory.message(record)));
                model.release(memory, record);
            }
            Err(error) => assert_eq!(popped, Err(error)),
        }
    }

    fn read(&mut self, form: Form, offset: usize, is_released: bool, memory: &mut Memory<BYTES>) {
        let Some((consumer, model)) = &mut self.consumer else { return };
        let found = model.find(memory);
        let read = match form.call(found == Err(MessagePopError::Empty)) {
            Call::Try => consumer.try_read(),
            Call::Until(by) => consumer.read_until(by),
            Call::Wait => consumer.read(),
        };
        let (message, record) = match (read, found) {
            (Ok(message), Ok(record)) => (message, record),
            (read, found) => return assert_eq!(read.map(drop), found.map(drop)),
        };
        assert_eq!((message.len(), message.is_empty()), (record.length, record.length == 0));
        let expected = memory.message(record);
        let mut buffer = [0; BYTES];
        let part = message.copy_out(offset, &mut buffer);
        assert_eq!(*part, expected[offset.min(record.length)..]);
        if is_released {
            message.release();
            model.release(memory, record);
        }
    }

    fn shows(&self, memory: &Memory<BYTES>) {
        let (used, is_closed) = (memory.used(), memory.is_closed);
        assert_eq!((self.ring.used_bytes(), self.ring.is_empty()), (used, used == 0));
        assert_eq!(self.ring.is_closed(), is_closed);
        let shown = format!("MessageRing {{ used_bytes: {used}, is_closed: {is_closed}, .. }}");
        assert_eq!(format!("{:?}", self.ring), shown);
    }
}

impl Write {
    fn happens<const BYTES: usize>(self, ring: &MessageRing<BYTES>) {
        let head = load(ring, HEAD);
        match self {
            Self::Header(ahead, piece) => {
                let at = Memory::<BYTES>::offset((head & !7).wrapping_add(u64::from(ahead) * 8));
                let (word, _next) = piece.header(Memory::<BYTES>::LONGEST, 0);
                store(ring, STORAGE + at, word);
            }
            Self::Head(place) => store(ring, HEAD, place.from(head)),
            Self::Tail(place) => store(ring, TAIL, place.from(head)),
            Self::End(place) => store(ring, END, place.map_or(0, |end| mark(end.from(head)))),
            Self::Closed(is_closed) => half(ring, CLOSED).store(is_closed.into(), Relaxed),
            Self::First(at, value) => {
                half(ring, usize::from(at % 6) * 4).store(value, Relaxed);
            }
        }
    }
}
