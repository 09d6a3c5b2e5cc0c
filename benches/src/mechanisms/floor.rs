//! What the hardware takes: memory that is handed over by a flag, which both sides poll.

use core::error::Error;
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
        Kind::PingPong => flags(task),
        Kind::Stream => blocks(task),
    }
}

/// One word, which has been sent if it is another one than before.
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
        while self.from.load(Relaxed) == self.last {
            spin_loop();
        }
        self.last = self.from.load(Relaxed);
        self.last.write_to(into).expect("a word");
    }
}

fn line(task: Task) -> Opened {
    let (there, back) = (share(AtomicU64::new(0)), share(AtomicU64::new(0)));
    let home = Line { to: there, from: back, last: 0 };
    let away = Line { to: back, from: there, last: 0 };
    Pair::open(task, || home, || away)
}

/// Room for messages, and how many have been put there.
#[derive(Clone)]
struct Lane {
    slots: Slots,
    sent: &'static AtomicU32,
}

impl Lane {
    fn new(task: Task) -> Result<Self, Box<dyn Error>> {
        // What is long goes faster to where the other side has not just been.
        let many = if task.bytes <= 4096 { Many::One } else { Many::Some };
        let length = memory(task.bytes, many);
        let mapping = Mapping::new(Memfd::new(length)?, length, Access::ReadWrite)?;
        let slots = Slots::new(mapping, task.bytes);
        Ok(Self { slots, sent: share(AtomicU32::new(0)) })
    }
}

/// Where one is in a lane.
#[derive(Clone, Copy, Default)]
struct Place {
    slot: usize,
    done: u32,
}

impl Place {
    #[inline]
    fn step(&mut self, slots: &Slots) {
        self.slot = slots.after(self.slot);
        self.done = self.done.wrapping_add(1);
    }
}

/// Of a ping-pong: each message says that the one before it has been read.
struct Lanes {
    to: Lane,
    sent: Place,
    from: Lane,
    received: Place,
}

impl End for Lanes {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        // SAFETY: what was there before has been read and answered.
        unsafe { self.to.slots.put(self.sent.slot, message) };
        self.sent.step(&self.to.slots);
        self.to.sent.store(self.sent.done, Release);
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        while self.from.sent.load(Acquire) == self.received.done {
            spin_loop();
        }
        // SAFETY: it is there, and the next one comes after the answer to it.
        unsafe { self.from.slots.get(self.received.slot, into) };
        self.received.step(&self.from.slots);
    }
}

fn flags(task: Task) -> Opened {
    let (there, back) = (Lane::new(task)?, Lane::new(task)?);
    let [sent, received] = [Place::default(); 2];
    let home = Lanes { to: there.clone(), sent, from: back.clone(), received };
    let away = Lanes { to: back, sent, from: there, received };
    Pair::open(task, || home, || away)
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
