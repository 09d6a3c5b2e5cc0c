//! By division. That is what every CPU can do, and what the others are measured by.

use super::{LANES, Sums};

/// Adds so many terms to the lanes, from k = `first` on; that one to the first lane.
#[allow(clippy::cast_precision_loss, reason = "integers below 2^53, which an f64 holds exactly")]
pub(super) fn add(sums: &mut Sums, first: u64, terms: u64) {
    const GROUP: u64 = LANES as u64;

    let mut odds = [0.0; LANES];
    for (odd, k) in odds.iter_mut().zip(first..) {
        *odd = (2 * k + 1) as f64;
    }
    // In a variable of its own, where the compiler can keep it in registers.
    let mut lanes = *sums;
    for _ in 0..terms / GROUP {
        for (sum, odd) in lanes.iter_mut().zip(&mut odds) {
            *sum += 1.0 / (*odd * *odd);
            *odd += 2.0 * LANES as f64;
        }
    }
    for ((sum, odd), _) in lanes.iter_mut().zip(odds).zip(0..terms % GROUP) {
        *sum += 1.0 / (odd * odd);
    }
    *sums = lanes;
}
