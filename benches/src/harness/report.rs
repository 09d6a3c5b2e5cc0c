use super::{Group, Spread, Table, compare, ratios};
use crate::arguments::Arguments;
use crate::helper;
use crate::place::Cpu;

/// A table of what calls cost that a process makes by itself, in nanoseconds.
pub(crate) struct Report {
    /// What the suite is called on the command line.
    pub(crate) suite: &'static str,
    pub(crate) title: &'static str,
    pub(crate) header: [&'static str; 6],
    pub(crate) decimals: usize,
}

impl Report {
    /// Measures those groups that are wanted, and prints the table.
    pub(crate) fn print<'a>(&self, groups: impl Iterator<Item = &'a Group>, arguments: &Arguments) {
        Cpu::home().pin();
        let mut table = Table::new(self.title, &self.header);
        for group in groups.filter(|group| arguments.wants(self.suite, group.name)) {
            helper::watch();
            eprintln!("{}/{}", self.suite, group.name);
            let mut contenders = (group.contenders)();
            let results = compare(&mut contenders, arguments.effort());
            let ratios = ratios(&results);
            for ((contender, result), ratio) in contenders.iter().zip(&results).zip(ratios) {
                let spread = Spread::of(result);
                let title = if ratio.is_baseline() { group.name } else { "" };
                let cells = [
                    title.to_owned(),
                    contender.name.to_owned(),
                    format!("{:.*}", self.decimals, spread.median),
                    spread.quartiles(self.decimals),
                ];
                table.compared(cells, ratio);
            }
        }
        println!("{table}");
    }
}
