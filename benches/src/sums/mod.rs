//! What it costs to add `f64`s: one, or many at once; alone, or while another process adds.

mod adds;
mod rival;
mod slices;

use crate::arguments::Arguments;
use crate::harness::{Group, Report};

pub(crate) const NAME: &str = "sums";

pub(crate) fn all() -> impl Iterator<Item = &'static Group> {
    [adds::GROUPS, slices::GROUPS].into_iter().flatten()
}

pub(crate) fn groups() -> Vec<&'static str> {
    all().map(|group| group.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    let report = Report {
        suite: NAME,
        title: "Cost of adding",
        header: ["sums", "by", "ns", "quartiles", "× first", "quartiles"],
        decimals: 1,
    };
    report.print(all(), arguments);
}
