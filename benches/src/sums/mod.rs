//! What it costs to add `f64`s: one, or many at once; alone, or while another process adds.

mod adds;
mod rival;
mod slices;

use crate::arguments::Arguments;
use crate::harness::{self, Group, Spread, Table};
use crate::helper;
use crate::place::Cpu;

pub(crate) const NAME: &str = "sums";

fn all() -> impl Iterator<Item = &'static Group> {
    [adds::GROUPS, slices::GROUPS].into_iter().flatten()
}

pub(crate) fn groups() -> Vec<&'static str> {
    all().map(|group| group.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    let header = ["sums", "by", "ns", "quartiles", "× first", "quartiles"];
    let mut table = Table::new("Cost of adding", &header);
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
