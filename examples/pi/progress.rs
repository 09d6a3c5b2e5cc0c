//! How far the children are, for those who wait: a bar on the terminal, for runs of more than a
//! second.
//!
//! Each child counts its terms in shared memory, and the parent looks there when a timer tells it
//! to. So nobody ever waits for the other, and a child does no more for it than one addition a
//! block.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rawipc::Errno;
use rawipc::shm::Shared;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::sum::Job;

/// Runs that take less need no bar. Those that take more have it renewed so often.
const WHEN: Itimerspec = Itimerspec {
    it_value: Timespec { tv_sec: 1, tv_nsec: 0 },
    it_interval: Timespec { tv_sec: 0, tv_nsec: 100_000_000 },
};

/// The terms that a child has done, alone in a cache line: two that share one slow each other down.
type Done = [AtomicU64; 8];

/// What the children count in, and the bar.
#[derive(Debug)]
pub(crate) struct Progress {
    done: Shared<[Done]>,
    timer: OwnedFd,
    bar: ProgressBar,
}

impl Progress {
    /// Nothing, where nobody would see it.
    pub(crate) fn open(via: &'static str, job: Job) -> Result<Option<Self>> {
        if !io::stderr().is_terminal() {
            return Ok(None);
        }
        let done = Shared::<[Done]>::anonymous_slice(job.processes.try_into()?)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &WHEN)?;
        Ok(Some(Self { done, timer, bar: hidden_bar(via, job.terms) }))
    }

    /// Where the child of this rank counts.
    pub(crate) fn counter(&self, rank: u32) -> Counter<'_> {
        let [done, ..] = &self.done[rank as usize];
        Counter(done)
    }

    /// Shows how far all of them are together, when the timer has told.
    pub(crate) fn show(&self) -> Result<()> {
        match rustix::io::read(&self.timer, &mut [0; 8]) {
            Ok(_) => {}
            Err(Errno::AGAIN) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        // Each on its own, from different moments: that is good enough to look at.
        let done = self.done.iter().map(|[done, ..]| done.load(Relaxed));
        self.bar.set_position(done.sum());
        Ok(())
    }
}

/// What one child has done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter<'a>(&'a AtomicU64);

impl Counter<'_> {
    /// That many terms more.
    pub(crate) fn add(self, terms: u64) {
        self.0.fetch_add(terms, Relaxed);
    }
}

impl AsFd for Progress {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar that counts from now on and can be shown later.
fn hidden_bar(via: &'static str, terms: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} {wide_bar} {percent:>3}%  {eta} left");
    ProgressBar::with_draw_target(Some(terms), ProgressDrawTarget::hidden())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(via)
}
