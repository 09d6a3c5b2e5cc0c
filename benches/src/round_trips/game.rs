//! The two players, each with a partner in another process, and the rounds they play.

use core::time::Duration;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::bounce::Bounce;
use crate::harness::Effort;
use crate::helper::Helper;
use crate::place::Cpu;

/// The two ends of a channel there and back.
pub(super) struct Ends {
    /// Sends 8 bytes and receives 8.
    pub(super) ask: Box<dyn FnMut()>,
    /// Receives 8 bytes and sends them back.
    pub(super) answer: Box<dyn FnMut()>,
}

/// One end, whose other end answers from a process of its own.
pub(super) struct Player {
    ask: Box<dyn FnMut()>,
    _partner: Helper,
}

impl Player {
    pub(super) fn new(ends: Ends, away: Cpu) -> Self {
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

/// What the players did while the machine was, one hopes, the same.
pub(super) struct Round {
    times: [Histogram<u32>; 2],
    /// What the line between the CPUs took before and after, if there are two.
    pub(super) bounces: Option<[f64; 2]>,
}

impl Round {
    pub(super) fn median(&self, player: usize) -> f64 {
        Duration::from_nanos(self.times[player].value_at_quantile(0.5)).as_secs_f64()
    }
}

pub(super) fn play(
    mut players: [Player; 2],
    bounce: Option<&Bounce>,
    effort: Effort,
) -> Vec<Round> {
    // Four slices, as a sleeper's round trip takes long and its tail wants many.
    let trips = players.each_mut().map(|player| player.calibrate(effort.slice * 4));
    let mut round = |_| {
        let mut times = [no_times(), no_times()];
        let mut order = [0, 1];
        fastrand::shuffle(&mut order);
        let before = bounce.map(Bounce::measure);
        for player in order {
            times[player] = players[player].play(trips[player]);
        }
        let after = bounce.map(Bounce::measure);
        Round { times, bounces: before.zip(after).map(|(before, after)| [before, after]) }
    };
    (0..effort.warm_up).for_each(|warm_up| drop(round(warm_up)));
    (0..effort.rounds).map(round).collect()
}

/// All times of a player.
pub(super) fn together(rounds: &[&Round], player: usize) -> Histogram<u32> {
    let mut all = no_times();
    for round in rounds {
        all.add(&round.times[player]).expect("all histograms are of the same kind");
    }
    all
}

/// An empty histogram: three digits, from a nanosecond to a minute.
fn no_times() -> Histogram<u32> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds and digits in range")
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
