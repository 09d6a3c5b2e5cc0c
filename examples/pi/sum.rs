//! The sum: Σ 1/(2k+1)², in an order that neither chance nor the mechanism decides.
//!
//! Adding floating-point numbers in another order gives other last bits. So the order is fixed:
//!
//! - The terms are cut into *blocks* of 2¹⁶, the same whatever the number of processes.
//! - In a block, term k goes to *lane* k mod 32. The lanes are running sums of their own, which fit
//!   into vector registers of any width, and are added up in one order at the end (`kernel/`).
//! - A process takes a row of neighbouring blocks and adds them up from first to last.
//! - The parent adds up the processes' parts by rank.
//!
//! The same number of terms and processes gives the same bits in every run, on every CPU, and by
//! every mechanism that hands over parts. Where the children add them up themselves, who comes
//! first is left to chance, and with it the last bits; but for `exact`, which gives the same for
//! any number of processes.

use core::ops::Range;
use std::time::Instant;

use crate::kernel::Kernel;
use crate::part::Part;
use crate::progress::Counter;

const TERMS_PER_BLOCK: u64 = 1 << 16;

/// How many terms there can be: the last 2k+1 must be an integer that an `f64` holds exactly.
pub(crate) const MOST_TERMS: u64 = 1 << 52;

/// What is to be computed, by how many, and with which instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) terms: u64,
    pub(crate) processes: u32,
    pub(crate) kernel: Kernel,
}

impl Job {
    /// The blocks that the process of this rank takes; none, if there are fewer than processes.
    fn share(self, rank: u32) -> Range<u64> {
        let blocks = self.terms.div_ceil(TERMS_PER_BLOCK);
        // Below 2^36 blocks times 2^22 processes: no overflow.
        let up_to = |rank: u32| blocks * u64::from(rank) / u64::from(self.processes);
        up_to(rank)..up_to(rank + 1)
    }

    fn terms_in(self, block: u64) -> u64 {
        (self.terms - block * TERMS_PER_BLOCK).min(TERMS_PER_BLOCK)
    }
}

/// π, from the whole sum.
pub(crate) fn pi(sum: f64) -> f64 {
    (8.0 * sum).sqrt()
}

/// What one process has to do.
pub(crate) struct Work<'a> {
    pub(crate) job: Job,
    pub(crate) rank: u32,
    pub(crate) counter: Option<Counter<'a>>,
}

impl Work<'_> {
    /// Does it, and adds it up.
    pub(crate) fn part(&self) -> Part {
        let mut sum = 0.0;
        let nanoseconds = self.each_block(|block| sum += block);
        Part { rank: self.rank.into(), sum, nanoseconds }
    }

    /// Does it, handing over the sum of each block, and takes the time.
    pub(crate) fn each_block(&self, mut take: impl FnMut(f64)) -> u64 {
        let start = Instant::now();
        for block in self.job.share(self.rank) {
            let terms = self.job.terms_in(block);
            take(self.job.kernel.sum(block * TERMS_PER_BLOCK, terms));
            if let Some(counter) = self.counter {
                counter.add(terms);
            }
        }
        start.elapsed().as_nanos().try_into().unwrap_or(u64::MAX)
    }
}
