//! What is compared with what, as one sees it: to the left of the line is less.

use super::dots::{Dots, Row};
use super::{Plot, units};
use crate::harness::Record;

/// What of a suite is shown.
struct Choice {
    suite: &'static str,
    title: &'static str,
    measures: &'static str,
    /// Whether the crate is shown, and not those that it is the measure of.
    ours: bool,
}

const CHOICES: [Choice; 2] = [
    Choice {
        suite: "calls",
        title: "What the crate's calls take, against the same by hand",
        measures: "× libc (logarithmic; less is better)",
        ours: true,
    },
    Choice {
        suite: "locks",
        title: "What other free locks take, against the crate's",
        measures: "× rawipc (logarithmic; more is better for the crate)",
        ours: false,
    },
];

pub(super) fn plots(records: &[Record]) -> Vec<Plot> {
    CHOICES.iter().filter_map(|choice| choice.plot(records)).collect()
}

impl Choice {
    fn plot(&self, records: &[Record]) -> Option<Plot> {
        let here = |record: &&Record| {
            (record.suite, record.unit) == (self.suite, "ratio")
                && super::is_ours(&record.by) == self.ours
        };
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
            let name = match median.by.as_str() {
                "rawipc" => median.group.clone(),
                by => format!("{}: {by}", median.group),
            };
            Some(Row { name, values: vec![median.value], ends })
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
            about: "The smallest ratio first. Where a row's quartiles lie far apart, its ratio is \
                    `UNSTEADY` in the table.",
            svg: dots.draw()?,
        })
    }
}
