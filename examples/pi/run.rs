//! One run: forks the children, collects their parts by one mechanism, and computes π.
//!
//! The parent has one thread, and that has one loop, which sleeps until one of four things happens:
//! a signal asks for an end, a part has come, a timer says that it is time to show how far all are,
//! a child has ended. As all four are descriptors, one `epoll` waits for them all.

use core::time::Duration;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::crew::Crew;
use crate::part::Parts;
use crate::progress::Progress;
use crate::signals::HeldSignals;
use crate::sum::{self, Job, Work};
use crate::via::{Collect, Mechanism, Occasion};
use crate::watch::Watch;

/// What came of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Computed {
    pub(crate) via: &'static str,
    pub(crate) job: Job,
    pub(crate) pi: f64,
    /// From before the mechanism was opened until after the last child was reaped.
    pub(crate) wall: Duration,
    /// What the slowest child computed, of that.
    pub(crate) slowest: Duration,
}

pub(crate) fn run(mechanism: &Mechanism, job: Job) -> Result<Computed> {
    via(mechanism, job).with_context(|| format!("via {}", mechanism.name))
}

fn via(mechanism: &Mechanism, job: Job) -> Result<Computed> {
    let start = Instant::now();
    // First made, last dropped: when signals take effect again, all else is cleaned up.
    let signals = HeldSignals::new()?;
    let (deliver, mut collect) = (mechanism.open)(job)?;
    let progress = Progress::open(mechanism.name, job)?;
    let mut crew = Crew::default();
    for rank in 0..job.processes {
        crew.fork(|| {
            signals.release()?;
            let counter = progress.as_ref().map(|progress| progress.counter(rank));
            deliver.deliver(&Work { job, rank, counter })
        })?;
    }
    drop(deliver);
    let parts = gather(&signals, &mut crew, &mut *collect, progress.as_ref(), job)?;
    drop(collect);
    Ok(Computed {
        via: mechanism.name,
        job,
        pi: sum::pi(parts.sum()),
        wall: start.elapsed(),
        slowest: parts.slowest(),
    })
}

/// What the parent waits for.
#[derive(Clone, Copy, Debug)]
enum Source {
    Signal,
    Inbox,
    Timer,
    Child(usize),
}

/// The loop: returns when every child has delivered and ended, or at the first sign of trouble.
fn gather(
    signals: &HeldSignals,
    crew: &mut Crew,
    collect: &mut dyn Collect,
    progress: Option<&Progress>,
    job: Job,
) -> Result<Parts> {
    let mut parts = Parts::none_of(job.processes);
    let mut watch = Watch::new()?;
    watch.add(signals, Source::Signal)?;
    if let Some(inbox) = collect.readable() {
        watch.add(inbox, Source::Inbox)?;
    }
    if let Some(progress) = progress {
        watch.add(progress, Source::Timer)?;
    }
    for (rank, child) in crew.members().enumerate() {
        watch.add_once(child, Source::Child(rank))?;
    }

    let mut running = job.processes;
    while running > 0 {
        for source in watch.wait()? {
            match source {
                Source::Signal => bail!("told to end by a signal"),
                Source::Inbox => collect.collect(Occasion::Readable, &mut parts)?,
                Source::Timer => progress.map_or(Ok(()), Progress::show)?,
                Source::Child(rank) => {
                    crew.reap(rank)?;
                    collect.collect(Occasion::Ended(rank), &mut parts)?;
                    running -= 1;
                }
            }
        }
    }
    collect.finish(&mut parts)?;
    // Only now: the part of one who has ended may be behind that of one who has not.
    if let Some(rank) = parts.missing() {
        bail!("process {rank} has ended without its part");
    }
    Ok(parts)
}
