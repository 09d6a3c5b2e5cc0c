//! Round trips through two queues, both sides polling.

use super::channels::{
    Message, Receives, Sends, array_queue, mpmc, mpmc_waiting, pipe, rtrb, spsc, spsc_waiting,
};
use super::exchange::{Exchange, Nothing};
use super::rounds::trips;
use crate::harness::{Effort, Table};
use crate::meeting::{Kin, Place};
use crate::place::Cpu;

/// Who sends the same there and back.
pub(super) struct Group {
    pub(super) name: &'static str,
    bytes: usize,
    all: fn(Cpu) -> Vec<Exchange>,
}

pub(super) const GROUPS: &[Group] = &[
    Group { name: "round trips of 8 B", bytes: 8, all: of_8_bytes },
    Group { name: "round trips of 48 B", bytes: 48, all: of_words::<6> },
    Group { name: "round trips of 64 B", bytes: 64, all: of_words::<8> },
    Group { name: "round trips of 4 KiB", bytes: 4096, all: of_words::<512> },
    Group { name: "round trips of 8 B, Spsc, trying or waiting", bytes: 8, all: spsc_both },
    Group { name: "round trips of 8 B, Mpmc, trying or waiting", bytes: 8, all: mpmc_both },
];

/// How many messages each queue holds.
const ROOM: usize = 64;

fn of_8_bytes(away: Cpu) -> Vec<Exchange> {
    let mut all = of_words::<1>(away);
    all.push(by("libc, pipe", Kin::Processes, away, pipe));
    all.push(Exchange::line(away));
    all
}

fn of_words<const W: usize>(away: Cpu) -> Vec<Exchange> {
    vec![
        by("rawipc, Spsc", Kin::Processes, away, spsc::<W, ROOM>),
        by("rawipc, Mpmc", Kin::Processes, away, mpmc::<W, ROOM>),
        by("rtrb", Kin::Threads, away, rtrb::<W, ROOM>),
        by("crossbeam, ArrayQueue", Kin::Threads, away, array_queue::<W, ROOM>),
    ]
}

fn spsc_both(away: Cpu) -> Vec<Exchange> {
    vec![
        by("try_push and try_pop", Kin::Processes, away, spsc::<1, ROOM>),
        by("push and pop", Kin::Processes, away, spsc_waiting::<1, ROOM>),
    ]
}

fn mpmc_both(away: Cpu) -> Vec<Exchange> {
    vec![
        by("try_push and try_pop", Kin::Processes, away, mpmc::<1, ROOM>),
        by("push and pop", Kin::Processes, away, mpmc_waiting::<1, ROOM>),
    ]
}

fn by<const W: usize, S: Sends<Message<W>>, R: Receives<Message<W>>>(
    name: &'static str,
    kin: Kin,
    away: Cpu,
    channel: fn() -> (S, R),
) -> Exchange {
    Exchange::through(name, kin, away, Nothing, channel)
}

pub(super) fn table() -> Table {
    let header = ["there and back", "by", "p50 ns", "p99.9", "× line", "p50 × first", "quartiles"];
    Table::new("Round trips through two queues, both sides polling", &header)
}

pub(super) fn measure(group: &Group, place: &Place, effort: Effort, table: &mut Table) {
    let all = (group.all)(place.away);
    let trips = trips(all, place, effort, 2, 0.0, 1);
    for row in trips.rows {
        table.add(row.row(group.name, 1.0, 0).bytes(group.bytes));
    }
    table.notes(trips.bounce.map(|bounce| format!("{}: {bounce}", group.name)));
}
