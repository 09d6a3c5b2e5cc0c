//! How far the children are, for those who wait: a bar on the terminal, for runs of more than a
//! second.
//!
//! Through a pipe of its own, each child tells now and then how many terms it has done since it
//! last told. Nobody ever waits for that: where the pipe is full, the child tells later.

use core::time::Duration;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rawipc::Errno;
use rawipc::pipe::{Pipe, PipeFlags, Reader, Writer};

use crate::sum::Job;

/// Runs that take less need no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a child tells.
const EVERY: Duration = Duration::from_millis(100);

/// Both ends, or nothing where nobody would see it.
pub(crate) fn open(via: &'static str, job: Job) -> Result<Option<(Ticker, Meter)>> {
    if !io::stderr().is_terminal() {
        return Ok(None);
    }
    let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK)?;
    Ok(Some((Ticker(writer), Meter { reader, bar: hidden_bar(via, job.terms) })))
}

/// The children's end.
#[derive(Debug)]
pub(crate) struct Ticker(Writer);

impl Ticker {
    /// For a child that begins.
    pub(crate) fn counter(&self) -> Counter<'_> {
        Counter { ticker: self, untold: 0, told: Instant::now() }
    }
}

/// What one child has done and not told yet.
#[derive(Debug)]
pub(crate) struct Counter<'a> {
    ticker: &'a Ticker,
    untold: u64,
    told: Instant,
}

impl Counter<'_> {
    pub(crate) fn add(&mut self, terms: u64) {
        self.untold += terms;
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            if self.ticker.0.write(&self.untold.to_ne_bytes()).is_ok() {
                self.untold = 0;
            }
        }
    }
}

/// The parent's end, and the bar.
#[derive(Debug)]
pub(crate) struct Meter {
    reader: Reader,
    bar: ProgressBar,
}

impl Meter {
    /// Takes what the children have told, and shows it.
    pub(crate) fn update(&mut self) -> Result<()> {
        if self.bar.is_hidden() && self.bar.elapsed() >= PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let mut terms = [0; 8];
        loop {
            match self.reader.read(&mut terms) {
                Ok([]) | Err(Errno::AGAIN) => return Ok(()),
                Ok(_) => self.bar.inc(u64::from_ne_bytes(terms)),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Meter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for Meter {
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
