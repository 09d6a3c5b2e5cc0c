//! Adding up numbers of like size, as most are, in floating point, and yet exactly: in two layers
//! of bits, of each of which a double holds a sum of so many without rounding. That is twice as
//! fast as with digits.
//!
//! Let all |x| < p, a power of two. A running sum that starts at 1.5 · 2^8 · p, and to which 128 of
//! them are added, stays between 2^8 · p and 2^9 · p, where doubles are the multiples of
//! u = 2^−44 · p. So each x adds to it a multiple of u, the nearest to x; what that leaves of x, at
//! most u/2, is again a double; and in the end, the difference to the start is the sum of all those
//! multiples. The same once more with u for p takes the next 44 bits. Where anything is left then,
//! they were not of like size.
//!
//! (James Demmel, Hong Diep Nguyen, *Fast Reproducible Floating-Point Summation*, 2013.)

/// How many sums there are of each layer, so that a CPU can work at several at once.
const LANES: usize = 4;
/// How many values can be added up at once; the last ones are made [`LANES`] by zeros.
pub(super) const MOST: usize = 124;
/// How many have to be, for it to be worth the effort.
const LEAST: usize = 16;

/// Two numbers whose sum is exactly that of the values; none, if these are not of like size, or too
/// few or too many.
pub(super) fn sums_of(values: &[f64]) -> Option<[f64; 2]> {
    // There, numbers may have more bits while they are computed with.
    if cfg!(all(target_arch = "x86", not(target_feature = "sse2"))) {
        return None;
    }
    if !(LEAST..=MOST).contains(&values.len()) {
        return None;
    }
    let beyond = power_above(greatest(values))?;
    let starts = [1.5 * 256.0 * beyond, 1.5 * 256.0 * (beyond * UNIT)];
    let [mut first, mut second] = starts.map(|start| [start; LANES]);
    let mut left = [0; LANES];
    let mut add = |some: &[f64; LANES]| {
        let places = first.iter_mut().zip(&mut second).zip(&mut left);
        for (((first, second), left), value) in places.zip(some) {
            let rest = value - add_part(first, *value);
            *left |= (rest - add_part(second, rest)).to_bits();
        }
    };
    let some = values.chunks_exact(LANES);
    let mut last = [0.0; LANES];
    last.iter_mut().zip(some.remainder()).for_each(|(last, value)| *last = *value);
    some.filter_map(<[f64]>::first_chunk).for_each(&mut add);
    add(&last);
    // A zero may have a sign.
    let is_all = left.iter().all(|left| left << 1 == 0);
    let [upper, lower] = starts;
    is_all.then_some([difference(first, upper), difference(second, lower)])
}

/// Adds what of the value there is room for, and returns that.
#[inline]
fn add_part(sum: &mut f64, value: f64) -> f64 {
    let before = *sum;
    *sum += value;
    *sum - before
}

/// What has been added to all.
fn difference(sums: [f64; LANES], start: f64) -> f64 {
    sums.iter().map(|sum| sum - start).sum()
}

/// 2^−44.
const UNIT: f64 = f64::from_bits((1023 - 44) << 52);

/// The greatest magnitude, but for NaNs.
fn greatest(values: &[f64]) -> f64 {
    let greater = |greatest: f64, value: f64| {
        let magnitude = value.abs();
        if magnitude > greatest { magnitude } else { greatest }
    };
    let mut greatest = [0.0; 2 * LANES];
    let some = values.chunks_exact(2 * LANES);
    let rest = some.remainder().iter().fold(0.0, |one, value| greater(one, *value));
    for some in some {
        greatest.iter_mut().zip(some).for_each(|(one, value)| *one = greater(*one, *value));
    }
    greatest.into_iter().fold(rest, greater)
}

/// The least power of two that is greater than a number that is neither tiny nor huge.
fn power_above(number: f64) -> Option<f64> {
    const TINY: f64 = f64::from_bits(200 << 52);
    const HUGE: f64 = f64::from_bits(2000 << 52);
    let exponent = (number.to_bits() >> 52).wrapping_add(1);
    (TINY..HUGE).contains(&number).then_some(f64::from_bits(exponent << 52))
}
