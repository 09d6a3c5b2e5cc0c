//! `Spsc` against a list of values, and a role at each end of it.

use core::fmt::Debug;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::queue::{Closed, Consumer, PopError, Producer, PushError, Spsc, WriteChunk};
use rawipc::shm::Plain;

use super::queues::{Call, Form, Model, Role, SlotOf, Start, nth, of_some_type, of_words};

#[derive(Arbitrary, Debug)]
struct Before {
    shape: u8,
    start: Start,
    /// How many the last producer had published when it was killed, before it could say so.
    unsaid: u8,
    /// Whether the last consumer was killed, too.
    consumer_is_lost: bool,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Push(Form),
    PushSlice(Form, u8),
    /// Of so many reserved, so many are committed.
    Commit(Form, u8, u8, Meanwhile),
    AbandonWrite(u8),
    Pop(Form),
    PopSlice(Form, u8),
    /// Of so many read, so many are released.
    Release(Form, u8, u8, Meanwhile),
    AbandonRead(u8),
    Drain(u8),
    Producer(Role),
    Consumer(Role),
    Show,
    /// If both are so: which is one input in many, so that most queues are tried open.
    Close(bool, bool),
}

/// What the other side does before a chunk goes back.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Meanwhile {
    Nothing,
    Move,
    Close,
    CloseAndEnd,
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(before) = Before::arbitrary(&mut input) else { return };
    of_some_type!(before.shape, is_a_queue(&before, input));
}

/// Where they lie.
const PRODUCER: usize = 16;
const TAIL: usize = 128;
const HEAD: usize = 256;
const SLOTS: usize = 384;

/// What has come after as many values as `before` says, with those of the model in it, of which
/// nothing has been said.
fn come_so_far<T: Plain + Send, const N: usize>(before: &Before, unsaid: &Model<T>) -> Spsc<T, N> {
    let start = before.start.position();
    let full = |position: u64| (position / N as u64).wrapping_add(1);
    let is_lost = [!unsaid.values.is_empty(), before.consumer_is_lost];
    let roles = is_lost.map(u32::from).map(u32::to_ne_bytes).concat().try_into().expect("eight");
    let words = [(PRODUCER, u64::from_ne_bytes(roles)), (TAIL, start), (HEAD, start)];
    let slot_at = |position: u64| {
        let at = usize::try_from(position % N as u64).expect("an index");
        SLOTS + SlotOf::<T>::SIZE * at
    };
    let turns = (0..N as u64).map(|ahead| {
        let next = start.wrapping_add(ahead);
        let is_there = ahead < unsaid.values.len() as u64;
        let turn = match before.start {
            _ if is_there => full(next),
            // Before the first turn there is none.
            Start::New => 0,
            _ => full(next.wrapping_sub(N as u64)),
        };
        (slot_at(next), turn)
    });
    let payloads = unsaid.values.iter().zip(0..).flat_map(|(value, ahead)| {
        let first = slot_at(start.wrapping_add(ahead)) + SlotOf::<T>::VALUE;
        let words = value.as_bytes().chunks(8).zip((first..).step_by(8));
        words.map(|(bytes, at)| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            (at, u64::from_ne_bytes(word))
        })
    });
    of_words(words.into_iter().chain(turns).chain(payloads))
}

/// A queue, and what is known of it.
struct Tried<'q, T, const N: usize> {
    queue: &'q Spsc<T, N>,
    producer: Option<Producer<'q, T, N>>,
    consumer: Option<Consumer<'q, T, N>>,
    has_producer: bool,
    has_consumer: bool,
    model: Model<T>,
    /// How many have been published by one that was killed, and do not count yet.
    unsaid: usize,
}

fn is_a_queue<T: Plain + Send + Debug + PartialEq, const N: usize>(
    before: &Before,
    mut input: Unstructured<'_>,
) {
    let mut model = Model::<T>::new(N);
    let unsaid = usize::from(before.unsaid).saturating_sub(128).min(N);
    let values = model.some_fresh(unsaid);
    assert_eq!(model.push_slice(&values), Ok(unsaid));
    let queue = come_so_far::<T, N>(before, &model);
    let mut tried = Tried {
        queue: &queue,
        producer: None,
        consumer: None,
        has_producer: unsaid > 0,
        has_consumer: before.consumer_is_lost,
        model,
        unsaid,
    };
    tried.agrees();
    if unsaid == 0 {
        tried.producer(Role::Take);
    }
    tried.consumer(if before.consumer_is_lost { Role::Reclaim } else { Role::Take });
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        tried.does(&op);
        tried.agrees();
    }
    tried.ends();
}

impl<T: Plain + Send + Debug + PartialEq, const N: usize> Tried<'_, T, N> {
    fn does(&mut self, op: &Op) {
        let count = |count: u8| usize::from(count) % (N + 3);
        match *op {
            Op::Push(form) => self.push(form),
            Op::PushSlice(form, many) => self.push_slice(form, count(many)),
            Op::Commit(form, most, many, meanwhile) => {
                self.commit(form, most_of(most), most_of(many), meanwhile);
            }
            Op::AbandonWrite(most) => self.abandon_write(most_of(most)),
            Op::Pop(form) => self.pop(form),
            Op::PopSlice(form, most) => self.pop_slice(form, count(most)),
            Op::Release(form, most, many, meanwhile) => {
                self.release(form, most_of(most), most_of(many), meanwhile);
            }
            Op::AbandonRead(most) => {
                if let Some(Ok(chunk)) = self.consumer.as_mut().map(|it| it.try_read(count(most))) {
                    assert_eq!(Ok(chunk.len()), self.model.first(count(most)).map(|all| all.len()));
                }
            }
            Op::Drain(most) => {
                let Some(consumer) = &mut self.consumer else { return };
                let drained: Vec<_> = consumer.drain().take(count(most)).collect();
                assert_eq!(drained, self.model.pop_slice(count(most)).unwrap_or_default());
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
        self.queue.close();
        self.model.is_closed = true;
    }

    fn producer(&mut self, role: Role) {
        let queue = self.queue;
        let reclaim = || queue.reclaim_producer();
        role.happens(&mut self.producer, &mut self.has_producer, || queue.producer(), reclaim);
        if self.producer.is_some() {
            self.unsaid = 0;
        }
    }

    fn consumer(&mut self, role: Role) {
        let queue = self.queue;
        let reclaim = || queue.reclaim_consumer();
        role.happens(&mut self.consumer, &mut self.has_consumer, || queue.consumer(), reclaim);
    }

    fn push(&mut self, form: Form) {
        let Some(producer) = &mut self.producer else { return };
        let value = self.model.fresh();
        let pushed = match form.call(self.model.is_full(1)) {
            Call::Try => producer.try_push(value),
            Call::Until(by) => producer.push_until(value, by),
            Call::Wait => producer.push(value).map_err(|Closed(value)| PushError::Closed(value)),
        };
        assert!(pushed == self.model.push(value), "{pushed:?}");
    }

    fn push_slice(&mut self, form: Form, count: usize) {
        let Some(producer) = &mut self.producer else { return };
        let values = self.model.some_fresh(count);
        let pushed = match form.call(self.model.is_full(count)) {
            Call::Try => producer.try_push_slice(&values),
            Call::Until(by) => producer.push_slice_until(&values, by),
            Call::Wait => producer.push_slice(&values).map_err(|Closed(())| PushError::Closed(())),
        };
        assert_eq!(pushed, self.model.push_slice(&values));
    }

    fn commit(&mut self, form: Form, most: usize, count: usize, meanwhile: Meanwhile) {
        let Some(producer) = &mut self.producer else { return };
        let room = self.model.room(most);
        let chunk = match form.call(self.model.is_full(most)) {
            Call::Try => producer.try_reserve(most),
            Call::Until(by) => producer.reserve_until(most, by),
            Call::Wait => producer.reserve(most).map_err(|Closed(())| PushError::Closed(())),
        };
        let mut chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => return assert_eq!(Err(error), room),
        };
        assert_eq!((Ok(chunk.len()), chunk.is_empty()), (room, room == Ok(0)));
        let values = self.model.some_fresh(chunk.len());
        assert_eq!(chunk.slots().count(), values.len());
        chunk.slots().zip(&values).for_each(|(mut slot, &value)| slot.write(value));
        // Nothing is there before it is committed.
        let mut is_told = false;
        let consumer = self.consumer.as_mut();
        match meanwhile {
            Meanwhile::Nothing => {}
            Meanwhile::Move => {
                let popped = consumer.map(Consumer::try_pop);
                assert!(popped.is_none_or(|popped| popped == self.model.pop()));
            }
            Meanwhile::Close | Meanwhile::CloseAndEnd => {
                self.queue.close();
                self.model.is_closed = true;
            }
        }
        if let (Meanwhile::CloseAndEnd, Some(consumer)) = (meanwhile, &mut self.consumer) {
            let rest: Vec<_> = consumer.drain().collect();
            assert_eq!(rest, Vec::from(core::mem::take(&mut self.model.values)));
            assert_eq!(consumer.pop(), Err(Closed(())));
            is_told = true;
        }
        // More than there are is all.
        let count = count.min(values.len());
        let committed = chunk.commit(if count == values.len() { usize::MAX } else { count });
        if is_told && count > 0 {
            assert_eq!(committed, Err(Closed(())));
        } else {
            assert_eq!(committed, Ok(count));
            self.model.values.extend(&values[..count]);
        }
    }

    fn abandon_write(&mut self, most: usize) {
        let Some(producer) = &mut self.producer else { return };
        let chunk = producer.try_reserve(most);
        let len = chunk.as_ref().map(WriteChunk::len).map_err(|&error| error);
        assert_eq!(len, self.model.room(most));
        if let Ok(mut chunk) = chunk {
            chunk.slots().for_each(|mut slot| slot.write(nth(u64::MAX)));
        }
    }

    fn pop(&mut self, form: Form) {
        let Some(consumer) = &mut self.consumer else { return };
        let popped = match form.call(self.model.is_bare()) {
            Call::Try => consumer.try_pop(),
            Call::Until(by) => consumer.pop_until(by),
            Call::Wait => consumer.pop().map_err(|Closed(())| PopError::Closed),
        };
        assert_eq!(popped, self.model.pop());
    }

    fn pop_slice(&mut self, form: Form, most: usize) {
        let Some(consumer) = &mut self.consumer else { return };
        let untouched = nth(u64::MAX);
        let mut room = vec![untouched; most];
        let popped = match form.call(most > 0 && self.model.is_bare()) {
            Call::Try => consumer.try_pop_slice(&mut room),
            Call::Until(by) => consumer.pop_slice_until(&mut room, by),
            Call::Wait => consumer.pop_slice(&mut room).map_err(|Closed(())| PopError::Closed),
        };
        let popped = popped.map(|popped| popped.to_vec());
        assert_eq!(popped, self.model.first(most));
        let count = popped.map_or(0, |popped| popped.len());
        self.model.values.drain(..count);
        assert!(room[count..].iter().all(|value| *value == untouched));
    }

    fn release(&mut self, form: Form, most: usize, count: usize, meanwhile: Meanwhile) {
        let Some(consumer) = &mut self.consumer else { return };
        let chunk = match form.call(most > 0 && self.model.is_bare()) {
            Call::Try => consumer.try_read(most),
            Call::Until(by) => consumer.read_until(most, by),
            Call::Wait => consumer.read(most).map_err(|Closed(())| PopError::Closed),
        };
        let (chunk, values) = match chunk {
            Ok(chunk) => {
                let values: Vec<T> = chunk.slots().map(|slot| slot.read()).collect();
                (chunk, values)
            }
            Err(error) => return assert_eq!(Err(error), self.model.first(most)),
        };
        assert_eq!((chunk.len(), chunk.is_empty()), (values.len(), values.is_empty()));
        assert_eq!(Ok(values.clone()), self.model.first(most));
        match meanwhile {
            Meanwhile::Nothing => {}
            Meanwhile::Move => {
                if let Some(producer) = &mut self.producer {
                    let value = self.model.fresh();
                    assert_eq!(producer.try_push(value), self.model.push(value));
                }
            }
            Meanwhile::Close | Meanwhile::CloseAndEnd => {
                self.queue.close();
                self.model.is_closed = true;
            }
        }
        // Nobody has written over them.
        assert!(chunk.slots().map(|slot| slot.read()).eq(values.iter().copied()));
        // More than there are is all.
        let count = count.min(values.len());
        chunk.release(if count == values.len() { usize::MAX } else { count });
        self.model.values.drain(..count);
    }

    fn shows(&self) {
        let len = self.model.len().saturating_sub(self.unsaid);
        let is_closed = self.model.is_closed;
        let shown = format!("Spsc {{ len: {len}, is_closed: {is_closed}, .. }}");
        assert_eq!(format!("{:?}", self.queue), shown);
        if let Some(producer) = &self.producer {
            assert_eq!(format!("{producer:?}"), format!("Producer({shown})"));
        }
        if let Some(consumer) = &self.consumer {
            assert_eq!(format!("{consumer:?}"), format!("Consumer({shown})"));
        }
    }

    fn agrees(&self) {
        let len = self.model.len().saturating_sub(self.unsaid);
        assert_eq!((self.queue.len(), self.queue.is_empty()), (len, len == 0));
        assert_eq!(self.queue.is_closed(), self.model.is_closed);
    }

    /// Whoever comes after all finds all that is left.
    fn ends(mut self) {
        self.producer(Role::Reclaim);
        self.agrees();
        self.consumer(Role::Reclaim);
        self.close();
        self.push(Form::Wait);
        let consumer = self.consumer.as_mut().expect("reclaimed");
        assert!(consumer.drain().eq(self.model.values.iter().copied()));
        assert_eq!(consumer.pop(), Err(Closed(())));
        assert_eq!(consumer.try_pop_slice(&mut []), Ok(&mut [][..]));
        self.model.values.clear();
        self.agrees();
        self.producer(Role::GiveBack);
        self.consumer(Role::GiveBack);
        assert!(self.queue.producer().is_some() && self.queue.consumer().is_some());
    }
}

/// As many as somebody may ask for.
fn most_of(number: u8) -> usize {
    if number == u8::MAX { usize::MAX } else { usize::from(number % 80) }
}
