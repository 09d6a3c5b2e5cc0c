//! What locks and signals cost where nobody has to wait: one thread, no system call.
//!
//! All lie in shared memory, though those of the standard library and of `parking_lot` would not
//! work there: their sleepers are found by threads of the same process only. Here nobody sleeps.
//!
//! These take a few nanoseconds, of which up to an eighth depends on where the compiler happens to
//! put the loop: two that lie closer together than that are alike.

mod locking;
mod signalling;

use crate::arguments::Arguments;
use crate::harness::{Group, Report};

pub(crate) const NAME: &str = "locks";

/// All that is measured, in this order; the first of each is the crate's.
pub(crate) fn all() -> impl Iterator<Item = &'static Group> {
    [locking::GROUPS, signalling::GROUPS].into_iter().flatten()
}

pub(crate) fn groups() -> Vec<&'static str> {
    all().map(|group| group.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    let report = Report {
        suite: NAME,
        title: "Locks that are free",
        header: ["calls", "by", "ns", "quartiles", "× rawipc", "quartiles"],
        decimals: 1,
    };
    report.print(all(), arguments);
}
