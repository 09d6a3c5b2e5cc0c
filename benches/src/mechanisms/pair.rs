//! Two processes with an end each.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU32, AtomicU64};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use rawipc::shm::Shared;

use super::contender::{Contender, Kind, Measured, Opened, Task, no_times};
use super::message::Message;
use crate::meeting::Kin;
use crate::place::Cpu;
use crate::queues::exchange::clock;
use crate::queues::team::{Part, Team};
use crate::shared::share;

/// Where a process sends and receives messages, all of one length. Who has to wait waits as it is
/// usual there.
pub(super) trait End: Send + 'static {
    fn send(&mut self, message: &[u8]);

    /// Fills all of `into`.
    fn receive(&mut self, into: &mut [u8]);

    /// Comes after the last message of each turn in a stream, at both ends, for those who do not
    /// hand over one by one.
    fn finish(&mut self) {}
}

const MOST: usize = 1 << 16;
const _: () = assert!(MOST as u64 == Kind::PingPong.most());

/// Ping-pongs before those that count: who has slept needs some to get going.
const WARM_UP: u64 = 10;

/// Two helpers, of whom the one at home asks or sends, and the other answers or receives.
pub(super) struct Pair {
    kind: Kind,
    team: Team,
    /// Of a stream, or of all ping-pongs, in nanoseconds.
    elapsed: &'static AtomicU64,
    each: Arc<Times>,
    /// How long it takes to ask for the time, which each ping-pong contains once.
    clock: u64,
}

/// How long each ping-pong took, in nanoseconds.
type Times = Shared<[AtomicU32; MOST]>;

impl Pair {
    /// The two open their ends themselves, when they do something for the first time.
    pub(super) fn open<H: End, A: End>(
        task: Task,
        open_home: impl FnOnce() -> H + Send + 'static,
        open_away: impl FnOnce() -> A + Send + 'static,
    ) -> Opened {
        Self::among(Kin::Processes, task, open_home, open_away)
    }

    /// The same, for those who may be threads of one process.
    pub(super) fn among<H: End, A: End>(
        kin: Kin,
        task: Task,
        open_home: impl FnOnce() -> H + Send + 'static,
        open_away: impl FnOnce() -> A + Send + 'static,
    ) -> Opened {
        let Task { kind, bytes, away } = task;
        let elapsed = share(AtomicU64::new(0));
        let each: Arc<Times> = Arc::new(Shared::anonymous_zeroed()?);
        let (home_part, away_part): (Part, Part) = match kind {
            Kind::PingPong => {
                let each = Arc::clone(&each);
                (
                    once_open(open_home, bytes, move |end, message, times| {
                        let time = ping(end, message, times, each.as_slice());
                        elapsed.store(time, Relaxed);
                    }),
                    once_open(open_away, bytes, pong),
                )
            }
            Kind::Stream => (
                once_open(open_home, bytes, send),
                once_open(open_away, bytes, |end, message, times| {
                    elapsed.store(receive(end, message, times), Relaxed);
                }),
            ),
        };
        let parts = [(Cpu::home(), home_part), (away, away_part)];
        let team = Team::new(kin, parts);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some nanoseconds"
        )]
        let clock = clock() as u64;
        Ok(Box::new(Self { kind, team, elapsed, each, clock }))
    }
}

impl Contender for Pair {
    fn run(&mut self, times: u64) -> Measured {
        match self.kind {
            // Its business is to wait, and it has each by itself.
            Kind::PingPong => self.team.run(times),
            Kind::Stream => self.team.run_undisturbed(times),
        };
        let time = Duration::from_nanos(self.elapsed.load(Relaxed));
        let each = (self.kind == Kind::PingPong).then(|| {
            let mut each = no_times();
            for (time, _) in self.each.iter().zip(0..times) {
                let time = u64::from(time.load(Relaxed));
                each.saturating_record(time.saturating_sub(self.clock).max(1));
            }
            each
        });
        Measured { time, each }
    }
}

/// A part that opens its end when it is first told to do something, and keeps it.
fn once_open<E: End>(
    open: impl FnOnce() -> E + Send + 'static,
    bytes: usize,
    mut part: impl FnMut(&mut E, &mut Message, u64) + Send + 'static,
) -> Part {
    let mut open = Some(open);
    let mut opened = None;
    Box::new(move |times| {
        let (end, message) = opened.get_or_insert_with(|| {
            let open = open.take().expect("opened once");
            (open(), Message::new(bytes))
        });
        part(end, message, times);
    })
}

/// Asks so many times, each by the clock; how long all took.
fn ping(end: &mut impl End, message: &mut Message, times: u64, each: &[AtomicU32]) -> u64 {
    let mut ask = || {
        end.send(message.written());
        end.receive(message.room());
        message.check_again();
    };
    (0..WARM_UP).for_each(|_| ask());
    let start = Instant::now();
    let mut before = start;
    for (time, _) in each.iter().zip(0..times) {
        ask();
        let after = Instant::now();
        let taken = after.duration_since(before).as_nanos();
        time.store(u32::try_from(taken).unwrap_or(u32::MAX), Relaxed);
        before = after;
    }
    nanoseconds(before.duration_since(start))
}

fn pong(end: &mut impl End, message: &mut Message, times: u64) {
    for _ in 0..WARM_UP + times {
        end.receive(message.room());
        end.send(message.check());
    }
}

fn send(end: &mut impl End, message: &mut Message, times: u64) {
    (0..times).for_each(|_| end.send(message.written()));
    end.finish();
}

/// How long it is from the first message to the last.
fn receive(end: &mut impl End, message: &mut Message, times: u64) -> u64 {
    let mut next = || {
        end.receive(message.room());
        message.check();
    };
    next();
    let start = Instant::now();
    (1..times).for_each(|_| next());
    let elapsed = start.elapsed();
    end.finish();
    nanoseconds(elapsed)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
