//! Streams of messages that are written where they lie, word by word, and added up there; and of
//! those that are not, but copied there and back.

use core::hint::{black_box, spin_loop};
use core::mem::MaybeUninit;
use core::slice;

use rawipc::queue::Spsc;

use super::blocks::{self, blocks, start};
use super::channels::{self, Message, Receives, Sends, leak, room, until};
use super::streams::Stream;
use crate::meeting::Kin;
use crate::place::Cpu;

/// How many words a message has: 4 KiB.
const WORDS: usize = 512;

/// The floor, and those who have `N` slots with a word beside each, or `M` without.
pub(super) fn each<const N: usize, const M: usize>(away: Cpu) -> Vec<Stream> {
    vec![
        floor(away),
        spsc::<N>(away),
        rtrb::<M>(away),
        spsc_by_slices::<N>(away),
        copied("rawipc, Spsc, copied", Kin::Processes, away, channels::spsc::<WORDS, N>),
        copied("rtrb, copied", Kin::Threads, away, channels::rtrb::<WORDS, M>),
    ]
}

fn floor(away: Cpu) -> Stream {
    let (mut full, mut empty) = blocks();
    let send = move |number| full.next(WORDS, |to| fill(start(to), number));
    let receive = move || empty.next(WORDS, |from| sum(start(from)));
    stream("floor: blocks of 64 KiB", Kin::Processes, away, send, receive)
}

fn spsc<const N: usize>(away: Cpu) -> Stream {
    let queue: &Spsc<Message<WORDS>, N> = room();
    let producer = leak(queue.producer().expect("its first"));
    let consumer = leak(queue.consumer().expect("its first"));
    let send = |number| {
        let mut chunk = loop {
            if let Ok(chunk) = producer.try_reserve(1) {
                break chunk;
            }
            spin_loop();
        };
        for mut slot in chunk.slots() {
            fill(slot.as_mut_ptr().cast(), number);
        }
        chunk.commit(1).expect("open");
    };
    let receive = || {
        let chunk = loop {
            if let Ok(chunk) = consumer.try_read(1) {
                break chunk;
            }
            spin_loop();
        };
        let sum = chunk.slots().map(|slot| sum(slot.as_ptr().cast())).sum();
        chunk.release(1);
        sum
    };
    stream("rawipc, Spsc", Kin::Processes, away, send, receive)
}

fn rtrb<const M: usize>(away: Cpu) -> Stream {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<Message<WORDS>>::new(M);
    let send = move |number| {
        let mut chunk = loop {
            if let Ok(chunk) = producer.write_chunk_uninit(1) {
                break chunk;
            }
            spin_loop();
        };
        for slot in chunk.as_mut_slices().0 {
            fill(slot.as_mut_ptr().cast(), number);
        }
        // SAFETY: it has just been filled.
        unsafe { chunk.commit_all() };
    };
    let receive = move || {
        let chunk = loop {
            if let Ok(chunk) = consumer.read_chunk(1) {
                break chunk;
            }
            spin_loop();
        };
        let sum = chunk.as_slices().0.iter().map(|value| sum(value.as_ptr())).sum();
        chunk.commit_all();
        sum
    };
    stream("rtrb", Kin::Threads, away, send, receive)
}

/// Copied as slices of one, which are borrowed: what is handed over is copied for that, too.
fn spsc_by_slices<const N: usize>(away: Cpu) -> Stream {
    let queue: &Spsc<Message<WORDS>, N> = room();
    let producer = leak(queue.producer().expect("its first"));
    let consumer = leak(queue.consumer().expect("its first"));
    let mut value = [0; WORDS];
    let send = move |number| {
        fill(value.as_mut_ptr(), number);
        let values = slice::from_ref(black_box(&value));
        until(|| producer.try_push_slice(values));
    };
    let mut value = [0; WORDS];
    let receive = move || {
        until(|| consumer.try_pop_slice(slice::from_mut(&mut value)).map(drop));
        sum(black_box(&value).as_ptr())
    };
    stream("rawipc, Spsc, copied as slices", Kin::Processes, away, send, receive)
}

fn copied<S: Sends<Message<WORDS>>, R: Receives<Message<WORDS>>>(
    name: &'static str,
    kin: Kin,
    away: Cpu,
    channel: fn() -> (S, R),
) -> Stream {
    let (mut send, mut receive) = channel();
    let send = move |number| {
        let mut value = MaybeUninit::<Message<WORDS>>::uninit();
        fill(value.as_mut_ptr().cast(), number);
        // SAFETY: filled.
        send(black_box(unsafe { value.assume_init_ref() }));
    };
    let receive = move || sum(black_box(&receive()).as_ptr());
    stream(name, kin, away, send, receive)
}

fn stream(
    name: &'static str,
    kin: Kin,
    away: Cpu,
    mut send: impl FnMut(u64) + Send + 'static,
    mut receive: impl FnMut() -> u64 + Send + 'static,
) -> Stream {
    // Whole blocks, as the floor needs.
    let unit = (blocks::WORDS / WORDS) as u64;
    let produce = move |times| (0..times * unit).for_each(&mut send);
    let consume = move |times| {
        for _ in 0..times * unit {
            black_box(receive());
        }
    };
    Stream::new(name, kin, away, unit, produce, consume)
}

/// What the producer has to say.
#[inline]
fn fill(to: *mut u64, number: u64) {
    for word in 0..WORDS {
        // SAFETY: within a message, which is this side's now.
        let to = unsafe { to.add(word) };
        // SAFETY: as above.
        unsafe { to.write(number) };
    }
}

/// What the consumer makes of it.
#[inline]
fn sum(from: *const u64) -> u64 {
    let word = |word| {
        // SAFETY: within a message, which is this side's now.
        let from = unsafe { from.add(word) };
        // SAFETY: as above.
        unsafe { from.read() }
    };
    (0..WORDS).map(word).fold(0, u64::wrapping_add)
}
