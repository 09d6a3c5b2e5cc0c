//! How fast the pi driver adds up 1/(2k+1)², next to what only divides and to what only estimates.

#[cfg(target_arch = "x86_64")]
mod loops;

#[path = "../../../examples/pi/kernel/mod.rs"]
#[allow(dead_code, reason = "the driver's")]
mod pi;

use core::hint::black_box;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::harness::{self, Effort, Row, Spread, Table};
use crate::helper::{self, Helper};
use crate::place::Cpu;
use pi::Kernel;

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
    // So many that starting the processes hardly counts.
    Crowd { name: "ten processes", processes: 10, blocks: 384 },
];

#[derive(Clone, Copy, Debug)]
struct Crowd {
    name: &'static str,
    processes: u64,
    blocks: u64,
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
    for round in 0..effort.warm_up + effort.rounds {
        helper::watch();
        fastrand::shuffle(&mut order);
        for &index in &order {
            let rate = rate(&contenders[index].1, crowd);
            if round >= effort.warm_up {
                rates[index].push(rate);
            }
        }
    }
    rates
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn rate(sum: &Sum, Crowd { processes, blocks, .. }: Crowd) -> f64 {
    let share = |rank: u64| {
        let share = rank * blocks..(rank + 1) * blocks;
        black_box(share.map(|block| sum(FIRST + block * BLOCK)).sum::<f64>());
    };
    let start = Instant::now();
    if processes == 1 {
        share(0);
    } else {
        let helpers: Vec<_> = (0..processes).map(|rank| Helper::start(|| share(rank))).collect();
        for mut helper in helpers {
            assert!(helper.wait().expect("a helper is waited for once").success());
        }
    }
    let elapsed = start.elapsed();
    (processes * blocks * BLOCK) as f64 / (elapsed.as_secs_f64() * 1e9)
}
