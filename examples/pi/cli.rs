//! What the command line asks for.

use core::ops::RangeInclusive;
use std::ffi::{OsStr, OsString};
use std::fs;

use anyhow::{Context as _, Result};
use lexopt::prelude::*;

use crate::kernel::Kernel;
use crate::sum::{Job, MOST_TERMS};
use crate::via::{self, Mechanism};

/// What is to be done.
pub(crate) enum Command {
    Run(Options),
    Print(String),
}

/// How π is to be computed and shown.
pub(crate) struct Options {
    pub(crate) job: Job,
    pub(crate) via: Vec<Mechanism>,
    pub(crate) json: bool,
}

fn defaults() -> Job {
    Job { terms: 10_000_000, processes: 10, kernel: Kernel::best() }
}

/// Reads the command line, the program's own name first.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut options = Options { job: defaults(), via: Vec::new(), json: false };
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("terms") => {
                options.job.terms = number("--terms", &parser.value()?, 1..=MOST_TERMS)?;
            }
            Long("processes") => {
                let processes = number("--processes", &parser.value()?, 1..=most_processes())?;
                options.job.processes = processes.try_into()?;
            }
            Long("via") => options.via.extend(mechanisms(&parser.value()?.string()?)?),
            Long("cpu") => options.job.kernel = kernel(&parser.value()?.string()?)?,
            Long("json") => options.json = true,
            Short('h') | Long("help") => return Ok(Command::Print(help())),
            Short('V') | Long("version") => return Ok(Command::Print(version())),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if options.via.is_empty() {
        options.via.extend_from_slice(via::ALL);
    }
    Ok(Command::Run(options))
}

/// A whole number, with underscores wherever they help.
fn number(option: &str, text: &OsStr, allowed: RangeInclusive<u64>) -> Result<u64> {
    let digits = text.to_string_lossy().replace('_', "");
    let number = digits.parse().ok().filter(|number| allowed.contains(number));
    number.with_context(|| {
        let (least, most) = allowed.into_inner();
        format!("{option} takes a whole number from {least} to {most}, not {text:?}")
    })
}

/// How many processes the kernel can tell apart.
fn most_processes() -> u64 {
    /// On 64-bit machines no more can be set (`PID_MAX_LIMIT`).
    const MOST_EVER: u64 = 1 << 22;

    let told = fs::read_to_string("/proc/sys/kernel/pid_max");
    told.ok().and_then(|told| told.trim().parse().ok()).unwrap_or(MOST_EVER).min(MOST_EVER)
}

fn mechanisms(list: &str) -> Result<Vec<Mechanism>> {
    if list == "all" {
        return Ok(via::ALL.to_vec());
    }
    let named = |name| via::ALL.iter().find(|known| known.name == name).copied();
    let find = |name| {
        named(name).with_context(|| format!("no mechanism {name:?}: there are {}", names(", ")))
    };
    list.split(',').map(find).collect()
}

fn kernel(name: &str) -> Result<Kernel> {
    Kernel::all().find(|known| known.name() == name).with_context(|| {
        format!("this CPU does not compute with {name:?}: there are {}", kernels())
    })
}

fn kernels() -> String {
    Kernel::all().map(Kernel::name).collect::<Vec<_>>().join(", ")
}

fn names(between: &str) -> String {
    via::ALL.iter().map(|mechanism| mechanism.name).collect::<Vec<_>>().join(between)
}

fn version() -> String {
    format!("pi {}", env!("CARGO_PKG_VERSION"))
}

fn help() -> String {
    let Job { terms, processes, kernel } = defaults();
    let (kernel, kernels) = (kernel.name(), kernels());
    let names = names(", ");
    format!(
        "\
Computes π = √(8 · Σ 1/(2k+1)²) by forked processes, which hand over their parts
by every mechanism in turn.

Usage: pi [OPTIONS]

  --terms N        how many terms to add, underscores welcome [default: {terms}]
  --processes P    how many processes to fork [default: {processes}]
  --via NAME,...   by which mechanisms, or all: {names} [default: all]
  --cpu NAME       with which instructions: {kernels} [default: {kernel}]
  --json           one JSON object per line, instead of the table
  -h, --help       this text
  -V, --version    the version

The overhead is the time that is not computing: the whole, less what the slowest
process took for its terms."
    )
}
