//! Many values at once.

use core::hint::black_box;

use rawipc::sum::{ExactAdder, ExactSum};
use xsum::{Xsum as _, XsumLarge, XsumSmall};

use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] = &[
    Group { name: "8 values of like size", contenders: || all(&alike(8)) },
    Group { name: "64 values of like size", contenders: || all(&alike(64)) },
    Group { name: "1000 values of like size", contenders: || all(&alike(1000)) },
    Group { name: "100 000 values of like size", contenders: || all(&alike(100_000)) },
    Group { name: "8 values of any size", contenders: || all(&unlike(8)) },
    Group { name: "64 values of any size", contenders: || all(&unlike(64)) },
    Group { name: "1000 values of any size", contenders: || all(&unlike(1000)) },
    Group { name: "100 000 values of any size", contenders: || all(&unlike(100_000)) },
];

/// Of random signs, between −1 and 1.
fn alike(count: usize) -> Vec<f64> {
    (0..count).map(|_| fastrand::f64() * 2.0 - 1.0).collect()
}

/// Of random signs and exponents, such that no sum is infinite.
fn unlike(count: usize) -> Vec<f64> {
    let value = |_| {
        let (sign, exponent) = (fastrand::u64(0..2), fastrand::u64(500..1500));
        f64::from_bits(sign << 63 | exponent << 52 | fastrand::u64(0..1 << 52))
    };
    (0..count).map(value).collect()
}

/// Who starts from nothing and says the sum, each time; and then those who only add all to what
/// they have.
fn all(values: &[f64]) -> Vec<Contender> {
    fn sum_by(
        name: &'static str,
        values: &[f64],
        sum: impl Fn(&[f64]) -> f64 + 'static,
    ) -> Contender {
        let values = values.to_vec();
        Contender::new(name, move || sum(black_box(&values)))
    }
    let [ours, theirs] = [values.to_vec(), values.to_vec()];
    let mut adder = adder();
    let mut small = XsumSmall::new();
    vec![
        sum_by("a plain loop", values, |values| values.iter().sum()),
        sum_by("Neumaier", values, neumaier),
        sum_by("xsum, small", values, |values| {
            let mut sum = XsumSmall::new();
            sum.add_list(values);
            sum.sum()
        }),
        sum_by("xsum, large", values, |values| {
            let mut sum = XsumLarge::new();
            sum.add_list(values);
            sum.sum()
        }),
        sum_by("ExactSum", values, |values| {
            let sum = ExactSum::<1>::new();
            sum.adder().expect("a lane").add_slice(values);
            sum.sum()
        }),
        Contender::new("xsum, small, add_list alone", move || small.add_list(black_box(&theirs))),
        Contender::new("ExactSum, add_slice alone", move || adder.add_slice(black_box(&ours))),
    ]
}

fn adder() -> ExactAdder<'static> {
    let sum: &'static ExactSum<1> = Box::leak(Box::new(ExactSum::new()));
    sum.adder().expect("a lane")
}

/// Compensated, as `sum` of Python 3.12 is.
fn neumaier(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for &value in values {
        let both = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - both) + value } else { (value - both) + sum };
        sum = both;
    }
    sum + lost
}
