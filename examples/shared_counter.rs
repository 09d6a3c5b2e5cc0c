//! A counter that unrelated processes share by name: run it in several terminals at the same time.
//!
//! ```sh
//! cargo run --release --example shared_counter            # adds a million
//! cargo run --release --example shared_counter 5          # adds five
//! cargo run --release --example shared_counter remove
//! ```
//!
//! A second argument is the counter's name, if it shall be another.
//!
//! It is a lock around a number. Without the lock, two that add at the same time would read the
//! same number, and one of the two would be lost.

use std::env;

use anyhow::{Context as _, Result};
use rawipc::shm::{Mode, Object, OpenError, Shared};
use rawipc::sync::Mutex;
use rawipc::{Errno, Name, process};

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "1000000".into());
    let name = arguments.next().unwrap_or_else(|| "/rawipc-counter".into()).parse()?;
    if what == "remove" {
        return Object::unlink(&name).context("no counter");
    }
    count(&name, what.parse().context("shared_counter [TIMES | remove [NAME]]")?)
}

fn count(name: &Name, times: u64) -> Result<()> {
    let counter = counter(name)?;
    for _ in 0..times {
        *counter.lock() += 1;
    }
    println!("I pid {} have added {times}: now there are {}", process::id(), *counter.lock());
    Ok(())
}

/// The one that is there, or a new one: whoever comes first makes it.
fn counter(name: &Name) -> Result<Shared<Mutex<u64>>> {
    loop {
        match Shared::create_new(name, Mode::RUSR | Mode::WUSR, Mutex::new(0)) {
            Err(Errno::EXIST) => {}
            created => return Ok(created?),
        }
        // SAFETY: whoever else opens that name is this program, which uses it by its lock only.
        match unsafe { Shared::open(name) } {
            Err(OpenError::Os(Errno::NOENT)) => {} // removed just now
            opened => return Ok(opened?),
        }
    }
}
