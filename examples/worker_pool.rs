//! A pool of worker processes: tasks go out through one queue, results come back through another.
//!
//! ```sh
//! cargo run --release --example worker_pool -- --workers 4 --tasks 20
//! ```
//!
//! Each task is to count the primes in one range of a thousand numbers. Whoever is free takes the
//! next one, so that it does not matter that some take longer. One more process hands them out, as
//! both queues are bounded: while it waits for room, this one takes in the results.
//!
//! When is all done? Not when the queue of tasks is empty: then workers still have some in hand. So
//! tasks are counted before they are pushed, and counted off after their results have been. Who
//! hands them out joins: it waits until none is unfinished, and then closes both queues. By that
//! the workers end, and this process knows that it has all there is.
//!
//! A worker that is killed takes its task with it, and none of this would ever end. So this process
//! looks after its children now and then, ends them all when one has failed, and says so.

use core::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lexopt::prelude::*;
use rawipc::Deadline;
use rawipc::process::{self, Child, Signal};
use rawipc::queue::{Mpmc, PopError, Tasks};
use rawipc::shm::{Shared, ShmSafe};
use rawipc::zerocopy::{FromBytes, Immutable, IntoBytes};

/// What all processes share.
#[derive(FromBytes)]
#[zerocopy(crate = "rawipc::zerocopy")]
#[repr(C)]
struct Pool {
    /// Which range is to be searched.
    tasks: Mpmc<u64, 16>,
    unfinished: Tasks,
    results: Mpmc<Found, 16>,
}

// SAFETY: `repr(C)`, and each field is `ShmSafe`.
unsafe impl ShmSafe for Pool {}

/// How many primes there are in a range.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[zerocopy(crate = "rawipc::zerocopy")]
#[repr(C)]
struct Found {
    range: u64,
    primes: u64,
}

/// How many numbers are in a range.
const RANGE: u64 = 1000;

/// How long it takes at most to find out that a worker has been killed.
const MOMENT: Duration = Duration::from_millis(100);

impl Pool {
    /// Pushes all tasks, and waits until all are done.
    fn hand_out(&self, tasks: u32) -> Result<()> {
        // Before the first is pushed: it may be done at once.
        self.unfinished.add(tasks)?;
        for range in 0..tasks {
            self.tasks.push(range.into())?;
        }
        self.unfinished.join();
        self.tasks.close();
        self.results.close();
        Ok(())
    }

    /// Does one task after the other, until there will be none.
    fn work(&self) -> Result<()> {
        while let Ok(range) = self.tasks.pop() {
            let numbers = range * RANGE..(range + 1) * RANGE;
            let primes = numbers.filter(|&number| is_prime(number)).count() as u64;
            // First the result: when all are done, no more is taken in.
            self.results.push(Found { range, primes })?;
            self.unfinished.task_done()?;
        }
        Ok(())
    }

    /// How many primes there are in each range, when all have been searched.
    fn collect(&self, tasks: u32, crew: &mut Crew) -> Result<Vec<u64>> {
        let mut found = vec![None; usize::try_from(tasks)?];
        let mut next_look = Deadline::after(MOMENT);
        loop {
            match self.results.pop_until(next_look) {
                Ok(Found { range, primes }) => {
                    let place = usize::try_from(range).ok().and_then(|range| found.get_mut(range));
                    *place.context("a result of no task")? = Some(primes);
                }
                Err(PopError::Closed) => break,
                Err(PopError::Empty) => {}
            }
            if next_look.has_passed() {
                crew.look_after()?;
                next_look = Deadline::after(MOMENT);
            }
        }
        found.into_iter().collect::<Option<_>>().context("a result is missing")
    }
}

fn is_prime(number: u64) -> bool {
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number > 1 && divisors.all(|divisor| number % divisor != 0)
}

/// The children. Those that still run when it is dropped are killed.
struct Crew(Vec<Child>);

impl Crew {
    fn start(&mut self, task: impl FnOnce() -> Result<()>) -> Result<()> {
        let task = || match task() {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("{error:#}");
                1
            }
        };
        // SAFETY: this process has one thread. The child uses what is shared by queues and atomics
        // only; nothing is owned twice.
        self.0.push(unsafe { process::spawn(task)? });
        Ok(())
    }

    /// Fails if one of them has.
    fn look_after(&mut self) -> Result<()> {
        for child in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                ensure!(status.success(), "process {} was {status}", child.id());
            }
        }
        Ok(())
    }

    /// Waits for them all, who have nothing to do any more.
    fn disband(mut self) -> Result<()> {
        for child in &mut self.0 {
            let _status = child.wait_until(Deadline::after(Duration::from_secs(5)))?;
        }
        self.look_after()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _gone_already = child.kill(Signal::KILL);
            let _status = child.wait();
        }
    }
}

/// How many workers, and how many tasks.
fn arguments() -> Result<(u32, u32)> {
    let (mut workers, mut tasks) = (4, 20);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("workers") => workers = parser.value()?.parse().context("--workers")?,
            Long("tasks") => tasks = parser.value()?.parse().context("--tasks")?,
            _ => return Err(argument.unexpected().into()),
        }
    }
    ensure!(workers > 0, "without workers nothing is done");
    Ok((workers, tasks))
}

fn main() -> Result<()> {
    let (workers, tasks) = arguments()?;
    let pool = Shared::anonymous(Pool {
        tasks: Mpmc::new(),
        unfinished: Tasks::new(),
        results: Mpmc::new(),
    })?;
    let mut crew = Crew(Vec::new());
    for _ in 0..workers {
        crew.start(|| pool.work())?;
    }
    crew.start(|| pool.hand_out(tasks))?;

    let found = pool.collect(tasks, &mut crew)?;
    crew.disband()?;
    for (range, primes) in (0_u64..).zip(&found) {
        println!("from {} on: {primes}", range * RANGE);
    }
    let sum: u64 = found.iter().sum();
    println!("below {} there are {sum} primes", u64::from(tasks) * RANGE);
    Ok(())
}
