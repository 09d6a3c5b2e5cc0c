//! `MessageRing` against a list of messages, with an account of the room that they take.

use core::mem::MaybeUninit;
use std::collections::VecDeque;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::queue::{
    Message, MessageConsumer, MessagePopError, MessageProducer, MessagePushError, MessageRing,
    Reservation,
};

use super::queues::{Call, Form, Role, Start, of_words};

#[derive(Arbitrary, Debug)]
struct Before {
    size: u8,
    start: Start,
    /// How long a message is that the last producer had pushed when it was killed, before it could
    /// say so.
    unsaid: Option<u16>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Push(Form, Length),
    /// So much is reserved and partly filled, and so much is committed.
    Commit {
        form: Form,
        reserved: Length,
        parts: [(u16, Length); 2],
        length: Length,
        at: Meanwhile,
    },
    AbandonWrite(Form, Length),
    /// Into a buffer of so many bytes.
    Pop(Form, Length),
    /// Seen in place, from that byte on in so long a buffer, and released or not.
    Read {
        form: Form,
        offset: u16,
        room: Length,
        is_released: bool,
    },
    Producer(Role),
    Consumer(Role),
    Show,
    /// If both are so: which is one input in many, so that most rings are tried open.
    Close(bool, bool),
}

/// A length that may be one.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Short(u8),
    Any(u16),
    /// So much less than any may be; or more.
    AboutLongest(i8),
    Endless,
}

impl Length {
    fn of(self, longest: usize) -> usize {
        match self {
            Self::Short(length) => usize::from(length % 40),
            Self::Any(length) => usize::from(length) % (longest + 20),
            Self::AboutLongest(more) => longest.saturating_add_signed((more % 20).into()),
            Self::Endless => usize::MAX,
        }
    }

    /// So many bytes as one can have.
    fn of_bytes(self, longest: usize) -> usize {
        self.of(longest).min(longest + 20)
    }
}

/// What happens between a reservation and its end.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Meanwhile {
    Nothing,
    Pop,
    Close,
    CloseAndEnd,
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(before) = Before::arbitrary(&mut input) else { return };
    match before.size % 8 {
        0 => is_a_list::<128>(&before, input),
        1 | 2 => is_a_list::<64>(&before, input),
        // So long ones are copied in another way.
        3 => is_a_list::<4096>(&before, input),
        _ => is_a_list::<256>(&before, input),
    }
}

/// Where they lie.
const PRODUCER: usize = 16;
const TAIL: usize = 128;
const HEAD: usize = 256;
const STORAGE: usize = 384;

/// What says that the next message is at the beginning.
const SKIP: u64 = 1 << 32;

/// What a message takes.
fn size(length: usize) -> u64 {
    8 + length.next_multiple_of(8) as u64
}

/// What messages are made of: no two parts of it are the same.
static PATTERN: [u8; 4096] = {
    let (mut bytes, mut at, mut state) = ([0; 4096], 0, 1_u16);
    while at < bytes.len() {
        bytes[at] = state.to_be_bytes()[0];
        // Each number of 16 bits comes once.
        state = state.wrapping_mul(25173).wrapping_add(13849);
        at += 1;
    }
    bytes
};

/// A message, of which parts may be whatever lay there before.
#[derive(Debug)]
struct Known {
    bytes: Vec<u8>,
    /// Which bytes are known, if not all.
    which: Option<Vec<bool>>,
}

impl Known {
    fn all(message: &[u8]) -> Self {
        Self { bytes: message.to_vec(), which: None }
    }

    fn none(length: usize) -> Self {
        Self { bytes: vec![0; length], which: Some(vec![false; length]) }
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Learns those bytes, if there is room for them; says whether.
    fn learn(&mut self, offset: usize, part: &[u8]) -> bool {
        let place = offset..offset + part.len();
        let Some(bytes) = self.bytes.get_mut(place.clone()) else { return false };
        bytes.copy_from_slice(part);
        self.which.iter_mut().for_each(|which| which[place.clone()].fill(true));
        true
    }

    fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
        self.which.iter_mut().for_each(|which| which.truncate(length));
    }

    /// Whether it is that from `offset` on, up to so many bytes.
    fn is(&self, offset: usize, most: usize, found: &[u8]) -> bool {
        let first = offset.min(self.len());
        let place = first..self.len().min(first + most);
        let bytes = &self.bytes[place.clone()];
        match &self.which {
            None => bytes == found,
            Some(which) => {
                let mut all = found.iter().zip(bytes).zip(&which[place]);
                found.len() == bytes.len()
                    && all.all(|((found, byte), is_known)| !is_known || found == byte)
            }
        }
    }
}

/// What a ring does, with the messages in a list.
struct Model<const BYTES: usize> {
    messages: VecDeque<Known>,
    /// Where each of them ends.
    ends: VecDeque<u64>,
    head: u64,
    tail: u64,
    is_closed: bool,
    /// Where the next message is taken from.
    made: u8,
}

impl<const BYTES: usize> Model<BYTES> {
    const LONGEST: usize = BYTES / 2 - 16;

    /// So many bytes, unlike those before.
    fn fresh(&mut self, length: usize) -> Vec<u8> {
        self.made = self.made.wrapping_add(1);
        PATTERN[self.made.into()..][..length].to_vec()
    }

    /// Where a message begins that can be so long.
    fn place(&self, length: usize) -> Result<u64, MessagePushError> {
        if length > Self::LONGEST {
            return Err(MessagePushError::TooLong);
        }
        if self.is_closed {
            return Err(MessagePushError::Closed);
        }
        let left = BYTES as u64 - self.tail % BYTES as u64;
        let skipped = if size(length) <= left { 0 } else { left };
        let at = self.tail.wrapping_add(skipped);
        let used = at.wrapping_add(size(length)).wrapping_sub(self.head);
        // And the header behind it, which says that nothing is there.
        if used + 8 > BYTES as u64 {
            assert!(self.head != self.tail, "whatever is not too long fits when nothing is there");
            return Err(MessagePushError::Full);
        }
        Ok(at)
    }

    fn push(&mut self, at: u64, message: Known) {
        self.tail = at.wrapping_add(size(message.len()));
        self.messages.push_back(message);
        self.ends.push_back(self.tail);
    }

    fn front(&self) -> Result<&Known, MessagePopError> {
        let none = if self.is_closed { MessagePopError::Closed } else { MessagePopError::Empty };
        self.messages.front().ok_or(none)
    }

    fn pop(&mut self) {
        self.messages.pop_front();
        self.head = self.ends.pop_front().expect("as many");
    }

    /// Whether who pops would wait.
    fn is_bare(&self) -> bool {
        self.messages.is_empty() && !self.is_closed
    }
}

/// A ring, and what is known of it.
struct Tried<'r, const BYTES: usize> {
    ring: &'r MessageRing<BYTES>,
    producer: Option<MessageProducer<'r, BYTES>>,
    consumer: Option<MessageConsumer<'r, BYTES>>,
    has_producer: bool,
    has_consumer: bool,
    model: Model<BYTES>,
    /// Whether there is one that was pushed by one that was killed, and does not count yet.
    has_unsaid: bool,
}

fn is_a_list<const BYTES: usize>(before: &Before, mut input: Unstructured<'_>) {
    assert_eq!(Model::<BYTES>::LONGEST, MessageRing::<BYTES>::MAX_LEN);
    assert_eq!(BYTES, MessageRing::<BYTES>::CAPACITY);
    let start = before.start.position().wrapping_mul(8);
    let mut model = Model::<BYTES> {
        messages: VecDeque::new(),
        ends: VecDeque::new(),
        head: start,
        tail: start,
        is_closed: false,
        made: 0,
    };
    let mut words = vec![(TAIL, start), (HEAD, start)];
    if let Some(length) = before.unsaid {
        let message = model.fresh(usize::from(length) % (Model::<BYTES>::LONGEST + 1));
        words.push((PRODUCER, 1));
        words.extend(record(&mut model, &message));
    }
    let ring = of_words::<MessageRing<BYTES>>(words);
    let mut tried = Tried {
        ring: &ring,
        producer: None,
        consumer: None,
        has_producer: before.unsaid.is_some(),
        has_consumer: false,
        model,
        has_unsaid: before.unsaid.is_some(),
    };
    tried.agrees();
    if before.unsaid.is_none() {
        tried.producer(Role::Take);
    }
    tried.consumer(Role::Take);
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        tried.does(&op);
        tried.agrees();
    }
    tried.ends();
}

/// Pushes it in the model; says what words that writes.
fn record<const BYTES: usize>(model: &mut Model<BYTES>, message: &[u8]) -> Vec<(usize, u64)> {
    let offset =
        |position: u64| STORAGE + usize::try_from(position % BYTES as u64).expect("an offset");
    let at = model.place(message.len()).expect("there is nothing yet");
    let header = (offset(at), message.len() as u64 + 1);
    let skip = (at != model.tail).then_some((offset(model.tail), SKIP));
    let words = message.chunks(8).zip((offset(at) + 8..).step_by(8)).map(|(bytes, at)| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        (at, u64::from_ne_bytes(word))
    });
    let all = words.chain([header]).chain(skip).collect();
    model.push(at, Known::all(message));
    all
}

impl<const BYTES: usize> Tried<'_, BYTES> {
    fn does(&mut self, op: &Op) {
        let longest = Model::<BYTES>::LONGEST;
        match *op {
            Op::Push(form, length) => self.push(form, length.of_bytes(longest)),
            Op::Commit { form, reserved, ref parts, length, at } => {
                let parts = parts.map(|(offset, length)| {
                    (usize::from(offset) % (longest + 2), length.of_bytes(longest))
                });
                self.commit(form, reserved.of(longest), &parts, length.of(longest), at);
            }
            Op::AbandonWrite(form, length) => self.abandon_write(form, length.of(longest)),
            Op::Pop(form, room) => self.pop(form, room.of_bytes(longest)),
            Op::Read { form, offset, room, is_released } => {
                self.read(form, offset.into(), room.of_bytes(longest), is_released);
            }
            Op::Producer(role) => self.producer(role),
            Op::Consumer(role) => self.consumer(role),
            Op::Show => self.shows(),
            Op::Close(first, second) => {
                if first && second {
                    self.close();
                }
            }
        }
    }

    fn close(&mut self) {
        self.ring.close();
        self.model.is_closed = true;
    }

    fn producer(&mut self, role: Role) {
        let ring = self.ring;
        let reclaim = || ring.reclaim_producer();
        role.happens(&mut self.producer, &mut self.has_producer, || ring.producer(), reclaim);
        if self.producer.is_some() {
            self.has_unsaid = false;
        }
    }

    fn consumer(&mut self, role: Role) {
        let ring = self.ring;
        let reclaim = || ring.reclaim_consumer();
        role.happens(&mut self.consumer, &mut self.has_consumer, || ring.consumer(), reclaim);
    }

    fn push(&mut self, form: Form, length: usize) {
        let Some(producer) = &mut self.producer else { return };
        let message = self.model.fresh(length);
        let place = self.model.place(length);
        let pushed = match form.call(place == Err(MessagePushError::Full)) {
            Call::Try => producer.try_push(&message),
            Call::Until(by) => producer.push_until(&message, by),
            Call::Wait => producer.push(&message),
        };
        assert_eq!(pushed, place.map(drop));
        if let Ok(at) = place {
            self.model.push(at, Known::all(&message));
        }
    }

    fn commit(
        &mut self,
        form: Form,
        reserved: usize,
        parts: &[(usize, usize)],
        length: usize,
        meanwhile: Meanwhile,
    ) {
        let Some(producer) = &mut self.producer else { return };
        let place = self.model.place(reserved);
        let (mut reservation, at) = match (reserve(producer, form, reserved, &place), place) {
            (Ok(reservation), Ok(at)) => (reservation, at),
            (found, place) => return assert_eq!(found.map(drop), place.map(drop)),
        };
        assert_eq!(reservation.len(), reserved);
        assert_eq!(reservation.as_mut_ptr().addr() % 8, 0);
        let mut message = Known::none(reserved);
        for &(offset, length) in parts {
            let part = self.model.fresh(length);
            let copied = reservation.copy_in(offset, &part);
            let fits = message.learn(offset, &part);
            assert_eq!(copied, if fits { Ok(()) } else { Err(MessagePushError::TooLong) });
        }
        let one_byte_too_far = reservation.copy_in(usize::MAX, &[0]);
        assert_eq!(one_byte_too_far, Err(MessagePushError::TooLong));
        let is_told = elsewhere(meanwhile, self.ring, self.consumer.as_mut(), &mut self.model);
        let expected = match () {
            () if length > reserved => Err(MessagePushError::TooLong),
            // Who has heard of the end will not look for more.
            () if is_told => Err(MessagePushError::Closed),
            () => Ok(()),
        };
        assert_eq!(reservation.commit(length), expected);
        if expected.is_ok() {
            message.truncate(length);
            self.model.push(at, message);
        }
    }

    fn abandon_write(&mut self, form: Form, length: usize) {
        let Some(producer) = &mut self.producer else { return };
        let place = self.model.place(length);
        let reserved = reserve(producer, form, length, &place).map(|mut reservation| {
            let shown = format!("Reservation {{ len: {length}, .. }}");
            assert_eq!(format!("{reservation:?}"), shown);
            reservation.copy_in(0, &vec![0xaa; length]).expect("so much was asked for");
        });
        assert_eq!(reserved, place.map(drop));
    }

    fn pop(&mut self, form: Form, room: usize) {
        const UNTOUCHED: u8 = 0x55;
        let Some(consumer) = &mut self.consumer else { return };
        let mut buffer = vec![UNTOUCHED; room];
        let popped = match form.call(self.model.is_bare()) {
            Call::Try => consumer.try_pop(&mut buffer[..]),
            Call::Until(by) => consumer.pop_until(&mut buffer[..], by),
            Call::Wait => consumer.pop(&mut buffer[..]),
        };
        let filled = match self.model.front() {
            Ok(message) if message.len() > room => {
                assert_eq!(popped, Err(MessagePopError::TooShort { length: message.len() }));
                0
            }
            Ok(message) => {
                let popped = popped.expect("there is one");
                assert!(message.is(0, room, popped), "{popped:?} is not {message:?}");
                let filled = popped.len();
                self.model.pop();
                filled
            }
            Err(error) => {
                assert_eq!(popped, Err(error));
                0
            }
        };
        assert!(buffer[filled..] == vec![UNTOUCHED; room - filled]);
    }

    fn read(&mut self, form: Form, offset: usize, room: usize, is_released: bool) {
        let Some(consumer) = &mut self.consumer else { return };
        let read = match form.call(self.model.is_bare()) {
            Call::Try => consumer.try_read(),
            Call::Until(by) => consumer.read_until(by),
            Call::Wait => consumer.read(),
        };
        let expected = match self.model.front() {
            Ok(message) => message,
            Err(error) => return assert_eq!(read.map(drop), Err(error)),
        };
        let message = read.expect("there is one");
        let length = expected.len();
        assert_eq!((message.len(), message.is_empty()), (length, length == 0));
        assert_eq!(format!("{message:?}"), format!("Message {{ len: {length}, .. }}"));
        assert_eq!(message.as_ptr().addr() % 8, 0);
        // Mostly within it.
        let offset = if offset % 8 == 0 { offset } else { offset % (length + 1) };
        let mut buffer = vec![MaybeUninit::uninit(); room];
        let copied = message.copy_out(offset, &mut buffer[..]);
        assert!(expected.is(offset, room, copied), "{copied:?} is not in {expected:?}");
        assert!(message.copy_out(usize::MAX, &mut [0; 9]).is_empty());
        if is_released {
            message.release();
            self.model.pop();
        }
    }

    fn shows(&self) {
        let (used, is_closed) = (self.used(), self.model.is_closed);
        let shown = format!("MessageRing {{ used_bytes: {used}, is_closed: {is_closed}, .. }}");
        assert_eq!(format!("{:?}", self.ring), shown);
        if let Some(producer) = &self.producer {
            assert_eq!(format!("{producer:?}"), format!("MessageProducer({shown})"));
        }
        if let Some(consumer) = &self.consumer {
            assert_eq!(format!("{consumer:?}"), format!("MessageConsumer({shown})"));
        }
    }

    fn used(&self) -> usize {
        if self.has_unsaid {
            // There is nothing else: nobody has pushed since.
            return 0;
        }
        self.model.tail.wrapping_sub(self.model.head).try_into().expect("a size")
    }

    fn agrees(&self) {
        let used = self.used();
        assert_eq!((self.ring.used_bytes(), self.ring.is_empty()), (used, used == 0));
        assert_eq!(self.ring.is_closed(), self.model.is_closed);
    }

    /// Whoever comes after all finds all that is left.
    fn ends(mut self) {
        self.producer(Role::Reclaim);
        self.agrees();
        self.consumer(Role::Reclaim);
        self.close();
        self.push(Form::Wait, 1);
        while !self.model.messages.is_empty() {
            self.pop(Form::Wait, Model::<BYTES>::LONGEST);
            self.agrees();
        }
        self.pop(Form::Wait, 0);
        self.read(Form::Try, 0, 0, false);
        self.producer(Role::GiveBack);
        self.consumer(Role::GiveBack);
        assert!(self.ring.producer().is_some() && self.ring.consumer().is_some());
    }
}

fn reserve<'p, 'r, const BYTES: usize>(
    producer: &'p mut MessageProducer<'r, BYTES>,
    form: Form,
    length: usize,
    place: &Result<u64, MessagePushError>,
) -> Result<Reservation<'p, 'r, BYTES>, MessagePushError> {
    match form.call(*place == Err(MessagePushError::Full)) {
        Call::Try => producer.try_reserve(length),
        Call::Until(by) => producer.reserve_until(length, by),
        Call::Wait => producer.reserve(length),
    }
}

/// What happens while something is reserved: none of it is seen. Says whether the consumer has
/// heard of the end.
fn elsewhere<const BYTES: usize>(
    meanwhile: Meanwhile,
    ring: &MessageRing<BYTES>,
    consumer: Option<&mut MessageConsumer<'_, BYTES>>,
    model: &mut Model<BYTES>,
) -> bool {
    match (meanwhile, consumer) {
        (Meanwhile::Pop, Some(consumer)) => {
            let popped = consumer.try_read().map(Message::release);
            assert_eq!(popped, model.front().map(drop));
            if popped.is_ok() {
                model.pop();
            }
            false
        }
        (Meanwhile::CloseAndEnd, Some(consumer)) => {
            ring.close();
            model.is_closed = true;
            while let Ok(message) = model.front() {
                let length = message.len();
                assert_eq!(consumer.read().map(|message| message.len()), Ok(length));
                consumer.read().expect("still there").release();
                model.pop();
            }
            assert_eq!(consumer.read().map(drop), Err(MessagePopError::Closed));
            true
        }
        (Meanwhile::Close | Meanwhile::CloseAndEnd, _) => {
            ring.close();
            model.is_closed = true;
            false
        }
        (Meanwhile::Nothing | Meanwhile::Pop, _) => false,
    }
}
