//! Workers that go through rounds together: nobody begins a round before all have ended the last.
//!
//! ```sh
//! cargo run --example barrier [WORKERS [ROUNDS]]
//! ```
//!
//! In each round, every worker adds the numbers to its left and its right to its own. It reads what
//! its neighbours wrote in the round before, and so nobody may be ahead of them: that is what the
//! barrier is for. The last to arrive prints the numbers, while the others wait at the barrier
//! again.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::env;

use anyhow::{Context as _, Result, ensure};
use rawipc::process;
use rawipc::shm::Shared;
use rawipc::sync::Barrier;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1).map(|argument| argument.parse());
    let workers: u16 = arguments.next().unwrap_or(Ok(4)).context("workers are a number")?;
    let rounds: u16 = arguments.next().unwrap_or(Ok(5)).context("rounds are a number")?;
    ensure!(workers > 0, "without workers nothing is done");

    let barrier = Shared::anonymous(Barrier::new(workers))?;
    let numbers = Shared::<[AtomicU64]>::anonymous_slice(workers.into())?;
    let work = |worker: usize| -> Result<()> {
        let count = numbers.len();
        let (left, right) = ((worker + count - 1) % count, (worker + 1) % count);
        numbers[worker].store(worker as u64, Relaxed);
        for round in 0..=rounds {
            if barrier.wait()?.is_leader() {
                println!("round {round}: {:?}", &*numbers);
            }
            // All have been seen, and printed, before anybody changes one.
            let neighbours = numbers[left].load(Relaxed).wrapping_add(numbers[right].load(Relaxed));
            barrier.wait()?;
            numbers[worker].store(numbers[worker].load(Relaxed).wrapping_add(neighbours), Relaxed);
        }
        Ok(())
    };

    let mut children = Vec::new();
    for worker in 0..workers.into() {
        // SAFETY: this process has one thread. A child uses the barrier and atomics only; nothing
        // is owned twice.
        children.push(unsafe { process::spawn(|| u8::from(work(worker).is_err())) }?);
    }
    for mut child in children {
        ensure!(child.wait()?.success(), "a worker has failed");
    }
    Ok(())
}
