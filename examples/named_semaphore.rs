//! Two programs take turns, each in a terminal of its own: this one twice, or once, and the one in
//! Python beside it.
//!
//! ```sh
//! cargo run --example named_semaphore ping [NAME]
//! cargo run --example named_semaphore pong [NAME]
//! python3 examples/named_semaphore.py ping [NAME]    # or this one, of posix_ipc
//! python3 examples/named_semaphore.py pong [NAME]
//! ```
//!
//! Whoever comes first makes the two semaphores and, if it is not its turn, waits for the other.
//! There is one token in all: who has it prints a line, and hands it over. After five rounds the
//! last one removes both names. (If one was killed while it had the token, nobody else has a turn:
//! remove `/dev/shm/sem.rawipc-turn-*`.)

#![cfg_attr(not(target_pointer_width = "64"), allow(unused, reason = "takes a 64-bit machine"))]

use std::env;
use std::io::{Write as _, stdout};

use anyhow::{Context as _, Result, bail};
use rawipc::Name;
#[cfg(target_pointer_width = "64")]
use rawipc::posix::{Mode, Semaphore};

const ROUNDS: u32 = 5;

#[cfg(target_pointer_width = "64")]
fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let role = arguments.next();
    let (mine, theirs) = match role.as_deref() {
        Some("ping") => ("ping", "pong"),
        Some("pong") => ("pong", "ping"),
        _ => bail!("usage: named_semaphore ping|pong [NAME]"),
    };
    let base = arguments.next().unwrap_or_else(|| "/rawipc-turn".into());
    let name = |role| Name::format(format_args!("{base}-{role}")).with_context(|| base.clone());
    let open = |role| {
        let tokens = u32::from(role == "ping");
        let opened = Semaphore::create(&name(role)?, Mode::RUSR | Mode::WUSR, tokens);
        opened.with_context(|| base.clone())
    };

    let (my_turn, their_turn) = (open(mine)?, open(theirs)?);
    for round in 1..=ROUNDS {
        my_turn.wait();
        writeln!(stdout(), "{mine} {round}")?;
        their_turn.post()?;
    }
    if mine == "pong" {
        Semaphore::unlink(&name(mine)?)?;
        Semaphore::unlink(&name(theirs)?)?;
    }
    Ok(())
}

#[cfg(not(target_pointer_width = "64"))]
fn main() {}
