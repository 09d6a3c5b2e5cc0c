//! Streams by 64 messages at once, copied in and out.

use core::hint::{black_box, spin_loop};
use core::sync::atomic::Ordering::Relaxed;

use rawipc::queue::{Mpmc, Spsc};

use super::blocks::{self, blocks, start};
use super::channels::{Message, leak, room};
use super::streams::Stream;
use crate::meeting::Kin;
use crate::place::Cpu;

const BATCH: usize = 64;

/// The floors, and those whose messages have `W` words and go through `N` slots with a word beside
/// each, or `M` without.
pub(super) fn each<const W: usize, const N: usize, const M: usize>(away: Cpu) -> Vec<Stream> {
    vec![
        floor::<W>(away),
        floor_by_words::<W>(away),
        spsc::<W, N>(away),
        mpmc::<W, N>(away),
        rtrb::<W, M>(away),
    ]
}

fn floor<const W: usize>(away: Cpu) -> Stream {
    let (mut full, mut empty) = blocks();
    let send = move |values: &[Message<W>]| {
        full.next(W * BATCH, |to| {
            // SAFETY: so many words of a block that nobody else has now.
            unsafe { start(to).copy_from_nonoverlapping(values.as_ptr().cast(), W * BATCH) };
        });
        values.len()
    };
    let receive = move |values: &mut [Message<W>]| {
        empty.next(W * BATCH, |from| {
            // SAFETY: so many words of a block that nobody else has now, and room for them.
            unsafe { start(from).copy_to_nonoverlapping(values.as_mut_ptr().cast(), W * BATCH) };
        });
        values.len()
    };
    stream("floor: blocks of 64 KiB", Kin::Processes, away, send, receive)
}

/// As whoever trusts nobody copies: by atomic words.
fn floor_by_words<const W: usize>(away: Cpu) -> Stream {
    let (mut full, mut empty) = blocks();
    let send = move |values: &[Message<W>]| {
        full.next(W * BATCH, |to| {
            let words = to.iter().zip(values.as_flattened());
            words.for_each(|(to, value)| to.store(*value, Relaxed));
        });
        values.len()
    };
    let receive = move |values: &mut [Message<W>]| {
        empty.next(W * BATCH, |from| {
            let words = from.iter().zip(values.as_flattened_mut());
            words.for_each(|(from, value)| *value = from.load(Relaxed));
        });
        values.len()
    };
    stream("floor: blocks of 64 KiB, by words", Kin::Processes, away, send, receive)
}

fn spsc<const W: usize, const N: usize>(away: Cpu) -> Stream {
    let queue: &Spsc<Message<W>, N> = room();
    let producer = leak(queue.producer().expect("its first"));
    let consumer = leak(queue.consumer().expect("its first"));
    let send = |values: &[Message<W>]| producer.try_push_slice(values).unwrap_or_default();
    let receive =
        |values: &mut [Message<W>]| consumer.try_pop_slice(values).map_or(0, |some| some.len());
    stream("rawipc, Spsc", Kin::Processes, away, send, receive)
}

fn mpmc<const W: usize, const N: usize>(away: Cpu) -> Stream {
    let queue: &Mpmc<Message<W>, N> = room();
    let send = |values: &[Message<W>]| queue.try_push_slice(values).unwrap_or_default();
    let receive =
        |values: &mut [Message<W>]| queue.try_pop_slice(values).map_or(0, |some| some.len());
    stream("rawipc, Mpmc", Kin::Processes, away, send, receive)
}

fn rtrb<const W: usize, const M: usize>(away: Cpu) -> Stream {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<Message<W>>::new(M);
    let send = move |values: &[Message<W>]| producer.push_partial_slice(values).0.len();
    let receive = move |values: &mut [Message<W>]| consumer.pop_partial_slice(values).0.len();
    stream("rtrb", Kin::Threads, away, send, receive)
}

/// Both say how many it was; as many as there are, or there is room for.
fn stream<const W: usize>(
    name: &'static str,
    kin: Kin,
    away: Cpu,
    mut send: impl FnMut(&[Message<W>]) -> usize + Send + 'static,
    mut receive: impl FnMut(&mut [Message<W>]) -> usize + Send + 'static,
) -> Stream {
    // Whole blocks, as the floor needs.
    let unit = blocks::WORDS / W;
    let batches = move |times| times * (unit / BATCH) as u64;
    let produce = move |times| {
        let values = [[7; W]; BATCH];
        for _ in 0..batches(times) {
            let mut rest = &black_box(&values)[..];
            while !rest.is_empty() {
                match send(rest) {
                    0 => spin_loop(),
                    count => rest = &rest[count..],
                }
            }
        }
    };
    let consume = move |times| {
        let mut values = [[0; W]; BATCH];
        let mut left = batches(times) * BATCH as u64;
        while left > 0 {
            match receive(&mut values) {
                0 => spin_loop(),
                count => left -= count as u64,
            }
            black_box(&values);
        }
    };
    Stream::new(name, kin, away, unit as u64, produce, consume)
}
