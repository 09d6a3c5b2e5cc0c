use super::{Group, Row, Spread, Table, compare, ratios};
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
            if contenders.is_empty() {
                table.notes([format!("{}: not measured: there is only one CPU.", group.name)]);
            }
            let results = compare(&mut contenders, arguments.effort());
            for ((contender, result), ratio) in
                contenders.iter().zip(&results).zip(ratios(&results))
            {
                table.add(
                    Row::new(self.suite, group.name, contender.name)
                        .spread("ns", Spread::of(result), self.decimals)
                        .compared(ratio),
                );
            }
        }
        table.print();
    }
}
