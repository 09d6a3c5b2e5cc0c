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
use crate::harness::{self, Group, Spread, Table};
use crate::helper;
use crate::place::Cpu;

pub(crate) const NAME: &str = "calls";

/// All that is measured, in this order.
fn all() -> impl Iterator<Item = &'static Group> {
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
    Cpu::home().pin();
    let header = ["calls", "by", "ns", "quartiles", "× libc", "quartiles"];
    let mut table = Table::new("Cost of calls that need not wait", &header);
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
                format!("{:.0}", spread.median),
                spread.quartiles(0),
            ];
            table.compared(cells, ratio);
        }
    }
    println!("{table}");
}
