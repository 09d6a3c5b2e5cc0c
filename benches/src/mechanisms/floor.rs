//! What the hardware takes: memory that is handed over by a flag, which both sides poll.
//!
//! In a ping-pong the answer takes the way back that the question came: a line that who waits for
//! it has just had is cheaper to write to than another one. And who looks all the time takes the
//! line from who is about to write to it.

use core::hint::spin_loop;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU32, AtomicU64};

use rawipc::shm::{Access, Mapping, Memfd};
use rawipc::zerocopy::{FromBytes as _, IntoBytes as _};

use super::contender::{Kind, Opened, Task};
use super::pair::{End, Pair};
use super::slots::{Many, Slots, memory};
use crate::shared::share;

pub(super) fn floor(task: Task) -> Opened {
    match task.kind {
        Kind::PingPong if task.bytes == size_of::<u64>() => line(task),
        Kind::PingPong => lane(task),
        Kind::Stream => blocks(task),
    }
}

/// Polls until it is so, as seldom as is best here.
#[inline]
fn wait_until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        (0..3).for_each(|_| spin_loop());
    }
}

/// A word, which has been sent if it is another one than before. The one for the way back is on
/// the same line.
struct Line {
    to: &'static AtomicU64,
    from: &'static AtomicU64,
    last: u64,
}

impl End for Line {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        self.to.store(u64::read_from_bytes(message).expect("a word"), Relaxed);
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        let mut word = self.last;
        wait_until(|| {
            word = self.from.load(Relaxed);
            word != self.last
        });
        self.last = word;
        word.write_to(into).expect("a word");
    }
}

fn line(task: Task) -> Opened {
    let [there, back] = share([const { AtomicU64::new(0) }; 2]);
    let home = Line { to: there, from: back, last: 0 };
    let away = Line { to: back, from: there, last: 0 };
    Pair::open(task, || home, || away)
}

/// Room for messages, and how many have been put there: a question, its answer in the same place,
/// and the next one. So each says that the one before it has been read.
#[derive(Clone)]
struct Lane {
    slots: Slots,
    sent: &'static AtomicU32,
    /// What was sent or received last.
    slot: usize,
    done: u32,
}

impl Lane {
    /// Where the next question goes.
    #[inline]
    fn step(&mut self) {
        self.slot = self.slots.after(self.slot);
    }

    #[inline]
    fn put(&mut self, message: &[u8]) {
        // SAFETY: what was there before has been read, and nobody looks before it is told.
        unsafe { self.slots.put(self.slot, message) };
        self.done = self.done.wrapping_add(1);
        // Release pairs with the Acquire in get: it is there.
        self.sent.store(self.done, Release);
    }

    #[inline]
    fn get(&mut self, into: &mut [u8]) {
        let last = self.done;
        wait_until(|| self.sent.load(Acquire) != last);
        self.done = self.done.wrapping_add(1);
        // SAFETY: it is there, and nobody writes to it before this end does.
        unsafe { self.slots.get(self.slot, into) };
    }
}

struct Asking(Lane);

impl End for Asking {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        self.0.step();
        self.0.put(message);
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        self.0.get(into);
    }
}

struct Answering(Lane);

impl End for Answering {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        self.0.put(message);
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        self.0.step();
        self.0.get(into);
    }
}

fn lane(task: Task) -> Opened {
    // What is long goes faster to where the other side has not just been.
    let many = if task.bytes <= 4096 { Many::One } else { Many::Some };
    let length = memory(task.bytes, many);
    let mapping = Mapping::new(Memfd::new(length)?, length, Access::ReadWrite)?;
    let slots = Slots::new(mapping, task.bytes);
    let lane = Lane { slots, sent: share(AtomicU32::new(0)), slot: 0, done: 0 };
    let same = lane.clone();
    Pair::open(task, || Asking(lane), || Answering(same))
}

/// Eight blocks of 64 KiB, or what comes next to that, each of which is handed over whole.
#[derive(Clone)]
struct Blocks {
    slots: Slots,
    /// One for each block, far enough apart.
    flags: &'static [AtomicU32; BLOCKS * APART],
    /// How many slots a block has.
    by: usize,
    /// At which slot this end is, of which block.
    at: usize,
    block: usize,
    /// Whether the block is this end's already.
    is_ours: bool,
}

const BLOCKS: usize = 8;
const APART: usize = 32;

const EMPTY: u32 = 0;
const FULL: u32 = 1;

impl Blocks {
    fn flag(&self) -> &'static AtomicU32 {
        &self.flags[self.block * APART]
    }

    /// The next slot, of a block that says `wanted`.
    #[inline]
    fn next(&mut self, wanted: u32) -> usize {
        if !self.is_ours {
            let flag = self.flag();
            while flag.load(Acquire) != wanted {
                spin_loop();
            }
            self.is_ours = true;
        }
        self.block * self.by + self.at
    }

    /// That slot is done, and with the last one the block.
    #[inline]
    fn done(&mut self, now: u32) {
        self.at += 1;
        if self.at == self.by {
            self.hand_over(now);
        }
    }

    fn hand_over(&mut self, now: u32) {
        self.flag().store(now, Release);
        self.block = (self.block + 1) % BLOCKS;
        self.at = 0;
        self.is_ours = false;
    }
}

struct Filling(Blocks);

impl End for Filling {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let slot = self.0.next(EMPTY);
        // SAFETY: its block is empty, and this end's until it is handed over.
        unsafe { self.0.slots.put(slot, message) };
        self.0.done(FULL);
    }

    fn receive(&mut self, _: &mut [u8]) {
        unreachable!("of a stream one end only sends");
    }

    fn finish(&mut self) {
        if self.0.is_ours {
            self.0.hand_over(FULL);
        }
    }
}

struct Emptying(Blocks);

impl End for Emptying {
    fn send(&mut self, _: &[u8]) {
        unreachable!("of a stream one end only receives");
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        let slot = self.0.next(FULL);
        // SAFETY: its block is full, and this end's until it is handed over.
        unsafe { self.0.slots.get(slot, into) };
        self.0.done(EMPTY);
    }

    fn finish(&mut self) {
        if self.0.is_ours {
            self.0.hand_over(EMPTY);
        }
    }
}

fn blocks(task: Task) -> Opened {
    let length = BLOCKS * (64 << 10);
    let mapping = Mapping::new(Memfd::new(length)?, length, Access::ReadWrite)?;
    let slots = Slots::dense(mapping, task.bytes);
    let flags = share([const { AtomicU32::new(EMPTY) }; BLOCKS * APART]);
    let by = slots.count() / BLOCKS;
    let blocks = Blocks { slots, flags, by, at: 0, block: 0, is_ours: false };
    let same = blocks.clone();
    Pair::open(task, || Filling(blocks), || Emptying(same))
}
