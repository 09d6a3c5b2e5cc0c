//! Who is measured, and what comes out.

use core::error::Error;
use core::time::Duration;

use hdrhistogram::Histogram;

use crate::place::Cpu;

/// What two processes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message there, and the same message back.
    PingPong,
    /// As many as go, one way.
    Stream,
}

impl Kind {
    /// How many at most are asked for at a time: each ping-pong is kept by itself.
    pub(super) const fn most(self) -> u64 {
        match self {
            Self::PingPong => 1 << 16,
            Self::Stream => 1 << 24,
        }
    }
}

/// What is to be done, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) kind: Kind,
    /// How long a message is: 8 at least.
    pub(super) bytes: usize,
    /// The CPU of who answers, or receives; the other one is at home.
    pub(super) away: Cpu,
}

/// A way for two processes to send each other messages.
pub(super) struct Mechanism {
    /// Whose it is: "libc", "rawipc".
    pub(super) by: &'static str,
    pub(super) through: &'static str,
    /// Gets two who do it, and have not begun; or says why there are none, which comes below the
    /// table.
    pub(super) open: fn(Task) -> Opened,
}

pub(super) type Opened = Result<Box<dyn Contender>, Box<dyn Error>>;

/// Two who do their task whenever they are told, and sleep in between. Most are a
/// [`Pair`](super::pair::Pair); others measure themselves, however they like.
pub(super) trait Contender {
    /// Does it so many times, after a few that do not count. Each message that comes has been
    /// looked at, and was the right one.
    fn run(&mut self, times: u64) -> Measured;
}

/// What was measured of so many messages.
pub(super) struct Measured {
    /// Of ping-pongs, how long they took all together; of a stream, how long from the first message
    /// to the last one, at who receives: one message less.
    pub(super) time: Duration,
    /// How long each ping-pong took, in nanoseconds, without the clock.
    pub(super) each: Option<Histogram<u32>>,
}

/// An empty histogram: three digits, from a nanosecond to a minute.
pub(super) fn no_times() -> Histogram<u32> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds and digits in range")
}
