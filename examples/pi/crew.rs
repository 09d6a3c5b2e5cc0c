//! The children: forked one after another, watched by their pidfds, and never left to themselves.
//!
//! However a run ends, nobody of the crew outlives it:
//!
//! - by an error or a panic, as dropping the [`Crew`] kills and reaps whoever still runs;
//! - by a signal to the driver, which becomes an error (see `signals.rs`);
//! - by a `SIGKILL` of the driver, as the kernel then sends the same to each child that has asked
//!   for it (`PR_SET_PDEATHSIG`).

use std::io::{self, Write as _};

use anyhow::{Context as _, Result, anyhow, ensure};
use rawipc::Errno;
use rawipc::process::{self, Child, Pid, Signal};
use rustix::process::{Resource, Rlimit, getppid, getrlimit, setrlimit};

/// Descriptors besides one for each child: standard ones, and what a mechanism and the loop need.
const MORE_DESCRIPTORS: u64 = 16;

/// Makes room for a descriptor to each child, as far as this process may.
pub(crate) fn raise_limits(processes: u32) -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = u64::from(processes) + MORE_DESCRIPTORS;
    let within = |limit: Option<u64>| limit.is_none_or(|limit| needed <= limit);
    if !within(current) {
        let allowed = maximum.unwrap_or(u64::MAX);
        ensure!(
            within(maximum),
            "{processes} processes take {needed} descriptors, and RLIMIT_NOFILE allows {allowed}"
        );
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
            .context("RLIMIT_NOFILE")?;
    }
    Ok(())
}

/// The children of one run, by rank.
#[derive(Debug, Default)]
pub(crate) struct Crew(Vec<Child>);

impl Crew {
    /// Forks the next child, which ends when `task` returns: well, unless that is an error.
    pub(crate) fn fork(&mut self, task: impl FnOnce() -> Result<()>) -> Result<()> {
        let rank = self.0.len();
        let parent = process::id();
        let task = || match follow(parent).and_then(|()| task()) {
            Ok(()) => 0,
            Err(error) => {
                let _nobody_listens = writeln!(io::stderr(), "pi: process {rank}: {error:#}");
                1
            }
        };
        // SAFETY: this process has one thread, as nothing in this example starts another. What the
        // child can reach is its own copy, or a descriptor, or memory that a mechanism shares: of
        // that, a `Deliver` has nothing with a single owner, as its documentation asks.
        let child = unsafe { process::spawn(task) };
        self.0.push(child.map_err(|errno| cannot_fork(rank, errno))?);
        Ok(())
    }

    /// Everybody, from rank 0 on.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Child> {
        self.0.iter()
    }

    /// Reaps the child of this rank, which has ended. It is an error if it did not end well.
    pub(crate) fn reap(&mut self, rank: usize) -> Result<()> {
        let child = self.0.get_mut(rank).context("no such child")?;
        let status = child.wait()?;
        let was = if status.signal().is_some() { "was " } else { "" };
        ensure!(status.success(), "process {rank} (pid {}) {was}{status}", child.id());
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for child in &self.0 {
            let _reaped_already = child.kill(Signal::KILL);
        }
        for child in &mut self.0 {
            while child.wait() == Err(Errno::INTR) {}
        }
    }
}

/// In a child: has the kernel end it with its parent.
fn follow(parent: Pid) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have gone before that.
    ensure!(getppid() == Some(parent), "left alone");
    Ok(())
}

/// `fork` says only "try again"; this says of what there was not enough.
fn cannot_fork(rank: usize, errno: Errno) -> anyhow::Error {
    let limit = match errno {
        Errno::AGAIN => " (RLIMIT_NPROC, kernel.pid_max, or the cgroup's pids.max)",
        Errno::MFILE => " (RLIMIT_NOFILE)",
        _ => "",
    };
    anyhow!("cannot fork process {rank}: {errno}{limit}")
}
