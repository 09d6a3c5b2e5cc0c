//! The block sums of the pi driver: that refined reciprocals are the divider's, to the last bit;
//! and the two facts that the proof in `examples/pi/kernel/mod.rs` leaves to be looked up.

#[path = "../examples/pi/kernel/mod.rs"]
#[allow(dead_code, reason = "the driver's")]
mod kernel;

use core::iter;

use kernel::{Kernel, LANES};
use proptest::prelude::*;

/// The integers of this many bits are floating-point numbers.
const BITS: u32 = f64::MANTISSA_DIGITS;

/// From here on, there is a proof.
const PROVED_FROM: u64 = 1 << 19;
/// Up to here, 2k+1 is a floating-point number.
const FAR: u64 = 1 << 52;

/// A group whose terms are not those that division gives, and by whom.
fn difference(first: u64) -> Option<String> {
    let divided = divided(first);
    Kernel::all().find_map(|kernel| {
        let mut terms = [0.0; LANES];
        kernel.add(&mut terms, first, LANES as u64);
        let same = terms.map(f64::to_bits) == divided.map(f64::to_bits);
        let name = kernel.name();
        (!same).then(|| format!("{name}, from {first}: {terms:?} not {divided:?}"))
    })
}

#[allow(clippy::cast_precision_loss, reason = "integers below 2^53")]
fn divided(first: u64) -> [f64; LANES] {
    let odd = (2 * first + 1) as f64;
    core::array::from_fn(|lane| {
        let odd = odd + 2.0 * lane as f64;
        1.0 / (odd * odd)
    })
}

#[track_caller]
fn assert_divided(mut groups: impl Iterator<Item = u64>) {
    assert_eq!(groups.find_map(difference), None);
}

/// Numbers below 2⁶⁴ that have nothing to do with each other, the same in every run (Vigna's
/// splitmix64).
fn scattered(seed: u64) -> impl Iterator<Item = u64> {
    let states =
        iter::successors(Some(seed), |state| Some(state.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    states.map(|state| {
        let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    })
}

/// The first terms of groups anywhere, as many of each size.
fn anywhere(seed: u64) -> impl Iterator<Item = u64> {
    scattered(seed).map(|random| {
        let bits = 20 + random % 33;
        let k = PROVED_FROM + (random >> 6) % ((1 << bits) - PROVED_FROM);
        k.min(FAR - LANES as u64)
    })
}

#[test]
fn reciprocals_of_the_squares_of_all_odd_numbers_up_to_2_to_the_26_are_the_dividers() {
    let end = if cfg!(debug_assertions) { 1 << 21 } else { 1 << 25 };
    assert_divided((0..end).step_by(LANES));
}

#[test]
fn reciprocals_anywhere_are_the_dividers() {
    let terms = if cfg!(debug_assertions) { 10_000_000 } else { 1_000_000_000 };
    assert_divided(anywhere(1).take(terms / LANES));
}

#[test]
fn reciprocals_at_the_edges_are_the_dividers() {
    let exponents = (19..=52).flat_map(|exponent| {
        let power = 1_u64 << exponent;
        // 2k+1 is near a power of two, and near its root.
        let root = u64::try_from((2 * u128::from(power).pow(2)).isqrt()).unwrap();
        [power, root / 2, root]
    });
    let near = exponents.flat_map(|k| k.saturating_sub(1000)..k.saturating_add(1000));
    assert_divided(near.filter(|k| (PROVED_FROM..=FAR - LANES as u64).contains(k)));
}

/// Step 4 of the proof.
#[test]
fn only_divisor_of_2_to_the_106_less_1_in_its_range_is_all_ones() {
    const FACTORS: [u128; 6] = [3, 107, 6361, 69431, 20_394_401, 28_059_810_762_433];

    let is_prime = |n: u128| (2..=n.isqrt()).all(|d| n % d != 0);
    assert!(FACTORS.into_iter().all(is_prime));
    assert_eq!(FACTORS.into_iter().product::<u128>(), (1 << 106) - 1);
    let divisors = (0..1 << FACTORS.len()).map(|set: u32| {
        let chosen = FACTORS.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
        chosen.map(|(_, factor)| factor).product::<u128>()
    });
    let within: Vec<_> = divisors.filter(|d| (1 << 52..1 << 53).contains(d)).collect();
    assert_eq!(within, [(1 << 53) - 1]);
}

/// Step 5 of the proof.
#[test]
#[allow(clippy::cast_precision_loss, reason = "that is what it is about")]
fn no_rounded_square_of_an_odd_number_is_all_ones() {
    for exponent in 0..=BITS {
        let all_ones = ((1 << BITS) - 1) << exponent;
        let root = u128::isqrt(all_ones);
        for odd in (root - 3..root + 3).filter(|n| n % 2 == 1 && n >> BITS == 0) {
            // Rounded once, as the square of an `f64` is.
            let square = (odd * odd) as f64;
            assert_ne!(square.to_bits(), (all_ones as f64).to_bits(), "{odd}");
        }
    }
}

/// A sum in the order that `examples/pi/kernel/mod.rs` promises.
#[allow(clippy::cast_precision_loss, reason = "integers below 2^53")]
fn by_the_book(first: u64, terms: u64) -> f64 {
    let mut lanes = vec![0.0; LANES];
    for (k, lane) in (first..first + terms).zip((0..LANES).cycle()) {
        let odd = (2 * k + 1) as f64;
        lanes[lane] += 1.0 / (odd * odd);
    }
    while let [_, _, ..] = lanes[..] {
        let upper = lanes.split_off(lanes.len() / 2);
        lanes.iter_mut().zip(upper).for_each(|(lane, other)| *lane += other);
    }
    lanes[0]
}

#[track_caller]
fn assert_by_the_book(first: u64, terms: u64) {
    let promised = by_the_book(first, terms).to_bits();
    for kernel in Kernel::all() {
        let sum = kernel.sum(first, terms).to_bits();
        assert_eq!(sum, promised, "{terms} terms from {first}, {}", kernel.name());
    }
}

#[test]
fn sums_of_blocks_have_the_promised_bits() {
    let blocks = anywhere(2).map(|k| k >> 16 << 16).take(200);
    for first in [0, 1 << 16, 1 << 18, PROVED_FROM].into_iter().chain(blocks) {
        assert_by_the_book(first, 1 << 16);
    }
}

proptest! {
    #[test]
    fn sums_of_any_number_of_terms_have_the_promised_bits(
        group in prop_oneof![0_u64..1 << 20, 0..FAR >> 5],
        terms in prop_oneof![0_u64..1000, 0..1_u64 << 16],
    ) {
        let first = group.min((FAR - terms) / LANES as u64) * LANES as u64;
        assert_by_the_book(first, terms);
    }
}
