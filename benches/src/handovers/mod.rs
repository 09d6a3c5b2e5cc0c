//! How long it takes to hand the turn to another process and to get it back, through nothing but
//! shared memory.
//!
//! Who waits may look again and again, or sleep. Which is better depends on where the other process
//! is and on how long it keeps the turn. Two plain futexes stand for those who have made up their
//! minds, one for each; what the better of them takes in a place is the measure there.

mod by_libc;
mod by_rawipc;
mod by_rustix_futex_sync;

use core::error::Error;
use core::time::Duration;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::harness::{self, Effort, Row, Spread, Table};
use crate::helper;
use crate::meeting::{self, Bracketed, Ends, Meeting, Player, Times};
use crate::place::Cpu;

pub(crate) const NAME: &str = "handovers";

/// Where the two are, and what else the partner does when it has the turn.
struct Scene {
    name: &'static str,
    meeting: Meeting,
    work: fn(),
}

const NOTHING: fn() = || {};

/// Longer than anybody spins, so that who waits for it is asleep.
const LONG: fn() = || {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(200) {}
};

const SCENES: [Scene; 4] = [
    Scene { name: "one CPU", meeting: Meeting::OneCpu, work: NOTHING },
    Scene { name: "two CPUs, idle awake", meeting: Meeting::TwoCpusAwake, work: NOTHING },
    Scene { name: "two CPUs, idle asleep", meeting: Meeting::TwoCpusAsleep, work: NOTHING },
    Scene {
        name: "two CPUs, idle asleep, 200 µs of work",
        meeting: Meeting::TwoCpusAsleep,
        work: LONG,
    },
];

/// A way to hand over the turn.
struct Way {
    name: &'static str,
    ends: fn(work: fn()) -> Ends,
}

/// The first two are those who have made up their minds.
const WAYS: [Way; 8] = [
    Way { name: "libc, futex, asleep at once", ends: by_libc::asleep_at_once },
    Way { name: "libc, futex, spinning 10 µs", ends: by_libc::spinning_first },
    Way { name: "rawipc, AutoResetEvent", ends: by_rawipc::events },
    Way { name: "rawipc, Semaphore", ends: by_rawipc::semaphores },
    Way { name: "libc, sem_t", ends: by_libc::semaphores },
    Way { name: "rawipc, Mutex and Condvar", ends: by_rawipc::condvar },
    Way { name: "libc, mutex and condition variable", ends: by_libc::condvar },
    Way { name: "rustix-futex-sync, Mutex and Condvar", ends: by_rustix_futex_sync::condvar },
];

pub(crate) fn groups() -> Vec<&'static str> {
    SCENES.iter().map(|scene| scene.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    let header =
        ["there and back", "by", "p50 µs", "p99", "p99.9", "× line", "× futex", "quartiles"];
    let mut table = Table::new("Handing the turn to another process and back", &header);
    for scene in SCENES.iter().filter(|scene| arguments.wants(NAME, scene.name)) {
        if let Err(why) = measure_in(scene, arguments.effort(), &mut table) {
            table.notes([format!("{}: not measured: {why}.", scene.name)]);
        }
    }
    table.print();
}

fn measure_in(scene: &Scene, effort: Effort, table: &mut Table) -> Result<(), Box<dyn Error>> {
    let place = scene.meeting.arrange()?;
    helper::watch();
    eprintln!("{NAME}/{}", scene.name);
    let player = |way: &Way| Player::new((way.ends)(scene.work), place.away);
    let mut players = WAYS.each_ref().map(player);
    let rounds = meeting::play(&mut players, &place, effort);
    report(table, scene.name, &rounds);
    Ok(())
}

/// Adds what was measured in one scene.
fn report(table: &mut Table, name: &'static str, rounds: &[Bracketed<Times>]) {
    let (bounce, rounds) = meeting::undisturbed(rounds);
    let median = |way| rounds.iter().map(|round| round.measured.median(way)).collect();
    let mut ways: Vec<(usize, Vec<f64>)> = (0..WAYS.len()).map(|way| (way, median(way))).collect();
    // The better of the first two is what the others are compared with.
    ways[..2].sort_by(|(_, one), (_, other)| {
        Spread::of(one).median.total_cmp(&Spread::of(other).median)
    });
    let (ways, medians): (Vec<_>, Vec<_>) = ways.into_iter().unzip();
    for ((way, medians), ratio) in ways.into_iter().zip(&medians).zip(harness::ratios(&medians)) {
        let times = meeting::together(&rounds, way);
        let row = Row::new(NAME, "there and back", WAYS[way].name).titled(name).place(name);
        let lines = meeting::in_lines(&rounds, medians);
        table.add(meeting::percentiles(row, &times).in_lines(lines, 1).compared(ratio));
    }
    table.notes(bounce.map(|bounce| format!("{name}: {bounce}")));
}
