//! What a sum of doubles is, by integers that are as long as they have to be. Nothing is rounded
//! here: whether a double is the nearest one is a question about its neighbours.

use num_bigint::{BigInt, BigUint, Sign};

/// The finite number as a multiple of the least positive one, 2^−1074.
fn integer(value: f64) -> BigInt {
    let bits = value.to_bits();
    let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    let magnitude = match exponent {
        0 => BigUint::from(fraction),
        _ => BigUint::from(fraction | 1 << 52) << (exponent - 1),
    };
    let sign = if value.is_sign_negative() { Sign::Minus } else { Sign::Plus };
    BigInt::from_biguint(sign, magnitude)
}

/// 2^1024, which is what follows the largest double where rounding is concerned.
fn beyond() -> BigInt {
    BigInt::from(1) << (1024 + 1074)
}

/// The next larger magnitude, as [`integer`] has it.
fn away_from_zero(magnitude: f64) -> BigInt {
    if magnitude < f64::MAX { integer(f64::from_bits(magnitude.to_bits() + 1)) } else { beyond() }
}

/// Fails unless `found` is the sum of all `values`, rounded once.
#[track_caller]
pub(crate) fn assert_sum(values: &[f64], found: f64) {
    let has = |value: f64| values.contains(&value);
    let is_nan = values.iter().any(|value| value.is_nan());
    if is_nan || has(f64::INFINITY) && has(f64::NEG_INFINITY) {
        return assert!(found.is_nan(), "{found:?} is a number");
    }
    for infinity in [f64::INFINITY, f64::NEG_INFINITY] {
        if has(infinity) {
            return assert_eq!(found.to_bits(), infinity.to_bits());
        }
    }
    let sum: BigInt = values.iter().map(|&value| integer(value)).sum();
    if sum.sign() == Sign::NoSign {
        let negative_zero = |value: &f64| value.to_bits() == (-0.0_f64).to_bits();
        let is_negative = !values.is_empty() && values.iter().all(negative_zero);
        let zero: f64 = if is_negative { -0.0 } else { 0.0 };
        return assert_eq!(found.to_bits(), zero.to_bits(), "which zero");
    }
    assert_nearest(&sum, found);
}

/// Fails unless `found` is the double nearest to `sum`, which is not zero; the even one of two.
#[track_caller]
fn assert_nearest(sum: &BigInt, found: f64) {
    assert!(!found.is_nan(), "a NaN for a finite sum");
    let sign = if found.is_sign_negative() { Sign::Minus } else { Sign::Plus };
    assert_eq!(sign, sum.sign(), "the sign of {found:?}");
    let (exact, magnitude) = (BigInt::from(sum.magnitude().clone()), found.abs());
    if magnitude == f64::INFINITY {
        // As much as between the two largest doubles, and half of it, is rounded up to 2^1024.
        let least = beyond() - (BigInt::from(1) << (970 + 1074));
        return assert!(exact >= least, "infinity for a finite sum");
    }
    let here = integer(magnitude);
    let distance = |other: &BigInt| BigInt::from((&exact - other).magnitude().clone());
    let above = away_from_zero(magnitude);
    let below = if magnitude == 0.0 {
        -integer(f64::from_bits(1))
    } else {
        integer(f64::from_bits(magnitude.to_bits() - 1))
    };
    let is_even = magnitude.to_bits() & 1 == 0;
    for other in [above, below] {
        let (to_it, to_other) = (distance(&here), distance(&other));
        assert!(to_it < to_other || to_it == to_other && is_even, "{found:?} is not the nearest");
    }
}

#[test]
fn the_oracle_knows_the_nearest() {
    assert_sum(&[1.0, f64::EPSILON / 2.0], 1.0);
    assert_sum(&[1.0, f64::EPSILON / 2.0, 1e-300], 1.0 + f64::EPSILON);
    assert_sum(&[f64::MAX, f64::MAX], f64::INFINITY);
    assert_sum(&[-5e-324, 5e-324], 0.0);
}

#[test]
#[should_panic = "not the nearest"]
fn the_oracle_refuses_the_odd_one_of_two() {
    assert_sum(&[1.0, f64::EPSILON / 2.0], 1.0 + f64::EPSILON);
}

#[test]
#[should_panic = "infinity for a finite sum"]
fn the_oracle_refuses_infinity_too_early() {
    assert_sum(&[f64::MAX, 1.0], f64::INFINITY);
}
