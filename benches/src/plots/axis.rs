//! Logarithmic axes: ratios are what is compared, and equal ratios are equally long.

use core::ops::Range;

use plotters::coord::combinators::{IntoLogRange as _, LogCoord};
use plotters::coord::ranged1d::Ranged as _;

/// From values to pixels.
pub(super) struct Axis {
    range: Range<f64>,
    coordinate: LogCoord<f64>,
    pixels: (i32, i32),
}

impl Axis {
    /// Room for all of these values; none for those that no such axis has room for.
    pub(super) fn of(values: impl Iterator<Item = f64>, pixels: (i32, i32)) -> Option<Self> {
        let values = values.filter(|value| value.is_finite() && *value > 0.0);
        let range = values.fold(f64::INFINITY..0.0, |range: Range<f64>, value| {
            range.start.min(value)..range.end.max(value)
        });
        if range.end <= 0.0 {
            return None;
        }
        // A little more to each side, as a part of the axis.
        let more = (range.end / range.start).powf(0.03).max(1.05);
        let range = range.start / more..range.end * more;
        Some(Self { coordinate: range.clone().log_scale().into(), range, pixels })
    }

    /// Where this value is.
    pub(super) fn at(&self, value: f64) -> i32 {
        self.coordinate.map(&value, self.pixels)
    }

    /// Whether there is such a place.
    pub(super) fn has(&self, value: f64) -> bool {
        self.range.contains(&value)
    }

    /// Round numbers to be written beside it: some, but not too many.
    pub(super) fn ticks(&self) -> Vec<f64> {
        const STEPS: [&[f64]; 4] =
            [&[1.0], &[1.0, 3.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]];
        let ticks = |steps: &[f64]| -> Vec<f64> {
            let decades = (-12..=12).map(|power| 10_f64.powi(power));
            let all = decades.flat_map(|decade| steps.iter().map(move |step| step * decade));
            all.filter(|tick| self.has(*tick)).collect()
        };
        let linear = |step: f64| -> Vec<f64> {
            let all = (1..200).map(|times| f64::from(times) * step);
            all.filter(|tick| self.has(*tick)).collect()
        };
        STEPS
            .into_iter()
            .map(ticks)
            .chain([0.2, 0.1, 0.05, 0.02, 0.01].map(linear))
            .find(|ticks| ticks.len() >= 3)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn equal_ratios_are_equally_long() {
        let axis = Axis::of([1.0, 1e6].into_iter(), (0, 6000)).unwrap();
        let places = [1.0, 10.0, 100.0, 1000.0].map(|value| axis.at(value));
        let lengths = [0, 1, 2].map(|at| places[at + 1] - places[at]);
        assert!(lengths.into_iter().all(|length| length.abs_diff(lengths[0]) <= 1), "{lengths:?}");
        assert!(lengths[0] > 800);
    }

    #[test]
    fn a_few_round_numbers_are_written_beside_any_axis() {
        for (from, to) in [(1.0, 1e6), (80.0, 300.0), (0.9, 1.1), (0.5, 20.0), (1e-4, 2e3)] {
            let axis = Axis::of([from, to].into_iter(), (0, 600)).unwrap();
            let ticks = axis.ticks();
            assert!((3..14).contains(&ticks.len()), "{from} to {to}: {ticks:?}");
        }
    }

    #[test]
    fn what_has_no_logarithm_has_no_axis() {
        assert!(Axis::of([0.0, -1.0, f64::NAN].into_iter(), (0, 1)).is_none());
    }
}
