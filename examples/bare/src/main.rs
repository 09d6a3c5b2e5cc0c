//! π, computed by forked processes without the standard library, an allocator or a C library: the
//! kernel starts this program, and it asks the kernel for everything itself.
//!
//! ```sh
//! cargo run --release --manifest-path examples/bare/Cargo.toml
//! ```
//!
//! It prints 3.14159262176 (π = √(8 · Σ 1/(2k+1)²), the first ten million terms), and is a static
//! executable of some thirty kilobytes. Each process adds to a lane of its own in shared memory,
//! and the sum is exact: the same to the last bit for any number of processes.
//!
//! | file | what it is about |
//! |---|---|
//! | `main.rs` | the program |
//! | `runtime.rs` | where the kernel enters, and what a panic does |
//! | `memory.rs` | `memcpy` and its kin, which the compiler calls |
//! | `build.rs` | how it is linked: with nothing |

#![no_std]
#![no_main]

mod memory;
mod runtime;

use core::fmt::Write as _;

use rawipc::process::{self, ExitStatus};
use rawipc::shm::Shared;
use rawipc::sum::ExactSum;
use rawipc::{Errno, Result};

const TERMS: u64 = 10_000_000;
const PROCESSES: usize = 10;

fn run() {
    let pi = compute().expect("resources for ten processes");
    writeln!(runtime::Standard::output(), "{pi:.11}").expect("standard output");
}

fn compute() -> Result<f64> {
    let sum = Shared::anonymous(ExactSum::<PROCESSES>::new())?;
    let mut children = [const { None }; PROCESSES];
    for (rank, child) in children.iter_mut().enumerate() {
        // SAFETY: the child adds to a lane that nobody else takes, and exits; nothing is owned
        // twice.
        *child = Some(unsafe { process::spawn(|| add_terms(&sum, rank)) }?);
    }
    for child in children.iter_mut().flatten() {
        if child.wait()? != ExitStatus::Exited(0) {
            return Err(Errno::CHILD);
        }
    }
    Ok(libm::sqrt(8.0 * sum.sum()))
}

/// Every tenth term, from that of this rank on. Returns what the process exits with.
fn add_terms(sum: &ExactSum<PROCESSES>, rank: usize) -> u8 {
    let Some(mut adder) = sum.adder_in(rank) else { return 1 };
    for k in (rank as u64..TERMS).step_by(PROCESSES) {
        let odd = (2 * k + 1) as f64;
        adder.add(1.0 / (odd * odd));
    }
    0
}
