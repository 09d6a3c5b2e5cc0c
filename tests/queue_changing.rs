//! Streams whose ends come and go, and streams that begin shortly before their counters start again
//! at zero.

mod support;

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::thread::yield_now;

use rawipc::Deadline;
use rawipc::process::Child;
use rawipc::queue::{Mpmc, PushError, Spsc};
use rawipc::shm::{Access, Bytes, Memfd, Shared};
use support::queues::{file_of, opened};
use support::shared::shared;
use support::{child, eventually, isolated, join, wait};

const MESSAGES: u64 = if cfg!(debug_assertions) { 20_000 } else { 400_000 };

/// Numbers that look random, and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

#[test]
fn a_role_goes_from_one_process_to_the_next_and_the_stream_goes_on() {
    isolated(|| {
        let queue = shared(Spsc::<u64, 8>::new());
        // Belong to who has the role.
        let (sent, received) = (shared(AtomicU64::new(0)), shared(AtomicU64::new(0)));
        let push_all = |seed| {
            let mut numbers = Numbers(seed);
            while sent.load(Relaxed) < MESSAGES {
                let Some(mut producer) = queue.producer() else {
                    yield_now();
                    continue;
                };
                let first = sent.load(Relaxed);
                let last = MESSAGES.min(first + 1 + numbers.below(20));
                (first..last).try_for_each(|number| producer.push(number)).unwrap();
                sent.store(last, Relaxed);
            }
        };
        let pop_all = |seed| {
            let mut numbers = Numbers(seed);
            while received.load(Relaxed) < MESSAGES {
                let Some(mut consumer) = queue.consumer() else {
                    yield_now();
                    continue;
                };
                let first = received.load(Relaxed);
                let last = MESSAGES.min(first + 1 + numbers.below(20));
                for number in first..last {
                    assert_eq!(consumer.pop(), Ok(number));
                }
                received.store(last, Relaxed);
            }
        };
        let senders = [1, 2, 3].map(|seed| child(|| push_all(seed)));
        let receivers = [4, 5].map(|seed| child(|| pop_all(seed)));
        senders.into_iter().chain(receivers).for_each(join);
        assert!(queue.is_empty());
    });
}

#[test]
fn processes_come_and_go_and_no_message_is_lost() {
    const ROUNDS: u64 = if cfg!(debug_assertions) { 100 } else { 400 };
    const MOST: usize = 4;
    isolated(|| {
        let queue = shared(Mpmc::<u64, 16>::new());
        let totals = Shared::<[AtomicU64]>::anonymous_slice(2).unwrap();
        let take = |message: u64| {
            totals[0].fetch_add(1, Relaxed);
            totals[1].fetch_add(message, Relaxed);
        };
        let push_all = |sender: u64, count: u64| {
            for number in 0..count {
                queue.push(sender << 32 | number).unwrap();
            }
        };
        // Whoever goes takes some, if they come.
        let pop_some = |count: u64| {
            let mut last = None;
            for _ in 0..count {
                let Ok(message) = queue.pop_until(Deadline::after(Duration::from_millis(2))) else {
                    return;
                };
                let from_the_same = last.filter(|last| last >> 32 == message >> 32);
                assert!(from_the_same.is_none_or(|last| last < message));
                last = Some(message);
                take(message);
            }
        };
        let mut numbers = Numbers(7);
        let mut sent = [0, 0];
        let mut alive: Vec<Child> = Vec::new();
        for round in 0..ROUNDS {
            let count = numbers.below(300);
            if numbers.below(2) == 0 {
                sent[0] += count;
                sent[1] += (0..count).map(|number| round << 32 | number).sum::<u64>();
                alive.push(child(|| push_all(round, count)));
            } else {
                alive.push(child(|| pop_some(count)));
            }
            while alive.len() == MOST {
                pop_some(10);
                alive.retain_mut(|child| match child.try_wait().unwrap() {
                    Some(status) => {
                        assert!(status.success());
                        false
                    }
                    None => true,
                });
            }
        }
        for mut child in alive {
            eventually("it has gone", || {
                pop_some(10);
                child.try_wait().unwrap().is_some()
            });
            assert!(wait(&mut child).success());
        }
        queue.close();
        queue.drain().for_each(take);
        assert_eq!([0, 1].map(|which| totals[which].load(Relaxed)), sent);
        assert!(queue.is_empty());
    });
}

/// Where they lie: part of the promise.
const TAIL: usize = 128;
const HEAD: usize = 256;
/// Of an `Spsc`.
const SLOTS: usize = 384;
/// Of an `Mpmc`: up to where slots are known to be free, and which are.
const LIMIT: usize = 136;
const FREED: usize = 384;
/// Of an `Mpmc`, if there are not too many slots.
const SLOTS_AFTER_FREED: usize = 512;
/// The word that says whether a value is there, and a value of eight bytes.
const SLOT: usize = 16;

/// From which counters on to begin so as to come to zero among the first messages.
const BEFORE_ZERO: [u64; 4] = [2, 18, 40, 1 << 20];

fn spsc_goes_on_beyond_its_counters<const N: usize>(before_zero: u64) {
    let (file, start) = file_of(Spsc::<u64, N>::new());
    let first = before_zero.wrapping_neg();
    {
        let bytes = Bytes::map(&file, Access::ReadWrite).unwrap();
        bytes.write(start + TAIL, first).unwrap();
        bytes.write(start + HEAD, first).unwrap();
        for position in (0..N as u64).map(|index| first.wrapping_add(index)) {
            let slot = start + SLOTS + SLOT * usize::try_from(position % N as u64).unwrap();
            bytes.write(slot, position >> N.trailing_zeros()).unwrap();
        }
    }
    let messages = 200;
    let sender = child(|| {
        let queue = opened::<Spsc<u64, N>>(&file);
        let mut producer = queue.producer().unwrap();
        for number in 0..messages {
            producer.push(number).unwrap();
        }
        // And what one says of it who comes later.
        drop(producer);
        let mut values = (messages..2 * messages).collect::<Vec<_>>();
        while !values.is_empty() {
            let count = queue.producer().unwrap().push_slice(&values).unwrap();
            values.drain(..count);
            assert!(queue.len() <= N);
        }
        queue.close();
    });
    let queue = opened::<Spsc<u64, N>>(&file);
    for number in 0..2 * messages {
        assert_eq!(queue.consumer().unwrap().pop(), Ok(number));
        assert!(queue.len() <= N);
    }
    assert!(queue.consumer().unwrap().pop().is_err());
    assert!(queue.is_empty());
    join(sender);
}

#[test]
fn spsc_goes_on_beyond_the_greatest_position() {
    isolated(|| {
        for before_zero in BEFORE_ZERO {
            spsc_goes_on_beyond_its_counters::<1>(before_zero);
            spsc_goes_on_beyond_its_counters::<2>(before_zero);
            spsc_goes_on_beyond_its_counters::<8>(before_zero);
        }
    });
}

#[test]
fn spsc_is_full_where_its_positions_come_to_zero() {
    isolated(|| {
        let (file, start) = file_of(Spsc::<u64, 8>::new());
        let bytes = Bytes::map(&file, Access::ReadWrite).unwrap();
        bytes.write(start + TAIL, u64::MAX - 3).unwrap();
        bytes.write(start + HEAD, u64::MAX - 3).unwrap();
        let queue = opened::<Spsc<u64, 8>>(&file);
        let mut producer = queue.producer().unwrap();
        assert_eq!(producer.try_push_slice(&[7; 20]), Ok(8));
        assert_eq!(producer.try_push(7), Err(PushError::Full(7)));
        assert_eq!(queue.len(), 8);
        assert_eq!(queue.consumer().unwrap().drain().count(), 8);
    });
}

/// Empty, with counters (twice a position) that begin there.
fn mpmc_from<const N: usize>(first: u64) -> Memfd {
    let (file, start) = file_of(Mpmc::<u64, N>::new());
    let bytes = Bytes::map(&file, Access::ReadWrite).unwrap();
    for counter in [TAIL, LIMIT, HEAD] {
        bytes.write(start + counter, first).unwrap();
    }
    for position in (0..N as u64).map(|index| first.wrapping_add(2 * index) / 2) {
        let (turn, index) = (position >> N.trailing_zeros(), position % N as u64);
        let index = usize::try_from(index).unwrap();
        bytes.write(start + FREED + 8 * index, turn).unwrap();
        bytes.write(start + SLOTS_AFTER_FREED + SLOT * index, turn).unwrap();
    }
    file
}

fn mpmc_goes_on_beyond_its_counters<const N: usize>(before_zero: u64) {
    let file = mpmc_from::<N>(before_zero.wrapping_neg() & !1);
    let messages = 200;
    let sender = |sender: u64| {
        let all = (sender << 32..).take(messages).collect::<Vec<_>>();
        let file = &file;
        child(move || {
            let queue = opened::<Mpmc<u64, N>>(file);
            let (single, mut slice) = all.split_at(messages / 2);
            single.iter().try_for_each(|&message| queue.push(message)).unwrap();
            while !slice.is_empty() {
                slice = &slice[queue.push_slice(slice).unwrap()..];
                assert!(queue.len() <= N);
            }
        })
    };
    let senders = [sender(0), sender(1)];
    let queue = opened::<Mpmc<u64, N>>(&file);
    let mut next = [0, 1 << 32];
    for _ in 0..2 * messages {
        let message = queue.pop().unwrap();
        let next = &mut next[usize::try_from(message >> 32).unwrap()];
        assert_eq!(message, *next);
        *next += 1;
        assert!(queue.len() <= N);
    }
    queue.close();
    assert!(queue.pop().is_err() && queue.is_empty());
    senders.into_iter().for_each(join);
}

#[test]
fn mpmc_goes_on_beyond_the_greatest_position() {
    isolated(|| {
        for before_zero in BEFORE_ZERO {
            mpmc_goes_on_beyond_its_counters::<1>(before_zero);
            mpmc_goes_on_beyond_its_counters::<2>(before_zero);
            mpmc_goes_on_beyond_its_counters::<8>(before_zero);
        }
    });
}

#[test]
fn mpmc_is_full_where_its_positions_come_to_zero() {
    isolated(|| {
        let file = mpmc_from::<8>(u64::MAX - 7);
        let queue = opened::<Mpmc<u64, 8>>(&file);
        assert_eq!(queue.try_push_slice(&[7; 20]), Ok(8));
        assert_eq!(queue.try_push(7), Err(PushError::Full(7)));
        assert_eq!(queue.len(), 8);
        assert_eq!(queue.drain().count(), 8);
    });
}
