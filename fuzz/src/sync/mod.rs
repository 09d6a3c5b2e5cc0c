//! Locks and signals, used by one thread: each call says what a few integers say that it has to.
//!
//! Calls that may wait are made where those say that they need not, or with a deadline.

mod barrier;
mod events;
mod exclusive;
mod once;
mod reentrant;
mod rwlock;
mod tokens;

use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::Deadline;
use rawipc::error::TimedOut;

use barrier::Meeting;
use events::Events;
use exclusive::Exclusive;
use once::Task;
use reentrant::Reentrant;
use rwlock::ReadersWriter;
use tokens::Tokens;

/// How many calls are made at most.
const MOST_OPS: usize = 64;

/// With what they are made.
#[derive(Arbitrary, Debug)]
struct Setup {
    tokens: u32,
    bound: u32,
    parties: u16,
}

/// Of what is called.
#[derive(Arbitrary, Debug)]
enum Op {
    Exclusive(exclusive::Op),
    Rwlock(rwlock::Op),
    Reentrant(reentrant::Op),
    Events(events::Op),
    Barrier(barrier::Op),
    Once(once::Op),
    Tokens(tokens::Op),
}

/// Until when a call may wait.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum By {
    Now,
    /// Long enough to go to sleep, if the number is little: that takes long.
    Soon(u8),
    /// Where it need not wait.
    Never,
}

impl By {
    /// For a call that has to give up.
    fn deadline(self) -> Deadline {
        match self {
            Self::Soon(0..8) => Deadline::after(Duration::from_micros(1)),
            _ => Deadline::now(),
        }
    }

    /// For one that has to give up, unless it need not wait.
    fn or_never(self, is_free: bool) -> Deadline {
        match self {
            Self::Never if is_free => Deadline::NEVER,
            _ => self.deadline(),
        }
    }
}

/// What a wait says that is not longer than it has to be.
fn happened(has_happened: bool) -> Result<(), TimedOut> {
    if has_happened { Ok(()) } else { Err(TimedOut) }
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(setup) = Setup::arbitrary(&mut input) else { return };
    let locks = exclusive::Locks::default();
    let mut exclusive = Exclusive::new(&locks);
    let lock = rwlock::Lock::default();
    let mut readers_writer = ReadersWriter::new(&lock);
    let mutex = reentrant::Lock::default();
    let mut reentrant = Reentrant::new(&mutex);
    let mut events = Events::default();
    let mut meeting = Meeting::new(setup.parties);
    let mut task = Task::default();
    let mut tokens = Tokens::new(setup.tokens, setup.bound);
    for _ in 0..MOST_OPS {
        if input.is_empty() {
            break;
        }
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        match op {
            Op::Exclusive(op) => exclusive.make(op),
            Op::Rwlock(op) => readers_writer.make(op),
            Op::Reentrant(op) => reentrant.make(op),
            Op::Events(op) => events.make(op),
            Op::Barrier(op) => meeting.make(op),
            Op::Once(op) => task.make(op),
            Op::Tokens(op) => tokens.make(op),
        }
    }
}
