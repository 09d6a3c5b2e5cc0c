//! How contenders are compared: in one run, in turns.
//!
//! A machine is never the same for long: clocks, neighbours and hypervisors come and go. So every
//! contender has one short slice in each of many rounds, in shuffled order, and a ratio is formed
//! within each round, between slices that saw the same machine.

mod record;
mod report;
mod rounds;
mod row;
mod spread;
mod table;

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

pub(crate) use record::{Record, record, records};
pub(crate) use report::Report;
pub(crate) use rounds::{compare, preemptions};
pub(crate) use row::Row;
pub(crate) use spread::{Ratio, Spread, ratios};
pub(crate) use table::Table;

/// Contenders that do the same thing in different ways. The first is what the others are compared
/// with.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// None where it takes two CPUs, and there is only one.
    pub(crate) contenders: fn() -> Vec<Contender>,
}

/// One way to do what its group is about.
#[allow(missing_debug_implementations, reason = "it is a closure, mostly")]
pub struct Contender {
    pub(crate) name: &'static str,
    /// Does it so many times.
    repeat: Box<dyn FnMut(u64)>,
}

impl Contender {
    pub(crate) fn new<T>(name: &'static str, mut call: impl FnMut() -> T + 'static) -> Self {
        let repeat = move |times| {
            for _ in 0..times {
                black_box(call());
            }
        };
        Self { name, repeat: Box::new(repeat) }
    }

    /// One for whom there is something to do before and after the repetitions.
    pub(crate) fn repeating(name: &'static str, repeat: impl FnMut(u64) + 'static) -> Self {
        Self { name, repeat: Box::new(repeat) }
    }

    /// What it is called in tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How long it takes to do it so many times.
    pub fn time(&mut self, times: u64) -> Duration {
        let start = Instant::now();
        (self.repeat)(times);
        start.elapsed()
    }
}

/// How much time to spend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds that count.
    pub(crate) rounds: usize,
    /// Rounds before, that do not.
    pub(crate) warm_up: usize,
    /// How long each contender has in each round.
    pub(crate) slice: Duration,
}

impl Effort {
    pub(crate) const FULL: Self = Self { rounds: 101, warm_up: 5, slice: Duration::from_millis(2) };
    /// All suites in two minutes.
    pub(crate) const QUICK: Self =
        Self { rounds: 5, warm_up: 1, slice: Duration::from_micros(500) };
}
