//! What one call costs when nobody has to wait: both ends in one process, on one CPU.

mod deadline;
mod descriptor;
mod fifo;
mod floor;
mod nowait;
mod pipe;
mod process;
mod socket;

use crate::arguments::Arguments;
use crate::harness::{Group, Report};

pub(crate) const NAME: &str = "calls";

/// All that is measured, in this order.
pub(crate) fn all() -> impl Iterator<Item = &'static Group> {
    let files = [
        floor::GROUPS,
        pipe::GROUPS,
        nowait::GROUPS,
        deadline::GROUPS,
        fifo::GROUPS,
        socket::GROUPS,
        descriptor::GROUPS,
        process::GROUPS,
    ];
    files.into_iter().flatten()
}

pub(crate) fn groups() -> Vec<&'static str> {
    all().map(|group| group.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    let report = Report {
        suite: NAME,
        title: "Cost of calls that need not wait",
        header: ["calls", "by", "ns", "quartiles", "× libc", "quartiles"],
        decimals: 0,
    };
    report.print(all(), arguments);
}
