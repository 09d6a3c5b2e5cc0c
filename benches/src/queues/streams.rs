//! Streams: as many messages as fit a slice, all in one direction.

use core::hint::black_box;

use super::NAME;
use super::batches;
use super::channels::{
    Message, Receives, Sends, array_queue, mpmc, mpmc_waiting, rtrb, spsc, spsc_waiting,
};
use super::crowd;
use super::in_place;
use super::rounds::rounds;
use super::team::{Part, Team};
use crate::harness::{self, Effort, Row, Spread, Table};
use crate::helper;
use crate::meeting::{self, Kin, Place};
use crate::place::Cpu;

/// Who streams the same in different ways.
pub(super) struct Group {
    pub(super) name: &'static str,
    bytes: usize,
    pub(super) all: fn(Cpu) -> Vec<Stream>,
    /// For how long in each round.
    pub(super) slices: u32,
}

/// One way, and those who are at its ends.
pub(super) struct Stream {
    name: &'static str,
    kin: Kin,
    team: Team,
    /// How many messages are sent each time.
    unit: u64,
    /// Whether each of them has a CPU for itself.
    is_pair: bool,
}

impl Stream {
    /// From one to another, each on its CPU.
    pub(super) fn new(
        name: &'static str,
        kin: Kin,
        away: Cpu,
        unit: u64,
        produce: impl FnMut(u64) + Send + 'static,
        consume: impl FnMut(u64) + Send + 'static,
    ) -> Self {
        let parts: [(Cpu, Part); 2] = [(Cpu::home(), Box::new(produce)), (away, Box::new(consume))];
        Self { name, kin, team: Team::new(kin, parts), unit, is_pair: true }
    }

    /// Among several, who share CPUs.
    pub(super) fn among(name: &'static str, kin: Kin, unit: u64, parts: Vec<(Cpu, Part)>) -> Self {
        Self { name, kin, team: Team::new(kin, parts), unit, is_pair: false }
    }

    /// Millions of messages a second.
    fn rate(&mut self, times: u64) -> f64 {
        let time = self.run(times);
        millions(times * self.unit) / time
    }

    /// How long it takes, in seconds.
    fn run(&mut self, times: u64) -> f64 {
        let team = &mut self.team;
        let time = if self.is_pair { team.run_undisturbed(times) } else { team.run(times) };
        time.as_secs_f64()
    }

    /// How many times fill so many seconds, when all memory has been touched: the first turns have
    /// to wait for the kernel.
    fn calibrate(&mut self, slice: f64) -> u64 {
        let mut times = 1;
        let mut confirmed = 0;
        while confirmed < 5 {
            if self.run(times) < slice / 2.0 {
                times *= 2;
                confirmed = 0;
            } else {
                confirmed += 1;
            }
        }
        times
    }
}

#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^53 messages fit a slice")]
fn millions(messages: u64) -> f64 {
    messages as f64 / 1e6
}

/// Which power of two of slots comes next to so much memory: within two fifths of it.
const fn slots(memory: usize, slot: usize) -> usize {
    let more = (memory / slot).next_power_of_two();
    if more * slot <= memory / 5 * 7 { more } else { more / 2 }
}

/// With a word beside each message, as the crate and `ArrayQueue` have it; `rtrb` has none.
const fn numbered(memory: usize, words: usize) -> usize {
    slots(memory, (words + 1) * 8)
}

const SMALL: usize = 256 << 10;
const LARGE: usize = 1 << 20;

pub(super) const GROUPS: &[Group] = &[
    one_by_one("stream of 8 B, 256 KiB", 8, |away| {
        each::<1, { numbered(SMALL, 1) }, { slots(SMALL, 8) }>(away)
    }),
    one_by_one("stream of 8 B, 1 MiB", 8, |away| {
        each::<1, { numbered(LARGE, 1) }, { slots(LARGE, 8) }>(away)
    }),
    one_by_one("stream of 64 B, 256 KiB", 64, |away| {
        each::<8, { numbered(SMALL, 8) }, { slots(SMALL, 64) }>(away)
    }),
    one_by_one("stream of 64 B, 1 MiB", 64, |away| {
        each::<8, { numbered(LARGE, 8) }, { slots(LARGE, 64) }>(away)
    }),
    one_by_one("stream of 4 KiB, 256 KiB", 4096, |away| {
        each::<512, { numbered(SMALL, 512) }, { slots(SMALL, 4096) }>(away)
    }),
    one_by_one("stream of 4 KiB, 1 MiB", 4096, |away| {
        each::<512, { numbered(LARGE, 512) }, { slots(LARGE, 4096) }>(away)
    }),
    one_by_one("stream of 8 B, Spsc, trying or waiting", 8, |away| {
        vec![
            stream("try_push and try_pop", Kin::Processes, away, spsc::<1, WAITING>),
            stream("push and pop", Kin::Processes, away, spsc_waiting::<1, WAITING>),
        ]
    }),
    one_by_one("stream of 8 B, Mpmc, trying or waiting", 8, |away| {
        vec![
            stream("try_push and try_pop", Kin::Processes, away, mpmc::<1, WAITING>),
            stream("push and pop", Kin::Processes, away, mpmc_waiting::<1, WAITING>),
        ]
    }),
    one_by_one("stream of 8 B by 64, 256 KiB", 8, |away| {
        batches::each::<1, { numbered(SMALL, 1) }, { slots(SMALL, 8) }>(away)
    }),
    one_by_one("stream of 8 B by 64, 1 MiB", 8, |away| {
        batches::each::<1, { numbered(LARGE, 1) }, { slots(LARGE, 8) }>(away)
    }),
    one_by_one("stream of 64 B by 64, 256 KiB", 64, |away| {
        batches::each::<8, { numbered(SMALL, 8) }, { slots(SMALL, 64) }>(away)
    }),
    one_by_one("stream of 64 B by 64, 1 MiB", 64, |away| {
        batches::each::<8, { numbered(LARGE, 8) }, { slots(LARGE, 64) }>(away)
    }),
    one_by_one("stream of 4 KiB in place, 256 KiB", 4096, |away| {
        in_place::each::<{ numbered(SMALL, 512) }, { slots(SMALL, 4096) }>(away)
    }),
    one_by_one("stream of 4 KiB in place, 1 MiB", 4096, |away| {
        in_place::each::<{ numbered(LARGE, 512) }, { slots(LARGE, 4096) }>(away)
    }),
    Group { name: "8 B, 2 to 2 on 2 CPUs", bytes: 8, all: crowd::each::<2>, slices: 10 },
    Group { name: "8 B, 4 to 4 on 2 CPUs", bytes: 8, all: crowd::each::<4>, slices: 10 },
];

const WAITING: usize = numbered(SMALL, 1);

const fn one_by_one(name: &'static str, bytes: usize, all: fn(Cpu) -> Vec<Stream>) -> Group {
    Group { name, bytes, all, slices: 2 }
}

/// Messages of `W` words through `N` slots with a word beside each, or `M` without.
fn each<const W: usize, const N: usize, const M: usize>(away: Cpu) -> Vec<Stream> {
    vec![
        stream("rawipc, Spsc", Kin::Processes, away, spsc::<W, N>),
        stream("rawipc, Mpmc", Kin::Processes, away, mpmc::<W, N>),
        stream("rtrb", Kin::Threads, away, rtrb::<W, M>),
        stream("crossbeam, ArrayQueue", Kin::Threads, away, array_queue::<W, N>),
    ]
}

fn stream<const W: usize, S: Sends<Message<W>>, R: Receives<Message<W>>>(
    name: &'static str,
    kin: Kin,
    away: Cpu,
    channel: fn() -> (S, R),
) -> Stream {
    let (mut send, mut receive) = channel();
    let produce = move |times| (0..times).for_each(|_| send(black_box(&[7; W])));
    let consume = move |times| {
        for _ in 0..times {
            black_box(&receive());
        }
    };
    Stream::new(name, kin, away, 1, produce, consume)
}

pub(super) fn table() -> Table {
    let header = ["one way", "by", "M/s", "quartiles", "M/s × first", "quartiles"];
    Table::new("Streams through one queue", &header)
}

pub(super) fn measure(group: &Group, place: &Place, effort: Effort, table: &mut Table) {
    helper::watch();
    let mut all = (group.all)(place.away);
    let slice = (effort.slice * group.slices).as_secs_f64();
    let times: Vec<u64> = all.iter_mut().map(|one| one.calibrate(slice)).collect();
    let rounds = rounds(place, effort, all.len(), |one| all[one].rate(times[one]));
    let (bounce, rounds) = meeting::undisturbed(&rounds);
    let rates = |one: usize| rounds.iter().map(|round| round.measured[one]).collect();
    let rates: Vec<Vec<f64>> = (0..all.len()).map(rates).collect();
    for ((one, rates), ratio) in all.iter().zip(&rates).zip(harness::ratios(&rates)) {
        table.add(
            Row::new(NAME, group.name, &format!("{}, {}", one.name, one.kin))
                .bytes(group.bytes)
                .spread("M/s", Spread::of(rates), 1)
                .compared(ratio),
        );
    }
    table.notes(bounce.map(|bounce| format!("{}: {bounce}", group.name)));
}
