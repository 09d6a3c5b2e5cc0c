//! The command line.

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::harness::Effort;

pub(crate) const USAGE: &str = "\
usage: rawipc-benches [--quick] [--noisy] [--out DIR] [--list] [FILTER...]

Measures what has one of the FILTERs in its name, or all.

  --quick     5 rounds of 101, a quarter as long: to see that it runs, not to quote
  --noisy     measures though the machine is not quiet, and says so
  --out DIR   writes DIR/README.md, DIR/data.csv and plots too
  --list      only prints the names";

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Task {
    #[default]
    Measure,
    List,
    Help,
}

#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) task: Task,
    /// Measures on whatever machine there is.
    pub(crate) noisy: bool,
    /// Where the report goes, besides standard output.
    pub(crate) out: Option<PathBuf>,
    quick: bool,
    filters: Vec<String>,
}

impl Arguments {
    pub(crate) fn from_command_line() -> Result<Self, lexopt::Error> {
        let mut arguments = Self::default();
        let mut parser = Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("quick") => arguments.quick = true,
                Arg::Long("noisy") => arguments.noisy = true,
                Arg::Long("out") => arguments.out = Some(parser.value()?.into()),
                Arg::Long("list") => arguments.task = Task::List,
                Arg::Long("help") | Arg::Short('h') => arguments.task = Task::Help,
                Arg::Value(filter) => arguments.filters.push(filter.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(arguments)
    }

    /// Whether to measure this group of this suite.
    pub(crate) fn wants(&self, suite: &str, group: &str) -> bool {
        let name = format!("{suite}/{group}");
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }

    pub(crate) fn effort(&self) -> Effort {
        if self.quick { Effort::QUICK } else { Effort::FULL }
    }

    /// What a reader must not take for a result, if so.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }
}
