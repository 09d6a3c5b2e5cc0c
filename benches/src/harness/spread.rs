//! What many rounds say together: the median, and how far the rounds lie apart.

use core::fmt;

/// The median and the quartiles.
///
/// Not the mean, which one interrupt moves; not the minimum, which one lucky round sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(super) lower: f64,
    pub(crate) median: f64,
    pub(super) upper: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |quarters: usize| {
            let index = sorted.len().saturating_sub(1) * quarters / 4;
            sorted.get(index).copied().unwrap_or(f64::NAN)
        };
        Self { lower: at(1), median: at(2), upper: at(3) }
    }

    /// The distance between the quartiles, as a part of the median.
    fn relative(self) -> f64 {
        (self.upper - self.lower) / self.median
    }

    /// The quartiles, with so many decimals.
    pub(crate) fn quartiles(self, decimals: usize) -> String {
        let Self { lower, upper, .. } = self;
        format!("{lower:.decimals$} – {upper:.decimals$}")
    }
}

/// Each contender's ratio to the first, formed round by round.
pub(crate) fn ratios(results: &[Vec<f64>]) -> Vec<Ratio> {
    let Some((baseline, others)) = results.split_first() else {
        return Vec::new();
    };
    let to_baseline = |values: &Vec<f64>| {
        let ratios: Vec<f64> = values.iter().zip(baseline).map(|(one, base)| one / base).collect();
        Ratio::To(Spread::of(&ratios))
    };
    core::iter::once(Ratio::Baseline).chain(others.iter().map(to_baseline)).collect()
}

/// How a contender compares with the first of its group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ratio {
    /// It is the first.
    Baseline,
    To(Spread),
}

/// Half of all rounds within so much of each other; otherwise a ratio says more of the machine than
/// of the contenders.
const STEADY: f64 = 0.1;

impl Ratio {
    pub(crate) fn is_baseline(self) -> bool {
        matches!(self, Self::Baseline)
    }

    /// Whether the rounds agree well enough to compare.
    pub(crate) fn is_steady(self) -> bool {
        match self {
            Self::Baseline => true,
            Self::To(spread) => spread.relative() <= STEADY,
        }
    }

    pub(crate) fn quartiles(self) -> String {
        match self {
            Self::Baseline => String::new(),
            Self::To(spread) => spread.quartiles(decimals(spread.median)),
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => f.write_str("1"),
            Self::To(Spread { median, .. }) if self.is_steady() => {
                write!(f, "{median:.0$}", decimals(*median))
            }
            Self::To(_) => f.write_str("UNSTEADY"),
        }
    }
}

/// Of a ratio: small ones have to differ, too.
fn decimals(median: f64) -> usize {
    match median {
        ..0.1 => 4,
        ..0.5 => 3,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::{Ratio, Spread, ratios};

    #[test]
    fn the_median_is_in_the_middle_and_an_outlier_does_not_move_it() {
        let spread = Spread::of(&[3.0, 1.0, 1e9, 2.0, 4.0]);
        assert_eq!((spread.lower, spread.median, spread.upper), (2.0, 3.0, 4.0));
    }

    #[test]
    fn ratios_are_formed_within_a_round() {
        // Twice as slow in each round, whatever the rounds do.
        let [first, second] = ratios(&[vec![1.0, 10.0, 100.0], vec![2.0, 20.0, 200.0]])[..] else {
            panic!("one for each");
        };
        assert!(first.is_baseline());
        assert_eq!(second.to_string(), "2.00");
        assert_eq!(second.quartiles(), "2.00 – 2.00");
    }

    #[test]
    fn small_ratios_have_as_many_digits() {
        let ratio = Ratio::To(Spread::of(&[0.0681; 5]));
        assert_eq!(
            (ratio.to_string(), ratio.quartiles()),
            ("0.0681".into(), "0.0681 – 0.0681".into())
        );
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let ratio = Ratio::To(Spread::of(&[0.8, 0.9, 1.0, 1.1, 1.2]));
        assert!(!ratio.is_steady());
        assert_eq!(ratio.to_string(), "UNSTEADY");
    }
}
