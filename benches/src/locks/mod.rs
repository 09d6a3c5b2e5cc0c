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
use crate::harness::{self, Group, Spread, Table};
use crate::helper;
use crate::place::Cpu;

pub(crate) const NAME: &str = "locks";

/// All that is measured, in this order; the first of each is the crate's.
fn all() -> impl Iterator<Item = &'static Group> {
    [locking::GROUPS, signalling::GROUPS].into_iter().flatten()
}

pub(crate) fn groups() -> Vec<&'static str> {
    all().map(|group| group.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    let header = ["calls", "by", "ns", "quartiles", "× rawipc", "quartiles"];
    let mut table = Table::new("Locks that are free", &header);
    for group in all().filter(|group| arguments.wants(NAME, group.name)) {
        helper::watch();
        eprintln!("{NAME}/{}", group.name);
        let mut contenders = (group.contenders)();
        let results = harness::compare(&mut contenders, arguments.effort());
        let ratios = harness::ratios(&results);
        for ((contender, result), ratio) in contenders.iter().zip(&results).zip(ratios) {
            let spread = Spread::of(result);
            let title = if ratio.is_baseline() { group.name } else { "" };
            let cells = [
                title.to_owned(),
                contender.name.to_owned(),
                format!("{:.1}", spread.median),
                spread.quartiles(1),
            ];
            table.compared(cells, ratio);
        }
    }
    println!("{table}");
}
