//! The players, each with a partner in another process, and the rounds they play.

use core::time::Duration;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::{Bracketed, Place, microseconds};
use crate::harness::{Effort, Row};
use crate::helper::Helper;
use crate::place::Cpu;

/// The two ends of a channel there and back.
pub(crate) struct Ends {
    /// Sends and receives.
    pub(crate) ask: Box<dyn FnMut()>,
    /// Receives and sends back.
    pub(crate) answer: Box<dyn FnMut()>,
}

/// One end, whose other end answers from a process of its own.
pub(crate) struct Player {
    ask: Box<dyn FnMut()>,
    _partner: Helper,
}

impl Player {
    pub(crate) fn new(ends: Ends, away: Cpu) -> Self {
        let Ends { ask, mut answer } = ends;
        let partner = Helper::start(move || {
            away.pin();
            loop {
                answer();
            }
        });
        Self { ask, _partner: partner }
    }

    /// So many round trips, each by the clock.
    fn play(&mut self, trips: u64) -> Histogram<u32> {
        let mut times = no_times();
        // The partner has slept for long, and its first answers are not like the rest.
        (0..10).for_each(|_| (self.ask)());
        let mut before = Instant::now();
        for _ in 0..trips {
            (self.ask)();
            let after = Instant::now();
            times.saturating_record(nanoseconds(after.duration_since(before)));
            before = after;
        }
        times
    }

    /// How many round trips fill a slice.
    fn calibrate(&mut self, slice: Duration) -> u64 {
        let median = self.play(100).value_at_quantile(0.5);
        (nanoseconds(slice) / median.max(1)).max(1)
    }
}

/// How long each time took, by player.
pub(crate) struct Times(Vec<Histogram<u32>>);

impl Times {
    /// In nanoseconds.
    pub(crate) fn median(&self, player: usize) -> f64 {
        Duration::from_nanos(self.0[player].value_at_quantile(0.5)).as_secs_f64() * 1e9
    }
}

/// Rounds in which each player has had its turn, while the machine was, one hopes, the same.
pub(crate) fn play(players: &mut [Player], place: &Place, effort: Effort) -> Vec<Bracketed<Times>> {
    // Four slices, as a sleeper's round trip takes long and its tail wants many.
    let trips: Vec<u64> =
        players.iter_mut().map(|player| player.calibrate(effort.slice * 4)).collect();
    take_turns(players.len(), place, effort, |player| players[player].play(trips[player]))
}

/// The same for so many players of any kind, who say how long each time took in their turn.
pub(crate) fn take_turns(
    players: usize,
    place: &Place,
    effort: Effort,
    mut play: impl FnMut(usize) -> Histogram<u32>,
) -> Vec<Bracketed<Times>> {
    let mut order: Vec<usize> = (0..players).collect();
    let mut round = |_| {
        fastrand::shuffle(&mut order);
        place.bracket(|| {
            let mut times = vec![no_times(); players];
            for &player in &order {
                times[player] = play(player);
            }
            Times(times)
        })
    };
    (0..effort.warm_up).for_each(|warm_up| drop(round(warm_up)));
    (0..effort.rounds).map(round).collect()
}

/// All times of a player.
pub(crate) fn together(rounds: &[&Bracketed<Times>], player: usize) -> Histogram<u32> {
    let mut all = no_times();
    for round in rounds {
        all.add(&round.measured.0[player]).expect("all histograms are of the same kind");
    }
    all
}

/// Three cells: p50, p99 and p99.9 in microseconds.
pub(crate) fn percentiles(row: Row, times: &Histogram<u32>) -> Row {
    [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)]
        .into_iter()
        .fold(row, |row, (name, quantile)| time(row, name, times.value_at_quantile(quantile)))
}

/// A cell: the longest, in microseconds.
pub(crate) fn maximum(row: Row, times: &Histogram<u32>) -> Row {
    time(row, "max", times.max())
}

fn time(row: Row, statistic: &'static str, nanoseconds: u64) -> Row {
    let shown = microseconds(nanoseconds);
    row.number("ns", statistic, Duration::from_nanos(nanoseconds).as_secs_f64() * 1e9, shown)
}

/// An empty histogram: three digits, from a nanosecond to a minute.
pub(crate) fn no_times() -> Histogram<u32> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds and digits in range")
}

pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
