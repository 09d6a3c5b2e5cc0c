//! Measures `rawipc` against the same calls by hand on `libc`, and against its peers. See
//! `README.md`.
//!
//! Standard output is Markdown and nothing else; progress goes to standard error.

mod arguments;
mod by_hand;
mod calls;
mod contended;
mod handovers;
mod harness;
mod helper;
mod instructions;
mod kernel;
mod locks;
mod machine;
mod meeting;
mod place;
mod queues;
mod round_trips;
mod shared;
mod sums;

use std::process::ExitCode;

use arguments::Arguments;
use helper::Household;
use machine::{Machine, Traffic};

/// One kind of measurement: what its groups are called, and how those that are wanted are measured.
struct Suite {
    name: &'static str,
    groups: fn() -> Vec<&'static str>,
    measure: fn(&Arguments),
}

const SUITES: [Suite; 9] = [
    Suite { name: calls::NAME, groups: calls::groups, measure: calls::measure },
    Suite { name: round_trips::NAME, groups: round_trips::groups, measure: round_trips::measure },
    Suite { name: locks::NAME, groups: locks::groups, measure: locks::measure },
    Suite { name: handovers::NAME, groups: handovers::groups, measure: handovers::measure },
    Suite { name: contended::NAME, groups: contended::groups, measure: contended::measure },
    Suite { name: queues::NAME, groups: queues::groups, measure: queues::measure },
    Suite { name: sums::NAME, groups: sums::groups, measure: sums::measure },
    Suite {
        name: instructions::NAME,
        groups: instructions::groups,
        measure: instructions::measure,
    },
    Suite { name: kernel::NAME, groups: kernel::groups, measure: kernel::measure },
];

fn main() -> ExitCode {
    let arguments = match Arguments::from_command_line() {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", arguments::USAGE);
            return ExitCode::FAILURE;
        }
    };
    if arguments.help {
        println!("{}", arguments::USAGE);
        return ExitCode::SUCCESS;
    }
    let wanted = |suite: &&Suite| {
        (suite.groups)().into_iter().any(|group| arguments.wants(suite.name, group))
    };
    let suites: Vec<&Suite> = SUITES.iter().filter(wanted).collect();
    if suites.is_empty() {
        eprintln!("nothing is called like that; --list shows what there is");
        return ExitCode::FAILURE;
    }
    if arguments.list {
        list(&suites, &arguments);
        return ExitCode::SUCCESS;
    }
    let _household = Household::keep();
    println!("{}.\n\nAt the start: {}.\n", Machine::this(), Traffic::now());
    for suite in suites {
        (suite.measure)(&arguments);
    }
    println!("At the end: {}.", Traffic::now());
    ExitCode::SUCCESS
}

fn list(suites: &[&Suite], arguments: &Arguments) {
    for suite in suites {
        for group in (suite.groups)() {
            if arguments.wants(suite.name, group) {
                println!("{}/{group}", suite.name);
            }
        }
    }
}
