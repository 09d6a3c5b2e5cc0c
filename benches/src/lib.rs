//! Measures `rawipc` against the same calls by hand on `libc`, and against its peers. See
//! `README.md`.
//!
//! Standard output is Markdown and nothing else; progress goes to standard error.

// What is measured has to go into the report, too: `paper::print`, or `print` of a table.
#![deny(clippy::print_stdout)]

mod adders;
mod arguments;
mod by_hand;
mod calls;
mod contended;
mod crowds;
mod handovers;
mod harness;
mod helper;
mod instructions;
mod kernel;
mod locks;
mod machine;
mod mechanisms;
mod meeting;
mod noise;
mod paper;
mod place;
mod plots;
mod queues;
mod round_trips;
mod shared;
mod sums;
mod wake_ups;

use core::error::Error;
use std::fs::create_dir_all;
use std::process::ExitCode;

use arguments::{Arguments, Task};
pub use harness::Contender;
use helper::Household;
use machine::{Build, Machine};
use noise::Noise;

/// One kind of measurement: what its groups are called, and how those that are wanted are measured.
struct Suite {
    name: &'static str,
    groups: fn() -> Vec<&'static str>,
    measure: fn(&Arguments),
}

const SUITES: [Suite; 12] = [
    Suite { name: calls::NAME, groups: calls::groups, measure: calls::measure },
    Suite { name: round_trips::NAME, groups: round_trips::groups, measure: round_trips::measure },
    Suite { name: locks::NAME, groups: locks::groups, measure: locks::measure },
    Suite { name: handovers::NAME, groups: handovers::groups, measure: handovers::measure },
    Suite { name: contended::NAME, groups: contended::groups, measure: contended::measure },
    Suite { name: queues::NAME, groups: queues::groups, measure: queues::measure },
    Suite { name: mechanisms::NAME, groups: mechanisms::groups, measure: mechanisms::measure },
    Suite { name: sums::NAME, groups: sums::groups, measure: sums::measure },
    Suite { name: adders::NAME, groups: adders::groups, measure: adders::measure },
    // Stays in a namespace of its own, with other limits.
    Suite { name: wake_ups::NAME, groups: wake_ups::groups, measure: wake_ups::measure },
    Suite {
        name: instructions::NAME,
        groups: instructions::groups,
        measure: instructions::measure,
    },
    Suite { name: kernel::NAME, groups: kernel::groups, measure: kernel::measure },
];

/// What the command does.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::from_command_line() {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", arguments::USAGE);
            return ExitCode::FAILURE;
        }
    };
    if arguments.task == Task::Help {
        paper::show(arguments::USAGE);
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
    if arguments.task == Task::List {
        list(&suites, &arguments);
        return ExitCode::SUCCESS;
    }
    match measure(&suites, &arguments) {
        Ok(code) => code,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

/// Nothing was measured, as nothing could be compared.
const TOO_NOISY: u8 = 2;

fn measure(suites: &[&Suite], arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    // Now: it would be a pity to find out at the end.
    if let Some(directory) = &arguments.out {
        create_dir_all(directory)?;
    }
    let about = format!("{}{}", Machine::this(), Build::this());
    let start = if arguments.noisy { Noise::now() } else { Noise::once_quiet() };
    if start.is_too_much() && !arguments.noisy {
        eprintln!("refused: the machine is too noisy to compare anything on it: {start}");
        eprintln!("try again later; --noisy measures anyhow, for nobody to quote");
        return Ok(ExitCode::from(TOO_NOISY));
    }
    paper::show(format_args!("{}{about}- at the start: {start}\n", warning(&start, arguments)));
    let household = Household::keep();
    for suite in suites {
        (suite.measure)(arguments);
    }
    drop(household);
    let end = Noise::at_the_end();
    paper::show(format_args!("{}At the end: {end}.", warning(&end, arguments)));
    if let Some(directory) = &arguments.out {
        let noisier = if end.is_too_much() { &end } else { &start };
        let head = format!(
            "{}{about}- at the start: {start}\n- at the end: {end}\n",
            warning(noisier, arguments)
        );
        paper::write(directory, &head)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says in bold, if it is so, that nobody may quote the numbers, and why.
fn warning(noise: &Noise, arguments: &Arguments) -> String {
    let mut why = Vec::new();
    if noise.is_too_much() {
        why.push("the machine was not quiet");
    }
    if arguments.is_quick() {
        why.push("the run was a quick one");
    }
    if why.is_empty() {
        return String::new();
    }
    format!("**Not to be quoted: {}.**\n\n", why.join(", and "))
}

/// What is done by one process alone, and the ways to do it: for `benches/in_process.rs`.
pub fn in_process() -> impl Iterator<Item = (&'static str, Vec<Contender>)> {
    let pipe = calls::all().filter(|group| group.name == "pipe: write and read 8 B");
    let add = sums::all().filter(|group| group.name == "an add, alone");
    let groups = locks::all().chain(queues::alone()).chain(add).chain(pipe);
    groups.map(|group| (group.name, (group.contenders)()))
}

fn list(suites: &[&Suite], arguments: &Arguments) {
    for suite in suites {
        for group in (suite.groups)() {
            if arguments.wants(suite.name, group) {
                paper::show(format_args!("{}/{group}", suite.name));
            }
        }
    }
}
