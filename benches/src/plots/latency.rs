//! How long something takes that is timed each time, such as a message of 8 bytes there and back,
//! and how much longer now and then.

use super::dots::{Dots, Row};
use super::{Plot, distinct, file, units};
use crate::harness::Record;

const STATISTICS: [&str; 3] = ["p50", "p99", "p99.9"];

/// One for each suite and place that has such times.
pub(super) fn plots(records: &[Record]) -> Vec<Plot> {
    let timed = |record: &&Record| {
        record.unit == "ns"
            && record.bytes.is_none_or(|bytes| bytes == 8)
            && STATISTICS.contains(&record.statistic)
    };
    let timed: Vec<&Record> = records.iter().filter(timed).collect();
    let places = distinct(timed.iter().map(|record| (record.suite, record.place)));
    places.into_iter().filter_map(|(suite, place)| plot(suite, place, &timed)).collect()
}

fn plot(suite: &str, place: &str, timed: &[&Record]) -> Option<Plot> {
    let here = || timed.iter().filter(|record| (record.suite, record.place) == (suite, place));
    let key = |record: &Record| (record.group.clone(), record.by.clone(), record.processes);
    let rows = distinct(here().map(|record| key(record)));
    let several = distinct(rows.iter().map(|(group, ..)| group)).len() > 1;
    let row = |of: &(String, String, Option<usize>)| {
        let value = |statistic| {
            let mut here = here();
            let found = here.find(|record| record.statistic == statistic && key(record) == *of);
            found.map(|record| record.value)
        };
        let values: Option<Vec<f64>> = STATISTICS.into_iter().map(value).collect();
        let values = values?;
        let ends = [values[0], values[2]];
        let (group, by, processes) = of;
        let name = if several { format!("{group}, {by}") } else { by.clone() };
        let name = processes.map_or(name.clone(), |count| format!("{name}, of {count}"));
        Some(Row { heading: String::new(), name, values, ends })
    };
    let rows: Vec<Row> = rows.iter().filter_map(row).collect();
    let comma = if place.is_empty() { "" } else { ", " };
    let what = if here().any(|record| record.bytes.is_some()) { ", messages of 8 B" } else { "" };
    let title = format!("Latency: {suite}{what}{comma}{place}");
    let dots = Dots {
        title: title.clone(),
        measures: "time (logarithmic; less is better)",
        write: units::time,
        marks: STATISTICS.to_vec(),
        ends: None,
        reference: None,
        rows,
    };
    Some(Plot {
        file: format!("latency-{}.svg", file(&format!("{suite} {place}"))),
        title,
        about: "The quickest first, by the median, which is written beside each; the line goes \
                on to what one in a thousand takes.",
        svg: dots.draw()?,
    })
}
