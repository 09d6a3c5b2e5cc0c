//! Correctly rounded, whatever is added, and however.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rawipc::sum::{ExactAdder, ExactSum};

use crate::oracle::assert_sum;

/// Sign, exponent and fraction as said.
fn double(negative: bool, exponent: u64, fraction: u64) -> f64 {
    f64::from_bits(u64::from(negative) << 63 | exponent << 52 | fraction & ((1 << 52) - 1))
}

/// Numbers that are likely to meet: everything, few exponents, and where things change.
fn number() -> impl Strategy<Value = f64> {
    let any_finite = (any::<bool>(), 0..2047_u64, any::<u64>())
        .prop_map(|(sign, exponent, fraction)| double(sign, exponent, fraction));
    let alike = (any::<bool>(), 1020..1026_u64, any::<u64>())
        .prop_map(|(sign, exponent, fraction)| double(sign, exponent, fraction));
    // Few bits: sums of these cancel, and lie halfway between two doubles.
    let powers =
        (any::<bool>(), 960..1080_u64).prop_map(|(sign, exponent)| double(sign, exponent, 0));
    let tiny = (any::<bool>(), 0..3_u64, any::<u64>())
        .prop_map(|(sign, exponent, fraction)| double(sign, exponent, fraction));
    let huge = (any::<bool>(), 2040..2047_u64, any::<u64>())
        .prop_map(|(sign, exponent, fraction)| double(sign, exponent, fraction));
    let edges = select(vec![
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        1.0,
        -1.0,
        f64::EPSILON / 2.0,
    ]);
    prop_oneof![any_finite, alike, powers, tiny, huge, edges]
}

/// Those, and now and then what is no number.
fn anything() -> impl Strategy<Value = f64> {
    let special = select(vec![f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN]);
    prop_oneof![60 => number(), 1 => special]
}

/// Adds each of the parts to one of the lanes, as a slice or one by one.
fn sum_in_parts<const LANES: usize>(values: &[f64], parts: &[(usize, usize, bool)]) -> f64 {
    let sum = ExactSum::<LANES>::new();
    let mut adders: Vec<ExactAdder<'_>> = core::iter::from_fn(|| sum.adder()).collect();
    assert_eq!(adders.len(), LANES);
    let mut rest = values;
    for &(lane, len, at_once) in parts.iter().cycle() {
        let (part, others) = rest.split_at(len.min(rest.len()));
        rest = others;
        let adder = &mut adders[lane % LANES];
        if at_once {
            adder.add_slice(part);
        } else {
            adder.extend(part.iter().copied());
        }
        if rest.is_empty() {
            break;
        }
    }
    sum.sum()
}

fn sum_of(values: &[f64]) -> f64 {
    sum_in_parts::<1>(values, &[(0, usize::MAX, false)])
}

fn sum_of_slice(values: &[f64]) -> f64 {
    sum_in_parts::<1>(values, &[(0, usize::MAX, true)])
}

/// By one and by slice.
#[track_caller]
fn assert_sums(values: &[f64]) {
    assert_sum(values, sum_of(values));
    assert_sum(values, sum_of_slice(values));
}

/// Lanes, lengths of parts, and whether each is added at once.
fn parts() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    vec((0..7_usize, 1..40_usize, any::<bool>()), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sum_is_the_nearest_double(values in vec(anything(), 0..300)) {
        assert_sums(&values);
    }

    #[test]
    fn neither_order_nor_lanes_nor_slices_change_a_bit(
        values in vec(anything(), 0..200),
        shuffled in any::<proptest::sample::Index>(),
        parts in parts(),
    ) {
        let expected = sum_of(&values).to_bits();
        prop_assert_eq!(sum_in_parts::<1>(&values, &parts).to_bits(), expected);
        prop_assert_eq!(sum_in_parts::<2>(&values, &parts).to_bits(), expected);
        let mut other = values;
        if !other.is_empty() {
            let middle = shuffled.index(other.len());
            other.rotate_left(middle);
            other[middle..].reverse();
        }
        prop_assert_eq!(sum_in_parts::<7>(&other, &parts).to_bits(), expected);
    }

    #[test]
    fn what_is_added_and_taken_away_leaves_the_rest(
        values in vec(number(), 0..200),
        rest in vec(number(), 0..3),
    ) {
        let negated = values.iter().map(|value| -value);
        let all: Vec<f64> = values.iter().copied().chain(rest).chain(negated).collect();
        assert_sums(&all);
    }

    #[test]
    fn many_of_like_size_are_carried(
        values in vec((1000..1003_u64, any::<u64>()), 1..5),
        sign in any::<bool>(),
        times in 4096..9000_usize,
    ) {
        let values: Vec<f64> =
            values.iter().map(|&(exponent, bits)| double(sign, exponent, bits)).collect();
        let all: Vec<f64> = values.iter().copied().cycle().take(times).collect();
        assert_sums(&all);
    }
}

/// Numbers of like size, or not quite, with few bits or many; and now and then one that is none.
fn of_like_size() -> impl Strategy<Value = Vec<f64>> {
    let value = (any::<bool>(), any::<u64>(), 0..53_u64, any::<u64>());
    let odd = select(vec![0.0, -0.0, f64::NAN, f64::NEG_INFINITY, 5e-324, f64::MAX]);
    let odd_one = prop_oneof![10 => Just(None), 1 => odd.prop_map(Some)];
    let values = (
        prop_oneof![vec(value.clone(), 0..60), vec(value, 0..600)],
        any::<proptest::sample::Index>(),
        odd_one,
    );
    let greatest = prop_oneof![150..2047_u64, 195..205_u64, 1990..2005_u64];
    (greatest, 0..150_u64, values).prop_map(|(greatest, spread, (values, place, odd_one))| {
        let value = |(sign, below, zeros, fraction): (bool, u64, u64, u64)| {
            let exponent = greatest - below % (spread + 1);
            double(sign, exponent, fraction >> zeros << zeros)
        };
        let mut values: Vec<f64> = values.into_iter().map(value).collect();
        if let (Some(odd_one), false) = (odd_one, values.is_empty()) {
            let place = place.index(values.len());
            values[place] = odd_one;
        }
        values
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_slice_of_like_size_is_exact(values in of_like_size()) {
        assert_sum(&values, sum_of_slice(&values));
        // Without the larger half, what the smaller half has left to say is heard.
        let mut rest = values;
        rest.sort_by(|one, other| other.abs().total_cmp(&one.abs()));
        let larger: Vec<f64> = rest.iter().take(rest.len() / 2).map(|value| -value).collect();
        rest.extend(larger);
        assert_sum(&rest, sum_of_slice(&rest));
        let negated: Vec<f64> = rest.iter().map(|value| -value).collect();
        assert_sum(&negated, sum_of_slice(&negated));
    }
}

#[test]
fn every_exponent_alone_and_all_together() {
    let fractions = [0, 1, (1 << 52) - 1, 0x5555_5555_5555_5555];
    let mut all = Vec::new();
    for exponent in 0..2047 {
        for fraction in fractions {
            let value = double(exponent % 3 == 0, exponent, fraction);
            assert_eq!(sum_of(&[value]).to_bits(), value.to_bits(), "{value:?}");
            assert_eq!(sum_of_slice(&[value]).to_bits(), value.to_bits(), "{value:?}");
            all.push(value);
        }
    }
    assert_sums(&all);
}

#[test]
fn zeros_are_those_of_ieee_754() {
    assert_eq!(ExactSum::<2>::new().sum().to_bits(), 0);
    for zeros in [&[-0.0][..], &[0.0], &[-0.0, -0.0], &[-0.0, 0.0], &[0.0, -0.0], &[1.0, -1.0]] {
        assert_sums(zeros);
    }
    assert_sums(&[-1.0, -0.0, 1.0]);
    assert_sums(&[-0.0; 5000]);
    assert_eq!(sum_in_parts::<2>(&[-0.0, -0.0], &[(0, 1, true), (1, 1, false)]).to_bits(), 1 << 63);
    assert_eq!(sum_in_parts::<2>(&[-0.0, 0.0], &[(0, 1, true), (1, 1, false)]).to_bits(), 0);
}

#[test]
fn infinities_and_nans_stay() {
    let (infinity, nan) = (f64::INFINITY, f64::NAN);
    let sets =
        [&[infinity][..], &[-infinity, 1.0], &[infinity, -infinity], &[nan, infinity], &[1.0, nan]];
    for set in sets {
        assert_sums(set);
        let mut set = set.to_vec();
        set.extend([f64::MAX; 20]);
        assert_sums(&set);
        set.reverse();
        assert_sums(&set);
    }
    let lanes = &[(0, 1, false), (1, 1, true)];
    assert!(sum_in_parts::<2>(&[infinity, -infinity], lanes).is_nan());
}

#[test]
fn a_sum_goes_beyond_the_largest_and_comes_back() {
    let half_of_the_last_bit = 2_f64.powi(970);
    assert_sums(&[f64::MAX, half_of_the_last_bit]);
    assert_sums(&[f64::MAX, half_of_the_last_bit, -5e-324]);
    assert_sums(&[f64::MIN, -half_of_the_last_bit]);
    assert_sums(&[f64::MIN, -half_of_the_last_bit, 5e-324]);
    let mut values = vec![f64::MAX; 10_000];
    assert_eq!(sum_of_slice(&values), f64::INFINITY);
    values.extend([f64::MIN; 9_999]);
    assert_eq!((sum_of(&values), sum_of_slice(&values)), (f64::MAX, f64::MAX));
    values.extend([f64::MIN; 2]);
    values.push(5e-324);
    assert_sums(&values);
}

#[test]
fn halfway_goes_to_the_even_one() {
    for exponent in [1, 2, 51, 52, 53, 54, 104, 105, 1023, 1024, 2000, 2046] {
        for fraction in [0, 1, 2, 3, (1 << 52) - 2, (1 << 52) - 1] {
            let value = double(false, exponent, fraction);
            let ulp =
                double(false, exponent, fraction | 1) - double(false, exponent, fraction & !1);
            let (half, least) = (ulp / 2.0, 5e-324);
            for sign in [1.0, -1.0] {
                for off in [0.0, least, -least] {
                    assert_sums(&[sign * value, sign * half, sign * off]);
                    assert_sums(&[sign * value, -sign * half, sign * off]);
                }
            }
        }
    }
}

/// Fills digit after digit, up to the last, with what has to be carried.
#[test]
fn carries_run_through_all_digits() {
    for sign in [false, true] {
        let sum = ExactSum::<1>::new();
        let mut adder = sum.adder().unwrap();
        let mut all = Vec::new();
        for exponent in (1..2047).step_by(51) {
            let value = double(sign, exponent, u64::MAX);
            // By one, so that each digit is carried many times.
            (0..3000).for_each(|_| adder.add(value));
            all.extend([value; 3000]);
        }
        assert_sum(&all, sum.sum());
        let huge = if sign { f64::MIN } else { f64::MAX };
        for _ in 0..3 {
            adder.extend([huge; 3000]);
            adder.extend([-huge; 1000]);
            adder.add_slice(&[huge; 4096]);
            adder.add_slice(&[-huge; 5000]);
            all.extend([huge; 7096]);
            all.extend([-huge; 6000]);
        }
        adder.extend([-huge; 3288]);
        all.extend([-huge; 3288]);
        assert_sum(&all, sum.sum());
    }
}

/// A hundred million: of one value, and so many that the sum is known.
#[test]
#[allow(clippy::cast_precision_loss, reason = "the one rounding that there is")]
fn many_adds_are_exact() {
    let adds = if cfg!(debug_assertions) { 100_000 } else { 100_000_000_u32 };
    let value = f64::from_bits(0x3fb9_9999_9999_9999); // 0.1, less a bit
    let slice = [value; 1000];
    let sum = ExactSum::<2>::new();
    let (mut one, mut other) = (sum.adder().unwrap(), sum.adder().unwrap());
    for _ in 0..adds / 10 {
        one.add(value);
    }
    for _ in 0..adds / 10 * 9 / 1000 {
        other.add_slice(&slice);
    }
    // The product, rounded once.
    let mantissa = u128::from(value.to_bits() & ((1 << 52) - 1) | 1 << 52);
    let product = mantissa * u128::from(adds);
    assert_eq!(sum.sum(), product as f64 * 2_f64.powi(-56));
}
