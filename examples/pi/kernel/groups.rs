//! What the loops of `avx2.rs` and `avx512.rs` work on.

use super::LANES;

/// What the terms of a group have in common, for as many groups as a register has room for.
///
/// The loop fills it in for some groups, takes each of them from here, and goes on to the next.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Groups<const TOGETHER: usize> {
    /// m: the middles of the odd numbers whose squares are divided by.
    pub(super) middles: [f64; TOGETHER],
    /// w: about 1/m².
    pub(super) reciprocals: [f64; TOGETHER],
    /// d: about 2/m³, by which they fall.
    pub(super) slopes: [f64; TOGETHER],
    /// How far it is to the middles of the next groups.
    pub(super) step: [f64; TOGETHER],
}

impl<const TOGETHER: usize> Groups<TOGETHER> {
    /// The first ones: from k = `first` on.
    #[allow(
        clippy::cast_precision_loss,
        reason = "integers up to 2^53, which an f64 holds exactly"
    )]
    pub(super) fn from(first: u64) -> Self {
        let middle = |group| (2 * (first + (group * LANES) as u64) + LANES as u64) as f64;
        Self {
            middles: core::array::from_fn(middle),
            reciprocals: [0.0; TOGETHER],
            slopes: [0.0; TOGETHER],
            step: [(2 * LANES * TOGETHER) as f64; TOGETHER],
        }
    }
}

/// c: how far the odd numbers of a group are from their middle.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Distances([f64; LANES]);

pub(super) static DISTANCES: Distances = Distances::new();

impl Distances {
    #[allow(clippy::cast_precision_loss, reason = "a small integer")]
    const fn new() -> Self {
        let mut distances = [1.0 - LANES as f64; LANES];
        let mut lane = 1;
        while lane < LANES {
            distances[lane] = distances[lane - 1] + 2.0;
            lane += 1;
        }
        Self(distances)
    }
}
