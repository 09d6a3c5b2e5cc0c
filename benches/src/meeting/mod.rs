//! Two processes that meet, and where: to wake somebody up takes longer in some places than in
//! others, and what two CPUs say to each other depends on where they are.

mod awake;
mod bounce;
mod game;

use core::error::Error;
use core::fmt;

use crate::place::Cpu;
use awake::Awake;
use bounce::Bounce;
pub(crate) use bounce::{Bracketed, in_lines, undisturbed};
pub(crate) use game::{
    Ends, Player, Times, maximum, nanoseconds, no_times, percentiles, play, take_turns, together,
};

/// What those are who meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    Processes,
    /// All of one process.
    Threads,
}

impl fmt::Display for Kin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processes => "processes",
            Self::Threads => "threads",
        })
    }
}

/// Where the two processes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// On one CPU: to wake the other is to switch to it.
    OneCpu,
    /// On two CPUs that poll when they have nothing to do: to wake the other is to set a flag.
    TwoCpusAwake,
    /// On two CPUs that halt when they have nothing to do: to wake the other is to interrupt its
    /// CPU, which in a virtual machine takes the hypervisor.
    TwoCpusAsleep,
}

impl Meeting {
    /// Makes the place what it is called, until what this returns is dropped.
    pub(crate) fn arrange(self) -> Result<Place, Box<dyn Error>> {
        let away = match self {
            Self::OneCpu => Cpu::home(),
            _ => Cpu::away().ok_or("there is only one CPU")?,
        };
        let awake = match self {
            Self::TwoCpusAwake => Some(Awake::keep()?),
            _ => None,
        };
        let bounce = (away != Cpu::home()).then(|| Bounce::new(away));
        Ok(Place { away, bounce, _awake: awake })
    }
}

/// A place that is ready: this process is at home.
pub(crate) struct Place {
    /// Where the other is.
    pub(crate) away: Cpu,
    /// Between the two CPUs, if there are two.
    bounce: Option<Bounce>,
    _awake: Option<Awake>,
}

impl Place {
    /// What `measure` measures, with how far apart the CPUs were before and after.
    pub(crate) fn bracket<T>(&self, measure: impl FnOnce() -> T) -> Bracketed<T> {
        let probe = || self.bounce.as_ref().map(Bounce::measure);
        let before = probe();
        let measured = measure();
        let bounces = before.zip(probe()).map(|(before, after)| [before, after]);
        Bracketed { measured, bounces }
    }
}

/// As tables have it.
pub(crate) fn microseconds(nanoseconds: u64) -> String {
    format!("{}.{:02}", nanoseconds / 1000, nanoseconds % 1000 / 10)
}
