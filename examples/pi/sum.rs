//! The sum: Σ 1/(2k+1)², in an order that neither chance nor the mechanism decides.
//!
//! Adding floating-point numbers in another order gives other last bits. So the order is fixed:
//!
//! - The terms are cut into *blocks* of 2¹⁶, the same whatever the number of processes.
//! - In a block, term k goes to *lane* k mod 8. The lanes are running sums of their own, which the
//!   compiler can keep in vector registers of any width, and are added up in one order at the end.
//! - A process takes a row of neighbouring blocks and adds them up from first to last.
//! - The parent adds up the processes' parts by rank.
//!
//! The same number of terms and processes gives the same bits, by every mechanism, in every run.

use core::ops::Range;
use std::time::Instant;

use crate::part::Part;
use crate::progress::Ticker;

const TERMS_PER_BLOCK: u64 = 1 << 16;
const LANES: usize = 8;

/// How many terms there can be: the last 2k+1 must be an integer that an `f64` holds exactly.
pub(crate) const MOST_TERMS: u64 = 1 << 52;

/// What is to be computed, and by how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) terms: u64,
    pub(crate) processes: u32,
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
    pub(crate) ticker: Option<&'a Ticker>,
}

impl Work<'_> {
    /// Does it, and takes the time.
    pub(crate) fn part(&self) -> Part {
        let start = Instant::now();
        let mut counter = self.ticker.map(Ticker::counter);
        let mut sum = 0.0;
        for block in self.job.share(self.rank) {
            let terms = self.job.terms_in(block);
            sum += sum_of(block * TERMS_PER_BLOCK, terms);
            if let Some(counter) = &mut counter {
                counter.add(terms);
            }
        }
        let nanoseconds = start.elapsed().as_nanos().try_into().unwrap_or(u64::MAX);
        Part { rank: self.rank.into(), sum, nanoseconds }
    }
}

/// The sum of one block: of so many terms, from k = `first` on.
#[allow(clippy::cast_precision_loss, reason = "integers below 2^53, which an f64 holds exactly")]
fn sum_of(first: u64, terms: u64) -> f64 {
    const LANES_U64: u64 = LANES as u64;

    let mut odds = [0.0; LANES];
    for (odd, k) in odds.iter_mut().zip(first..) {
        *odd = (2 * k + 1) as f64;
    }
    let mut sums = [0.0; LANES];
    for _ in 0..terms / LANES_U64 {
        for (sum, odd) in sums.iter_mut().zip(&mut odds) {
            *sum += 1.0 / (*odd * *odd);
            *odd += 2.0 * LANES as f64;
        }
    }
    for ((sum, odd), _) in sums.iter_mut().zip(odds).zip(0..terms % LANES_U64) {
        *sum += 1.0 / (odd * odd);
    }
    sums.iter().sum()
}
