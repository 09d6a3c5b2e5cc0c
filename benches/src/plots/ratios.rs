//! What is compared with what, as one sees it: to the left of the line is less.

use super::dots::{Dots, Row};
use super::{Plot, units};
use crate::harness::Record;

/// What of a suite is shown.
struct Choice {
    suite: &'static str,
    title: &'static str,
    measures: &'static str,
}

const CHOICES: [Choice; 2] = [
    Choice {
        suite: "calls",
        title: "Calls that need not wait, against the same by hand",
        measures: "× libc (logarithmic; less is better)",
    },
    Choice {
        suite: "locks",
        title: "Locks that are free, against the crate's",
        measures: "× rawipc (logarithmic; less is better)",
    },
];

pub(super) fn plots(records: &[Record]) -> Vec<Plot> {
    CHOICES.iter().filter_map(|choice| choice.plot(records)).collect()
}

impl Choice {
    fn plot(&self, records: &[Record]) -> Option<Plot> {
        let here = |record: &&Record| (record.suite, record.unit) == (self.suite, "ratio");
        let here: Vec<&Record> = records.iter().filter(here).collect();
        let row = |median: &&Record| {
            let value = |statistic| {
                let of = |record: &&&Record| {
                    (&record.group, &record.by, record.statistic)
                        == (&median.group, &median.by, statistic)
                };
                here.iter().find(of).map(|record| record.value)
            };
            // The first of a group has none: there is nothing to compare it with.
            let ends = [value("q1")?, value("q3")?];
            let (heading, name) = (median.group.clone(), median.by.clone());
            Some(Row { heading, name, values: vec![median.value], ends })
        };
        let medians = here.iter().filter(|record| record.statistic == "median");
        let dots = Dots {
            title: self.title.to_owned(),
            measures: self.measures,
            write: units::times,
            marks: vec!["median of the rounds' ratios"],
            ends: Some("quartiles"),
            reference: Some(1.0),
            rows: medians.filter_map(row).collect(),
        };
        if dots.rows.is_empty() {
            return None;
        }
        Some(Plot {
            file: format!("ratios-{}.svg", self.suite),
            title: self.title.to_owned(),
            about: "What they are measured by is at the line. Where a row's quartiles lie far \
                    apart, its ratio is `UNSTEADY` in the table.",
            svg: dots.draw()?,
        })
    }
}
