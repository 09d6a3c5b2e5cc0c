//! The rounds, in which each mechanism has its turn, and their table.

use core::error::Error;
use core::time::Duration;

use super::contender::{Contender, Kind, Mechanism, Task, no_times};
use crate::harness::{self, Effort, Row, Spread, Table};
use crate::helper;
use crate::meeting::{self, Meeting, Place};
use crate::queues::rounds::rounds;

/// What all do, one after the other.
pub(super) struct Group {
    pub(super) kind: Kind,
    pub(super) bytes: usize,
    pub(super) name: &'static str,
}

/// One that can do it.
struct Ready<'a> {
    mechanism: &'a Mechanism,
    contender: Box<dyn Contender>,
    /// How often fills a slice.
    times: u64,
}

impl Group {
    /// Measures all of them, the first of which the others are compared with.
    pub(super) fn print<'a>(
        &self,
        mechanisms: impl Iterator<Item = &'a Mechanism>,
        effort: Effort,
    ) {
        let header: &[&str] = match self.kind {
            Kind::PingPong => {
                &["by", "through", "p50 ns", "p99", "p99.9", "max", "× pipe", "quartiles"]
            }
            Kind::Stream => &["by", "through", "M/s", "quartiles", "× floor", "quartiles"],
        };
        let mut table =
            Table::new(&format!("Messages, mechanism by mechanism: {}", self.name), header);
        if let Err(why) = self.measure(mechanisms, effort, &mut table) {
            table.notes([format!("not measured: {why}.")]);
        }
        table.print();
    }

    fn measure<'a>(
        &self,
        mechanisms: impl Iterator<Item = &'a Mechanism>,
        effort: Effort,
        table: &mut Table,
    ) -> Result<(), Box<dyn Error>> {
        // Without sleep where one may ask for that: otherwise it is all that is measured.
        let (place, awake) = match Meeting::TwoCpusAwake.arrange() {
            Ok(place) => (place, "awake"),
            Err(_) => (Meeting::TwoCpusAsleep.arrange()?, "asleep"),
        };
        // Enough for the tail of who sleeps.
        let slice = effort.slice * 4;
        let mut rows = Vec::new();
        for mechanism in mechanisms {
            helper::watch();
            let Mechanism { by, through, open } = mechanism;
            match open(Task { kind: self.kind, bytes: self.bytes, away: place.away }) {
                Ok(mut contender) => {
                    let times = calibrate(contender.as_mut(), slice, self.kind.most());
                    rows.push(Ready { mechanism, contender, times });
                }
                Err(why) => table.notes([format!("{by}, {through}: {why}.")]),
            }
        }
        match self.kind {
            Kind::PingPong => self.ping_pong(&mut rows, &place, effort, table),
            Kind::Stream => self.stream(&mut rows, &place, effort, table),
        }
        table.notes([format!("idle CPUs are {awake}.")]);
        Ok(())
    }

    fn ping_pong(&self, rows: &mut [Ready<'_>], place: &Place, effort: Effort, table: &mut Table) {
        let rounds = rounds(place, effort, rows.len(), |row| {
            helper::watch();
            let Ready { contender, times, .. } = &mut rows[row];
            contender.run(*times).each.expect("each of them has been timed")
        });
        let (bounce, rounds) = meeting::undisturbed(&rounds);
        let median = |row: usize| -> Vec<f64> {
            let median = |round: &&meeting::Bracketed<Vec<_>>| value(&round.measured[row], 0.5);
            rounds.iter().map(median).collect()
        };
        let medians: Vec<Vec<f64>> = (0..rows.len()).map(median).collect();
        for ((index, medians), ratio) in medians.iter().enumerate().zip(harness::ratios(&medians)) {
            let mut all = no_times();
            for round in &rounds {
                all.add(&round.measured[index]).expect("all are of the same kind");
            }
            let row = self.row(rows[index].mechanism).kept_spread("ns", Spread::of(medians));
            let tail = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
            let row = tail.into_iter().fold(row, |row, (statistic, quantile)| {
                let value = value(&all, quantile);
                row.number("ns", statistic, value, format!("{value:.0}"))
            });
            table.add(row.compared(ratio));
        }
        table.notes(bounce);
    }

    fn stream(&self, rows: &mut [Ready<'_>], place: &Place, effort: Effort, table: &mut Table) {
        let rounds = rounds(place, effort, rows.len(), |row| {
            helper::watch();
            let Ready { contender, times, .. } = &mut rows[row];
            let time = contender.run(*times).time;
            millions(*times - 1) / time.as_secs_f64()
        });
        let (bounce, rounds) = meeting::undisturbed(&rounds);
        let rates = |row: usize| rounds.iter().map(|round| round.measured[row]).collect();
        let rates: Vec<Vec<f64>> = (0..rows.len()).map(rates).collect();
        for ((row, rates), ratio) in rows.iter().zip(&rates).zip(harness::ratios(&rates)) {
            let spread = Spread::of(rates);
            // Three digits, from hundreds of millions down to thousands.
            let decimals = match spread.median {
                100.0.. => 0,
                10.0.. => 1,
                1.0.. => 2,
                _ => 4,
            };
            let row = self.row(row.mechanism).spread("M/s", spread, decimals);
            table.add(row.compared(ratio));
        }
        table.notes(bounce);
    }

    /// A row of the table, with no numbers yet.
    fn row(&self, mechanism: &Mechanism) -> Row {
        let Mechanism { by, through, .. } = mechanism;
        let group = match self.kind {
            Kind::PingPong => "ping-pong",
            Kind::Stream => "stream",
        };
        Row::new(super::NAME, group, &format!("{by}, {through}"))
            .named(by, through)
            .bytes(self.bytes)
            .place("two CPUs")
    }
}

/// How often fills a slice, when all memory has been touched.
fn calibrate(contender: &mut dyn Contender, slice: Duration, most: u64) -> u64 {
    let mut times = 16;
    loop {
        let time = contender.run(times).time;
        if time >= slice / 4 {
            let more = slice.div_duration_f64(time);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a number of messages, positive and far below 2^53"
            )]
            let times = (times as f64 * more) as u64;
            return times.clamp(16, most);
        }
        if times >= most {
            return most;
        }
        times = (times * 2).min(most);
    }
}

/// In nanoseconds.
#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
fn value(times: &hdrhistogram::Histogram<u32>, quantile: f64) -> f64 {
    times.value_at_quantile(quantile) as f64
}

#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^53 messages fit a slice")]
fn millions(messages: u64) -> f64 {
    messages as f64 / 1e6
}
