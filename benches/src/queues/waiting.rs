//! Round trips of those who wait in the crate's own way, where it is best to look again and again,
//! where it is best to sleep, and where the one must not be done.

use core::error::Error;
use core::time::Duration;
use std::thread;
use std::time::Instant;

use super::channels::{leak, mpmc_waiting, room, spsc, spsc_waiting};
use super::exchange::{Exchange, Nothing, Work};
use super::rounds::trips;
use crate::by_hand::Flag;
use crate::harness::{Effort, Table};
use crate::meeting::{Kin, Meeting};
use crate::place::Cpu;
use crate::shared::share;
use rawipc::queue::Spsc;

/// Where the two are, and how seldom they come.
pub(super) struct Scene {
    pub(super) name: &'static str,
    meeting: Meeting,
    all: fn(Cpu) -> Vec<Exchange>,
    /// So many of those are what the others are measured by: the best of them.
    yardsticks: usize,
    /// What the other side's work takes, which does not count.
    work: Duration,
}

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "two CPUs, both running",
        meeting: Meeting::TwoCpusAsleep,
        all: running,
        yardsticks: 3,
        work: Duration::ZERO,
    },
    Scene {
        name: "two CPUs, each working for 200 µs first",
        meeting: Meeting::TwoCpusAsleep,
        all: seldom,
        yardsticks: 2,
        work: WORK,
    },
    Scene {
        name: "one CPU",
        meeting: Meeting::OneCpu,
        all: on_one_cpu,
        yardsticks: 2,
        work: Duration::ZERO,
    },
];

/// Longer than anybody spins, so that who waits for it is asleep.
const WORK: Duration = Duration::from_micros(200);

#[derive(Clone, Copy, Debug)]
struct Long;

impl Work for Long {
    const BATCH: u64 = 1;

    fn work(self) {
        let start = Instant::now();
        while start.elapsed() < WORK {}
    }
}

const ROOM: usize = 64;

fn running(away: Cpu) -> Vec<Exchange> {
    let mut all = futexes(away, Nothing);
    all.push(trying(away, Nothing));
    all.extend(ours(away, Nothing));
    all
}

/// Who only looks again and again is not among the yardsticks: its CPU never gets to rest.
fn seldom(away: Cpu) -> Vec<Exchange> {
    let mut all = futexes(away, Long);
    all.extend(ours(away, Long));
    all.push(trying(away, Long));
    all
}

/// Who only looked again and again would do so until the scheduler has had enough of it.
fn on_one_cpu(away: Cpu) -> Vec<Exchange> {
    let mut all = futexes(away, Nothing);
    all.extend(ours(away, Nothing));
    all.push(yielding(away));
    all
}

fn trying(away: Cpu, work: impl Work) -> Exchange {
    Exchange::through("rawipc, Spsc, only trying", Kin::Processes, away, work, spsc::<1, ROOM>)
}

fn ours(away: Cpu, work: impl Work) -> [Exchange; 2] {
    let kin = Kin::Processes;
    [
        Exchange::through("rawipc, Spsc, push and pop", kin, away, work, spsc_waiting::<1, ROOM>),
        Exchange::through("rawipc, Mpmc, push and pop", kin, away, work, mpmc_waiting::<1, ROOM>),
    ]
}

/// Those who have made up their minds.
fn futexes(away: Cpu, work: impl Work) -> Vec<Exchange> {
    let futex = |name, wait: fn(&Flag)| {
        let (there, back) = (share(Flag::default()), share(Flag::default()));
        let ask = move || {
            there.set().unwrap();
            wait(back);
        };
        let answer = move || {
            wait(there);
            work.work();
            back.set().unwrap();
        };
        Exchange::new(name, Kin::Processes, away, work, ask, answer)
    };
    vec![
        futex("libc, futex, asleep at once", |flag| flag.wait_asleep().unwrap()),
        futex("libc, futex, spinning 10 µs", |flag| {
            flag.wait_spinning(Duration::from_micros(10)).unwrap();
        }),
    ]
}

/// Tries, and lets the other have the CPU.
fn yielding(away: Cpu) -> Exchange {
    let channel = || {
        let queue: &Spsc<[u64; 1], ROOM> = room();
        let producer = leak(queue.producer().expect("its first"));
        let consumer = leak(queue.consumer().expect("its first"));
        let send = |value: &[u64; 1]| producer.try_push(*value).expect("room");
        let receive = || loop {
            if let Ok(value) = consumer.try_pop() {
                break value;
            }
            thread::yield_now();
        };
        (send, receive)
    };
    let name = "rawipc, Spsc, trying and yielding";
    Exchange::through(name, Kin::Processes, away, Nothing, channel)
}

pub(super) fn table() -> Table {
    let header = ["there and back", "by", "p50 µs", "p99.9", "× line", "× best", "quartiles"];
    Table::new("Round trips of 8 B through two queues, waiting", &header)
}

pub(super) fn measure(
    scene: &Scene,
    effort: Effort,
    table: &mut Table,
) -> Result<(), Box<dyn Error>> {
    let place = scene.meeting.arrange()?;
    let all = (scene.all)(place.away);
    let work = scene.work.as_secs_f64() * 1e9;
    let trips = trips(all, &place, effort, 4, work, scene.yardsticks);
    for row in trips.rows {
        let row = row.row("there and back, waiting", 1e-3, 2);
        table.add(row.titled(scene.name).bytes(8).place(scene.name));
    }
    table.notes(trips.bounce.map(|bounce| format!("{}: {bounce}", scene.name)));
    Ok(())
}
