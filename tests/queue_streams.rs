//! Streams through the queues, between processes: each message arrives, once, and in order.

mod support;

use core::fmt::Debug;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::yield_now;

use rawipc::process::Child;
use rawipc::queue::{Mpmc, PopError, PushError, Spsc};
use rawipc::shm::{Plain, Shared};
use support::queues::nth;
use support::shared::shared;
use support::{child, isolated};

const MESSAGES: u64 = if cfg!(debug_assertions) { 200_000 } else { 10_000_000 };
/// Where more processes than CPUs get in each other's way.
const FEWER: u64 = MESSAGES / 5;

/// What stands in a message above its number: who has sent it.
const SENDER: u32 = 48;
const MOST_SENDERS: usize = 4;

/// All that has arrived, by number, sum and exclusive or.
type Totals = Shared<[AtomicU64]>;

/// What has arrived at one receiver.
#[derive(Default)]
struct Tally {
    count: u64,
    sum: u64,
    xor: u64,
    /// The next that may come, of each sender.
    next: [u64; MOST_SENDERS],
}

impl Tally {
    fn take(&mut self, message: u64) {
        let (sender, number) = ((message >> SENDER) as usize, message & ((1 << SENDER) - 1));
        assert!(number >= self.next[sender], "{sender}: {number} after {}", self.next[sender] - 1);
        self.next[sender] = number + 1;
        self.count += 1;
        self.sum = self.sum.wrapping_add(message);
        // Which a message that comes twice instead of another changes.
        self.xor ^= message.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn take_all(&mut self, messages: &[u64]) {
        for &message in messages {
            self.take(message);
        }
    }

    fn numbers(&self) -> [u64; 3] {
        [self.count, self.sum, self.xor]
    }

    fn add_to(&self, totals: &Totals) {
        totals[0].fetch_add(self.count, Relaxed);
        totals[1].fetch_add(self.sum, Relaxed);
        totals[2].fetch_xor(self.xor, Relaxed);
    }
}

/// As long as it takes: the watchdog sees to it.
#[track_caller]
fn join(mut child: Child) {
    assert!(child.wait().unwrap().success(), "the child failed");
}

/// So many senders and receivers, each in a process of its own.
fn all_arrive(
    messages: u64,
    [senders, receivers]: [u64; 2],
    send: impl Fn(Range<u64>),
    receive: impl Fn(&mut Tally),
    close: impl Fn(),
) {
    let totals = Shared::<[AtomicU64]>::anonymous_slice(3).unwrap();
    let all = |sender| sender << SENDER..(sender << SENDER) + messages / senders;
    let at_work: Vec<_> = (0..senders).map(|sender| child(|| send(all(sender)))).collect();
    let receive_all = |_| {
        child(|| {
            let mut tally = Tally::default();
            receive(&mut tally);
            tally.add_to(&totals);
        })
    };
    let the_others: Vec<_> = (0..receivers).map(receive_all).collect();
    at_work.into_iter().for_each(join);
    close();
    the_others.into_iter().for_each(join);

    let mut expected = Tally::default();
    (0..senders).flat_map(all).for_each(|message| expected.take(message));
    let arrived = [0, 1, 2].map(|which| totals[which].load(Relaxed));
    assert_eq!(arrived, expected.numbers());
}

/// Messages in portions of this many and that many.
fn portions(messages: Range<u64>, mut send: impl FnMut(&[u64]) -> usize) {
    let (mut buffer, mut length) = (Vec::new(), 1);
    let mut messages = messages.peekable();
    while messages.peek().is_some() {
        buffer.clear();
        buffer.extend(messages.by_ref().take(length));
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            rest = &rest[send(rest)..];
        }
        length = length % 100 + 1;
    }
}

type One = Spsc<u64, 64>;

fn through_one(send: impl Fn(&One, Range<u64>), receive: impl Fn(&One, &mut Tally)) {
    let queue = shared(One::new());
    let (send, receive) =
        (|all: Range<_>| send(&queue, all), |tally: &mut _| receive(&queue, tally));
    all_arrive(MESSAGES, [1, 1], send, receive, || queue.close());
    assert!(queue.is_empty());
}

#[test]
fn through_spsc_all_arrives_that_is_pushed_and_popped_one_by_one() {
    isolated(|| {
        let send = |queue: &One, mut all: Range<_>| {
            let mut producer = queue.producer().unwrap();
            all.try_for_each(|message| producer.push(message)).unwrap();
        };
        let receive = |queue: &One, tally: &mut Tally| {
            let mut consumer = queue.consumer().unwrap();
            while let Ok(message) = consumer.pop() {
                tally.take(message);
            }
        };
        through_one(send, receive);
    });
}

#[test]
fn through_spsc_all_arrives_where_both_only_try() {
    isolated(|| {
        let send = |queue: &One, all: Range<_>| {
            let mut producer = queue.producer().unwrap();
            for message in all {
                while producer.try_push(message) == Err(PushError::Full(message)) {
                    yield_now();
                }
            }
        };
        let receive = |queue: &One, tally: &mut Tally| {
            let mut consumer = queue.consumer().unwrap();
            loop {
                match consumer.try_pop() {
                    Ok(message) => tally.take(message),
                    Err(PopError::Empty) => yield_now(),
                    Err(PopError::Closed) => return,
                }
            }
        };
        through_one(send, receive);
    });
}

#[test]
fn through_spsc_all_arrives_in_slices() {
    isolated(|| {
        let send = |queue: &One, all: Range<_>| {
            let mut producer = queue.producer().unwrap();
            portions(all, |messages| producer.push_slice(messages).unwrap());
        };
        let receive = |queue: &One, tally: &mut Tally| {
            let mut consumer = queue.consumer().unwrap();
            while let Ok(messages) = consumer.pop_slice(&mut [0; 47]) {
                tally.take_all(messages);
            }
        };
        through_one(send, receive);
    });
}

#[test]
fn through_spsc_all_arrives_in_place() {
    isolated(|| {
        let send = |queue: &One, all: Range<_>| {
            let mut producer = queue.producer().unwrap();
            portions(all, |messages| {
                let mut chunk = producer.reserve(messages.len()).unwrap();
                chunk.slots().zip(messages).for_each(|(mut slot, &message)| slot.write(message));
                // The others are written again.
                let part = chunk.len().div_ceil(2);
                chunk.commit(part).unwrap()
            });
        };
        let receive = |queue: &One, tally: &mut Tally| {
            let mut consumer = queue.consumer().unwrap();
            while let Ok(chunk) = consumer.read(47) {
                let part = chunk.len().div_ceil(2);
                chunk.slots().take(part).for_each(|slot| tally.take(slot.read()));
                chunk.release(part);
            }
        };
        through_one(send, receive);
    });
}

type Many = Mpmc<u64, 64>;

fn through_many(
    messages: u64,
    shape: [u64; 2],
    send: impl Fn(&Many, Range<u64>),
    receive: impl Fn(&Many, &mut Tally),
) {
    let queue = shared(Many::new());
    let (send, receive) =
        (|all: Range<_>| send(&queue, all), |tally: &mut _| receive(&queue, tally));
    all_arrive(messages, shape, send, receive, || queue.close());
    assert!(queue.is_empty());
}

fn one_by_one(messages: u64, shape: [u64; 2]) {
    let send = |queue: &Many, mut all: Range<_>| {
        all.try_for_each(|message| queue.push(message)).unwrap();
    };
    let receive = |queue: &Many, tally: &mut Tally| {
        while let Ok(message) = queue.pop() {
            tally.take(message);
        }
    };
    through_many(messages, shape, send, receive);
}

fn trying(messages: u64, shape: [u64; 2]) {
    let send = |queue: &Many, all: Range<_>| {
        for message in all {
            while queue.try_push(message) == Err(PushError::Full(message)) {
                yield_now();
            }
        }
    };
    let receive = |queue: &Many, tally: &mut Tally| {
        loop {
            match queue.try_pop() {
                Ok(message) => tally.take(message),
                Err(PopError::Empty) => yield_now(),
                Err(PopError::Closed) => return,
            }
        }
    };
    through_many(messages, shape, send, receive);
}

fn in_slices(messages: u64, shape: [u64; 2]) {
    let send = |queue: &Many, all: Range<_>| {
        portions(all, |messages| queue.push_slice(messages).unwrap());
    };
    let receive = |queue: &Many, tally: &mut Tally| {
        while let Ok(messages) = queue.pop_slice(&mut [0; 47]) {
            tally.take_all(messages);
        }
    };
    through_many(messages, shape, send, receive);
}

#[test]
fn through_mpmc_all_arrives_that_is_pushed_and_popped_one_by_one() {
    isolated(|| one_by_one(MESSAGES, [1, 1]));
}

#[test]
fn through_mpmc_all_arrives_where_both_only_try() {
    isolated(|| trying(MESSAGES, [1, 1]));
}

#[test]
fn through_mpmc_all_arrives_in_slices() {
    isolated(|| in_slices(MESSAGES, [1, 1]));
}

#[test]
fn many_send_to_one() {
    isolated(|| {
        one_by_one(FEWER, [3, 1]);
        trying(FEWER, [4, 1]);
        in_slices(FEWER, [2, 1]);
    });
}

#[test]
fn one_sends_to_many() {
    isolated(|| {
        one_by_one(FEWER, [1, 3]);
        trying(FEWER, [1, 2]);
        in_slices(FEWER, [1, 4]);
    });
}

#[test]
fn many_send_to_many() {
    isolated(|| {
        one_by_one(FEWER, [2, 2]);
        one_by_one(FEWER / 4, [4, 4]);
        trying(FEWER / 4, [3, 3]);
        in_slices(FEWER / 4, [4, 3]);
    });
}

/// Each byte of a message says which it is.
fn arrives_whole<T: Plain + Send + Debug + PartialEq>() {
    let (one, many) = (shared(Spsc::<T, 4>::new()), shared(Mpmc::<T, 4>::new()));
    let number = MESSAGES / 400;
    let sender = child(|| {
        let mut producer = one.producer().unwrap();
        for message in 0..number {
            producer.push(nth(message)).unwrap();
            many.push(nth(message)).unwrap();
        }
    });
    let mut consumer = one.consumer().unwrap();
    for message in 0..number {
        assert_eq!(consumer.pop(), Ok(nth(message)));
        assert_eq!(many.pop(), Ok(nth(message)));
    }
    join(sender);
}

#[test]
fn messages_of_any_size_arrive_whole() {
    isolated(|| {
        arrives_whole::<u8>();
        arrives_whole::<[u8; 9]>();
        arrives_whole::<[u64; 7]>();
        arrives_whole::<[u128; 3]>();
        arrives_whole::<[u8; 600]>();
        arrives_whole::<[u64; 512]>();
    });
}
