//! How fast the pi driver adds up 1/(2k+1)², next to what only divides and to what only estimates.

#[cfg(target_arch = "x86_64")]
mod loops;

#[path = "../../../examples/pi/kernel/mod.rs"]
#[allow(dead_code, reason = "the driver's")]
mod pi;

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::harness::{self, Effort, Row, Spread, Table};
use crate::helper::{self, Helper};
use crate::place::Cpu;
use crate::shared::share;
use pi::Kernel;
use rawipc::sync::{Barrier, Semaphore};

pub(crate) const NAME: &str = "kernel";

/// Adds up a block, from a term on.
type Sum = Box<dyn Fn(u64) -> f64>;

/// How many terms are added up at a time, as in the driver.
const BLOCK: u64 = 1 << 16;
/// The first term: the first million of them is all that is different.
const FIRST: u64 = 1 << 20;

/// How many processes there are, and how many blocks each of them adds up.
const CROWDS: [Crowd; 2] = [
    // Few enough that the scheduler leaves most rounds alone.
    Crowd { name: "one process", processes: 1, blocks: 32 },
    // So many that each has several turns on a CPU, and waking all hardly counts.
    Crowd { name: "ten processes", processes: 10, blocks: 384 },
];

#[derive(Clone, Copy, Debug)]
struct Crowd {
    name: &'static str,
    processes: u16,
    blocks: u64,
}

/// Where several begin at once, and say that they are through: to start and to end a process takes
/// long, and is not what is measured.
struct Gate {
    /// One for each who is about to wait.
    ready: Semaphore,
    /// All of them, and who has the clock.
    open: Barrier,
    /// One for each who is through.
    through: Semaphore,
}

pub(crate) fn groups() -> Vec<&'static str> {
    CROWDS.iter().map(|crowd| crowd.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    let header = ["terms of π", "by", "G terms/s", "quartiles", "× division", "quartiles"];
    let mut table = Table::new("Terms added up, by all processes together", &header);
    for crowd in CROWDS.into_iter().filter(|crowd| arguments.wants(NAME, crowd.name)) {
        eprintln!("{NAME}/{}", crowd.name);
        if crowd.processes == 1 {
            Cpu::home().pin();
        } else {
            Cpu::unpin();
        }
        let contenders = contenders();
        let rates = rates(&contenders, crowd, arguments.effort());
        let ratios = harness::ratios(&rates);
        for ((contender, rates), ratio) in contenders.iter().zip(&rates).zip(ratios) {
            table.add(
                Row::new(NAME, crowd.name, &contender.0)
                    .spread("G/s", Spread::of(rates), 2)
                    .compared(ratio),
            );
        }
    }
    table.print();
}

/// What only divides, what does not divide and is not exact, and the driver's.
fn contenders() -> Vec<(String, Sum)> {
    let mut contenders: Vec<(String, Sum)> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    contenders.extend(loops::all().map(|(name, sum)| (name.to_owned(), sum)));
    contenders.extend(Kernel::all().map(|kernel| {
        let sum: Sum = Box::new(move |first| kernel.sum(first, BLOCK));
        (format!("pi --cpu {}", kernel.name()), sum)
    }));
    contenders
}

/// Terms per nanosecond, by contender and round.
fn rates(contenders: &[(String, Sum)], crowd: Crowd, effort: Effort) -> Vec<Vec<f64>> {
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    let mut rates = vec![Vec::new(); contenders.len()];
    let gate = share(Gate {
        ready: Semaphore::new(0),
        open: Barrier::new(crowd.processes + 1),
        through: Semaphore::new(0),
    });
    for round in 0..effort.warm_up + effort.rounds {
        helper::watch();
        fastrand::shuffle(&mut order);
        for &index in &order {
            let rate = rate(&contenders[index].1, crowd, gate);
            if round >= effort.warm_up {
                rates[index].push(rate);
            }
        }
    }
    rates
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn rate(sum: &Sum, Crowd { processes, blocks, .. }: Crowd, gate: &Gate) -> f64 {
    let share = |rank: u64| {
        let share = rank * blocks..(rank + 1) * blocks;
        black_box(share.map(|block| sum(FIRST + block * BLOCK)).sum::<f64>());
    };
    let elapsed = if processes == 1 {
        let start = Instant::now();
        share(0);
        start.elapsed()
    } else {
        gate.time(processes, share)
    };
    (u64::from(processes) * blocks * BLOCK) as f64 / (elapsed.as_secs_f64() * 1e9)
}

impl Gate {
    /// How long so many take, from when all are there until the last is through.
    fn time(&self, processes: u16, share: impl Fn(u64)) -> Duration {
        let helper = |rank| {
            Helper::start(|| {
                self.ready.post().expect("fewer than it can count");
                self.open.wait().expect("all are alive");
                share(u64::from(rank));
                self.through.post().expect("fewer than it can count");
            })
        };
        let helpers: Vec<_> = (0..processes).map(helper).collect();
        (0..processes).for_each(|_| self.ready.wait());
        let start = Instant::now();
        self.open.wait().expect("all are alive");
        (0..processes).for_each(|_| self.through.wait());
        let elapsed = start.elapsed();
        for mut helper in helpers {
            assert!(helper.wait().expect("a helper is waited for once").success());
        }
        elapsed
    }
}
