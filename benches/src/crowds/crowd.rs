//! Those who want it.

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

/// What is wanted, and who fights for it.
pub(crate) struct Rival {
    name: &'static str,
    kin: Kin,
    /// What the fighter of that number does so many times.
    fighter: Box<dyn Fn(usize) -> Turns + Sync>,
    /// One for all fights: each page that is shared makes it slower to start a process.
    ring: &'static Ring,
}

type Turns = Box<dyn FnMut(u64)>;

impl Rival {
    /// All fighters do the same: `turn` takes it, does something with it, and gives it back.
    pub(crate) fn new(
        name: &'static str,
        kin: Kin,
        turn: impl Fn() + Sync + Copy + 'static,
    ) -> Self {
        Self::each(name, kin, move |_| turn)
    }

    /// Each of the fighters has its own way to do it.
    pub(crate) fn each<T: FnMut() + 'static>(
        name: &'static str,
        kin: Kin,
        turn_of: impl Fn(usize) -> T + Sync + 'static,
    ) -> Self {
        let fighter = move |index| -> Turns {
            let mut turn = turn_of(index);
            Box::new(move |times| (0..times).for_each(|_| turn()))
        };
        Self { name, kin, fighter: Box::new(fighter), ring: share(Ring::new()) }
    }

    /// Until told to stop; how often.
    fn fight(&self, index: usize, stop: &AtomicBool) -> u64 {
        /// So few that they are over at once when all have to stop.
        const BATCH: u64 = 16;
        let mut turns = (self.fighter)(index);
        let mut had = 0;
        while !stop.load(Relaxed) {
            turns(BATCH);
            had += BATCH;
        }
        had
    }
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.name, self.kin)
    }
}

/// More than these are never at it.
pub(crate) const MOST: usize = 64;

/// Where they meet.
struct Ring {
    ready: AtomicU64,
    start: AtomicBool,
    stop: AtomicBool,
    /// How often somebody else was given a fighter's CPU.
    preemptions: AtomicI64,
    turns: [AtomicU64; MOST],
}

impl Ring {
    fn new() -> Self {
        Self {
            ready: AtomicU64::new(0),
            start: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            preemptions: AtomicI64::new(0),
            turns: [const { AtomicU64::new(0) }; MOST],
        }
    }

    /// As new, when nobody is there: who fought here is gone.
    fn clear(&self) {
        self.ready.store(0, Relaxed);
        self.start.store(false, Relaxed);
        self.stop.store(false, Relaxed);
        self.preemptions.store(0, Relaxed);
        self.turns.iter().for_each(|turns| turns.store(0, Relaxed));
    }
}

impl Rival {
    /// One fight of so many; again, though not for ever, if they have a CPU each, and somebody else
    /// was given one of those.
    pub(super) fn fought_by(&self, size: usize, time: Duration) -> Got {
        let mut left = 4;
        loop {
            let (got, preemptions) = self.fought_once_by(size, time);
            left -= 1;
            // Once is us, to say that it is over.
            if size > Cpu::all().len() || preemptions <= 1 || left == 0 {
                return got;
            }
        }
    }

    /// One fight, of those who are born for it and do not outlive it.
    fn fought_once_by(&self, size: usize, time: Duration) -> (Got, i64) {
        let ring = self.ring;
        ring.clear();
        let turns = &ring.turns[..size];
        let cpus = Cpu::all();
        let fighters = turns.iter().enumerate().map(|(index, turns)| {
            let cpu = cpus[index % cpus.len()];
            move || {
                cpu.pin();
                ring.ready.fetch_add(1, Release);
                while !ring.start.load(Acquire) {
                    thread::yield_now();
                }
                let before = preemptions();
                turns.store(self.fight(index, &ring.stop), Relaxed);
                ring.preemptions.fetch_add(preemptions() - before, Relaxed);
            }
        });
        let mut helpers: Vec<Helper> = match self.kin {
            Kin::Processes => fighters.map(Helper::start).collect(),
            Kin::Threads => vec![Helper::start(|| {
                thread::scope(|scope| fighters.for_each(|fighter| drop(scope.spawn(fighter))));
            })],
        };
        let all = u64::try_from(size).expect("a few");
        while ring.ready.load(Acquire) < all {
            thread::yield_now();
        }
        let start = Instant::now();
        ring.start.store(true, Release);
        thread::sleep(time);
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

    /// How long the CPUs are at it for each turn, in nanoseconds, also those that idle.
    pub(super) fn each(&self) -> f64 {
        let cpus = self.turns.len().min(Cpu::all().len());
        self.time.as_secs_f64() * 1e9 * f64::from(u32::try_from(cpus).expect("a few")) / self.all()
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
