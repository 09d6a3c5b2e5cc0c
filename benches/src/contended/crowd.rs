//! Those who want the lock.

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use core::time::Duration;
use std::thread;
use std::time::Instant;

use crate::harness::preemptions;
use crate::helper::Helper;
use crate::meeting::Kin;
use crate::place::Cpu;
use crate::shared::share;

/// A lock, and who fights for it.
pub(super) struct Rival {
    name: &'static str,
    pub(super) kin: Kin,
    /// Takes it again and again until told to stop; how often it got it.
    fight: Box<dyn Fn(&AtomicBool) -> u64 + Sync>,
}

impl Rival {
    /// `turn` takes the lock, does something under it, and unlocks it.
    pub(super) fn new(name: &'static str, kin: Kin, turn: impl Fn() + Sync + 'static) -> Self {
        let fight = move |stop: &AtomicBool| {
            let mut turns = 0;
            while !stop.load(Relaxed) {
                turn();
                turns += 1;
            }
            turns
        };
        Self { name, kin, fight: Box::new(fight) }
    }
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.name, self.kin)
    }
}

/// How many fight, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    /// So many on each of two CPUs.
    pub(super) each_cpu: usize,
    pub(super) slices: u32,
}

const MOST: usize = 16;

/// Where they meet.
#[derive(Default)]
struct Ring {
    ready: AtomicU64,
    start: AtomicBool,
    stop: AtomicBool,
    /// How often somebody else was given a fighter's CPU.
    preemptions: AtomicI64,
    turns: [AtomicU64; MOST],
}

impl Crowd {
    /// One fight; again, though not for ever, if somebody else was given the CPU of one of those
    /// who have one for themselves.
    pub(super) fn fight(self, rival: &Rival, away: Cpu, slice: Duration) -> Got {
        let mut left = 8;
        loop {
            let (got, preemptions) = self.fight_once(rival, away, slice);
            left -= 1;
            // Once is us, to say that it is over.
            if self.each_cpu > 1 || preemptions <= 1 || left == 0 {
                return got;
            }
        }
    }

    /// One fight, of those who are born for it and do not outlive it.
    fn fight_once(self, rival: &Rival, away: Cpu, slice: Duration) -> (Got, i64) {
        // All that are fought in this run: a page each, of which the kernel has many.
        let ring = share(Ring::default());
        let turns = &ring.turns[..self.each_cpu * 2];
        let fighters = turns.iter().enumerate().map(|(index, turns)| {
            let cpu = if index % 2 == 0 { Cpu::home() } else { away };
            move || {
                cpu.pin();
                ring.ready.fetch_add(1, Release);
                while !ring.start.load(Acquire) {
                    thread::yield_now();
                }
                let before = preemptions();
                turns.store((rival.fight)(&ring.stop), Relaxed);
                ring.preemptions.fetch_add(preemptions() - before, Relaxed);
            }
        });
        let mut helpers: Vec<Helper> = match rival.kin {
            Kin::Processes => fighters.map(Helper::start).collect(),
            Kin::Threads => vec![Helper::start(|| {
                thread::scope(|scope| fighters.for_each(|fighter| drop(scope.spawn(fighter))));
            })],
        };
        let all = u64::try_from(turns.len()).expect("a few");
        while ring.ready.load(Acquire) < all {
            thread::yield_now();
        }
        let start = Instant::now();
        ring.start.store(true, Release);
        thread::sleep(slice * self.slices);
        ring.stop.store(true, Relaxed);
        let time = start.elapsed();
        for helper in &mut helpers {
            assert!(helper.wait().expect("a helper").success(), "all stop");
        }
        let turns = turns.iter().map(|turns| turns.load(Relaxed)).collect();
        (Got { turns, time }, ring.preemptions.load(Relaxed))
    }
}

/// What each had of a fight.
#[derive(Debug)]
pub(super) struct Got {
    turns: Vec<u64>,
    time: Duration,
}

impl Got {
    /// Of all together, in millions a second.
    pub(super) fn rate(&self) -> f64 {
        self.all() / self.time.as_secs_f64() / 1e6
    }

    /// The part of all turns that the unluckiest had.
    pub(super) fn least_part(&self) -> f64 {
        as_f64(self.turns.iter().copied().min().unwrap_or_default()) / self.all()
    }

    fn all(&self) -> f64 {
        as_f64(self.turns.iter().sum())
    }
}

#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^53 turns fit a slice")]
fn as_f64(turns: u64) -> f64 {
    turns as f64
}
