//! π, computed by forked processes that hand over their parts through every mechanism in turn.
//!
//! ```sh
//! cargo run --release --example pi
//! cargo run --release --example pi -- --terms 1_000_000_000 --processes 2 --via pipe,fifo
//! ```
//!
//! π = √(8 · Σ 1/(2k+1)²). Each process sums a part of the terms; the parts differ in nothing but
//! the way in which they reach the parent. Each way is one file in `via/`, to be read on its own:
//!
//! | file | what it is about |
//! |---|---|
//! | `via/` | the mechanisms: how a child delivers its part, how the parent collects them |
//! | `run.rs`, `watch.rs` | one run, from the first fork to π: one loop over all that can happen |
//! | `crew.rs` | the children: none outlives the driver, none is left as a zombie |
//! | `signals.rs` | an end by Ctrl-C that leaves nothing behind either |
//! | `sum.rs`, `part.rs` | the arithmetic, and why it gives the same bits each time |
//! | `kernel/` | the same faster than the CPU can divide, with the divider's bits |
//! | `cli.rs`, `report.rs`, `progress.rs` | what comes in and what goes out |

mod cli;
mod crew;
mod kernel;
mod part;
mod progress;
mod report;
mod run;
mod signals;
mod sum;
mod via;
mod watch;

use std::env;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Command, Options};
use crate::report::Report;

/// What was asked for cannot be done.
const FAILURE: u8 = 1;
/// What was asked for makes no sense.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let done = match cli::parse(env::args_os()) {
        Ok(Command::Run(options)) => compute(&options),
        Ok(Command::Print(text)) => report::show(&text),
        Err(wrong) => return complain(&wrong, MISUSE),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if nobody_reads(&error) => ExitCode::SUCCESS,
        Err(error) => complain(&error, FAILURE),
    }
}

fn compute(options: &Options) -> Result<()> {
    crew::raise_limits(options.job.processes)?;
    signals::have_children_reported()?;
    let mut report = Report::new(options.json);
    let computed = options.via.iter().try_for_each(|mechanism| {
        let computed = run::run(mechanism, options.job)?;
        report.add(computed)
    });
    // What has been computed is shown also when a later mechanism fails.
    let shown = report.finish();
    computed.and(shown)
}

/// Whether output failed because its reader has seen enough, as `head` does.
fn nobody_reads(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == ErrorKind::BrokenPipe)
}

/// One line on standard error, whatever the message quotes.
fn complain(error: &anyhow::Error, code: u8) -> ExitCode {
    let line = format!("{error:#}").replace(char::is_control, " ");
    let _nowhere_to_complain = writeln!(io::stderr(), "pi: {line}");
    ExitCode::from(code)
}
