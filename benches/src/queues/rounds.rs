//! The rounds, in which each has its turn between two probes.

use super::NAME;
use super::exchange::{self, Exchange};
use crate::harness::{self, Effort, Ratio, Row, Spread};
use crate::helper;
use crate::meeting::{self, Bracketed, Place};

/// What `measure` says of each of so many, by round.
pub(crate) fn rounds<R>(
    place: &Place,
    effort: Effort,
    count: usize,
    mut measure: impl FnMut(usize) -> R,
) -> Vec<Bracketed<Vec<R>>> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut round = |_| {
        helper::watch();
        fastrand::shuffle(&mut order);
        place.bracket(|| {
            let mut measured: Vec<Option<R>> = (0..count).map(|_| None).collect();
            for &one in &order {
                measured[one] = Some(measure(one));
            }
            measured.into_iter().flatten().collect()
        })
    };
    (0..effort.warm_up).for_each(|warm_up| drop(round(warm_up)));
    (0..effort.rounds).map(round).collect()
}

/// How long the trips of several took, the first of whom the others are compared with.
pub(super) struct Report {
    pub(super) rows: Vec<Trips>,
    /// What the probes said.
    pub(super) bounce: Option<String>,
}

/// One of them.
pub(super) struct Trips {
    pub(super) by: String,
    /// What a trip took, in nanoseconds, by round.
    pub(super) spread: Spread,
    /// All that were timed by themselves, the shortest first.
    times: Vec<f64>,
    pub(super) in_lines: Option<f64>,
    pub(super) ratio: Ratio,
}

impl Trips {
    /// As one row: the median and the latest of a thousand, times so much; in lines; the ratio.
    pub(super) fn row(self, group: &str, scale: f64, decimals: usize) -> Row {
        let (median, late) = (self.spread.median, self.at(0.999));
        let shown = |time: f64| format!("{:.decimals$}", time * scale);
        Row::new(NAME, group, &self.by)
            .kept_spread("ns", self.spread)
            .cell(shown(median))
            .number("ns", "p99.9", late, shown(late))
            .in_lines(self.in_lines, 2)
            .compared(self.ratio)
    }

    fn at(&self, quantile: f64) -> f64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index of a few millions"
        )]
        let index = (self.times.len().saturating_sub(1) as f64 * quantile) as usize;
        self.times.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// Has all play, each so often that it fills some slices, and takes off what each trip contains
/// besides. The best of the first `yardsticks` is what the others are compared with.
pub(super) fn trips(
    mut all: Vec<Exchange>,
    place: &Place,
    effort: Effort,
    slices: u32,
    besides: f64,
    yardsticks: usize,
) -> Report {
    helper::watch();
    let clock = exchange::clock();
    let counts: Vec<u64> = all.iter_mut().map(|one| one.calibrate(effort.slice * slices)).collect();
    let rounds = rounds(place, effort, all.len(), |one| all[one].play(counts[one]));
    let (bounce, rounds) = meeting::undisturbed(&rounds);
    let median = |one: usize| -> Vec<f64> {
        rounds.iter().map(|round| round.measured[one].median(clock, besides)).collect()
    };
    let mut order: Vec<(usize, Vec<f64>)> = (0..all.len()).map(|one| (one, median(one))).collect();
    order[..yardsticks].sort_by(|(_, one), (_, other)| {
        Spread::of(one).median.total_cmp(&Spread::of(other).median)
    });
    let (order, medians): (Vec<_>, Vec<_>) = order.into_iter().unzip();
    let row = |((one, medians), ratio): ((usize, &Vec<f64>), Ratio)| {
        let times = rounds.iter().flat_map(|round| &round.measured[one].each);
        let mut times: Vec<f64> = times.map(|time| time - clock - besides).collect();
        times.sort_by(f64::total_cmp);
        let Exchange { name, kin, .. } = &all[one];
        let in_lines = meeting::in_lines(&rounds, medians);
        let spread = Spread::of(medians);
        Trips { by: format!("{name}, {kin}"), spread, times, in_lines, ratio }
    };
    let rows = order.into_iter().zip(&medians).zip(harness::ratios(&medians)).map(row).collect();
    Report { rows, bounce }
}
