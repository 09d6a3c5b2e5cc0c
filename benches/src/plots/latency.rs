//! How long a message of 8 bytes takes there and back, and how much longer now and then.

use super::dots::{Dots, Row};
use super::{Plot, distinct, file, units};
use crate::harness::Record;

const STATISTICS: [&str; 3] = ["p50", "p99", "p99.9"];

/// One for each suite and place that has such messages.
pub(super) fn plots(records: &[Record]) -> Vec<Plot> {
    let timed = |record: &&Record| {
        record.unit == "ns" && record.bytes == Some(8) && STATISTICS.contains(&record.statistic)
    };
    let timed: Vec<&Record> = records.iter().filter(timed).collect();
    let places = distinct(timed.iter().map(|record| (record.suite, record.place)));
    places.into_iter().filter_map(|(suite, place)| plot(suite, place, &timed)).collect()
}

fn plot(suite: &str, place: &str, timed: &[&Record]) -> Option<Plot> {
    let here = || timed.iter().filter(|record| (record.suite, record.place) == (suite, place));
    let rows = distinct(here().map(|record| (&record.group, &record.by)));
    let several = distinct(rows.iter().map(|(group, _)| group)).len() > 1;
    let row = |(group, by): (&String, &String)| {
        let value = |statistic| {
            let of = |record: &&&Record| {
                (&record.group, &record.by, record.statistic) == (group, by, statistic)
            };
            here().find(of).map(|record| record.value)
        };
        let values: Option<Vec<f64>> = STATISTICS.into_iter().map(value).collect();
        let values = values?;
        let ends = [values[0], values[2]];
        let name = if several { format!("{group}, {by}") } else { by.clone() };
        Some(Row { heading: String::new(), name, values, ends })
    };
    let rows: Vec<Row> = rows.into_iter().filter_map(row).collect();
    let title = format!("A message of 8 B there and back: {suite}, {place}");
    let dots = Dots {
        title: title.clone(),
        measures: "time of a round trip (logarithmic; less is better)",
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
