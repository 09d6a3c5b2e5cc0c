//! How many messages go one way against how large they are; and what several get done together
//! against how many they are.

use super::lines::{Lines, Scale, Series};
use super::{Plot, distinct, file, units};
use crate::harness::Record;

/// What the rates are drawn against.
struct Trend {
    file: &'static str,
    title: &'static str,
    number: fn(&Record) -> Option<usize>,
    across: Scale,
    up: &'static str,
}

const BY_SIZE: Trend = Trend {
    file: "throughput",
    title: "Messages one way, by size",
    number: |record| record.bytes,
    across: Scale { measures: "size of a message", write: units::bytes },
    up: "messages a second",
};

const BY_COUNT: Trend = Trend {
    file: "scaling",
    title: "All together, by how many they are",
    number: |record| record.processes,
    across: Scale { measures: "how many at a time", write: units::count },
    up: "what all of them get done",
};

/// One for each group of which there are several sizes, or several numbers of processes.
pub(super) fn plots(records: &[Record]) -> Vec<Plot> {
    [BY_SIZE, BY_COUNT].iter().flat_map(|trend| trend.plots(records)).collect()
}

/// What there is one picture of.
type Key<'a> = (&'a str, &'a str, &'a str);

fn key(record: &Record) -> Key<'_> {
    (record.suite, &record.group, record.place)
}

impl Trend {
    fn plots(&self, records: &[Record]) -> Vec<Plot> {
        let rates = |record: &&Record| {
            (record.unit, record.statistic) == ("M/s", "median") && (self.number)(record).is_some()
        };
        let rates: Vec<&Record> = records.iter().filter(rates).collect();
        let keys = distinct(rates.iter().map(|record| key(record)));
        keys.into_iter().filter_map(|key| self.plot(key, &rates)).collect()
    }

    fn plot(&self, group: Key<'_>, rates: &[&Record]) -> Option<Plot> {
        let here = || rates.iter().filter(|record| key(record) == group);
        if distinct(here().map(|record| (self.number)(record))).len() < 2 {
            return None;
        }
        let series = |name: &String| {
            let mine = here().filter(|record| record.by == *name);
            let point = |record: &&Record| Some((as_f64((self.number)(record)?), record.value));
            let mut points: Vec<(f64, f64)> = mine.filter_map(point).collect();
            points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            Series { name: name.clone(), points }
        };
        let names = distinct(here().map(|record| &record.by));
        let (suite, group, place) = group;
        let comma = if place.is_empty() { "" } else { ", " };
        let title = format!("{}: {suite}, {group}{comma}{place}", self.title);
        let lines = Lines {
            title: title.clone(),
            across: self.across,
            up: Scale { measures: self.up, write: units::rate },
            series: names.into_iter().map(series).collect(),
        };
        Some(Plot {
            file: format!("{}-{}.svg", self.file, file(&format!("{suite} {group} {place}"))),
            title,
            about: "Both axes are logarithmic; higher is better. The crate's lines are solid.",
            svg: lines.draw()?,
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "sizes and numbers of processes are small")]
fn as_f64(number: usize) -> f64 {
    number as f64
}
