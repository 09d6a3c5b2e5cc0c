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

/// Those whose lines are in one picture.
struct Family {
    file: &'static str,
    title: &'static str,
    has: fn(by: &str) -> bool,
}

/// All of a group, as a rule.
const ALL: Family = Family { file: "", title: "", has: |_| true };

/// There are too many mechanisms for one picture. What they are measured by is in all of them.
const MECHANISMS: [Family; 3] = [
    Family { file: "kernel", title: "through the kernel", has: |by| is_kernels(by) },
    Family {
        file: "memory",
        title: "through shared memory",
        has: |by| by == MEASURE || !is_kernels(by) && !is_others(by),
    },
    Family { file: "others", title: "by others", has: |by| by == MEASURE || is_others(by) },
];

const MEASURE: &str = "libc, pipe";

fn is_others(by: &str) -> bool {
    !["libc", "rawipc", "floor"].iter().any(|own| by.starts_with(own))
}

fn is_kernels(by: &str) -> bool {
    const THROUGH: [&str; 7] =
        ["Pipe", "Fifo", "Stream", "SeqPacket", "Datagram", "posix::Mq", "sysv::MsgQueue"];
    by.starts_with("libc")
        || by.strip_prefix("rawipc, ").is_some_and(|through| THROUGH.contains(&through))
}

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
        let plots = |key: Key<'_>| -> Vec<Plot> {
            let families: &[Family] = if key.0 == "mechanisms" { &MECHANISMS } else { &[ALL] };
            families.iter().filter_map(|family| self.plot(key, family, &rates)).collect()
        };
        keys.into_iter().flat_map(plots).collect()
    }

    fn plot(&self, group: Key<'_>, family: &Family, rates: &[&Record]) -> Option<Plot> {
        let here = || {
            let here = rates.iter().filter(|record| key(record) == group);
            here.filter(|record| (family.has)(&record.by))
        };
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
        let title = [suite, group, place, family.title];
        let title = title.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let title = format!("{}: {}", self.title, title.join(", "));
        let file = file(&format!("{suite} {group} {place} {}", family.file));
        let lines = Lines {
            title: title.clone(),
            across: self.across,
            up: Scale { measures: self.up, write: units::rate },
            series: names.into_iter().map(series).collect(),
        };
        Some(Plot {
            file: format!("{}-{file}.svg", self.file),
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
