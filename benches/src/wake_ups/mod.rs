//! How long it takes from the call that wakes another process until that process runs: one way.
//!
//! Who is to be woken up is asleep: the waker has waited for long, and then the kernel says so. The
//! clock is read just before the call and just after the other's own has returned.

mod by_libc;
mod by_rawipc;
mod by_rustix_futex_sync;
mod ends;
mod night;

use core::error::Error;

use crate::arguments::Arguments;
use crate::harness::{self, Effort, Row, Table};
use crate::helper;
use crate::meeting::{self, Bracketed, Meeting, Times};
use crate::place::Cpu;
use ends::Ends;
use night::Waker;

pub(crate) const NAME: &str = "wake-ups";

/// Where the two are.
struct Scene {
    name: &'static str,
    meeting: Meeting,
}

const SCENES: [Scene; 3] = [
    Scene { name: "one CPU", meeting: Meeting::OneCpu },
    Scene { name: "two CPUs, idle awake", meeting: Meeting::TwoCpusAwake },
    Scene { name: "two CPUs, idle asleep", meeting: Meeting::TwoCpusAsleep },
];

/// A way to wake the other.
struct Way {
    name: &'static str,
    ends: fn() -> Ends,
}

/// The first is what the others are compared with.
const WAYS: [Way; 17] = [
    Way { name: "libc, futex", ends: by_libc::futex },
    Way { name: "rawipc, Event", ends: by_rawipc::event },
    Way { name: "rawipc, AutoResetEvent", ends: by_rawipc::auto_reset_event },
    Way { name: "rawipc, Semaphore", ends: by_rawipc::semaphore },
    Way { name: "libc, sem_t", ends: by_libc::semaphore },
    Way { name: "rawipc, posix::Semaphore", ends: by_rawipc::posix_semaphore },
    Way { name: "rawipc, Mutex, unlocked", ends: by_rawipc::mutex },
    Way { name: "libc, mutex, unlocked", ends: by_libc::mutex },
    Way { name: "rustix-futex-sync, Mutex, unlocked", ends: by_rustix_futex_sync::mutex },
    Way { name: "rawipc, Condvar", ends: by_rawipc::condvar },
    Way { name: "libc, condition variable", ends: by_libc::condvar },
    Way { name: "rustix-futex-sync, Condvar", ends: by_rustix_futex_sync::condvar },
    Way { name: "rawipc, Barrier", ends: by_rawipc::barrier },
    Way { name: "rawipc, Spsc", ends: by_rawipc::spsc },
    Way { name: "rawipc, pipe", ends: by_rawipc::pipe },
    Way { name: "rawipc, Stream", ends: by_rawipc::stream },
    Way { name: "libc, eventfd", ends: by_libc::eventfd },
];

/// Where nothing of it can stay behind.
const SYSV: Way = Way { name: "rawipc, sysv::SemSet", ends: by_rawipc::sysv_semaphore };

pub(crate) fn groups() -> Vec<&'static str> {
    SCENES.iter().map(|scene| scene.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    let header = ["one way", "by", "p50 µs", "p99", "p99.9", "max", "p50 × futex", "quartiles"];
    let mut table = Table::new("Waking another process up", &header);
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
    let mut ways: Vec<&Way> = WAYS.iter().collect();
    match by_rawipc::enter_own_namespace() {
        Ok(()) => ways.push(&SYSV),
        Err(why) => table.notes([format!("{}: not measured: {why}.", SYSV.name)]),
    }
    let wakers: Result<Vec<Waker>, _> =
        ways.iter().map(|way| Waker::new((way.ends)(), place.away)).collect();
    let mut wakers = wakers?;
    // As many as fill three slices by the pauses between them.
    let times = meeting::nanoseconds(effort.slice * 3) / meeting::nanoseconds(night::PAUSE);
    let play = |waker: usize| {
        helper::watch();
        wakers[waker].wake(times)
    };
    let rounds = meeting::take_turns(ways.len(), &place, effort, play);
    report(table, scene.name, &ways, &rounds);
    Ok(())
}

/// Adds what was measured in one scene.
fn report(table: &mut Table, scene: &'static str, ways: &[&Way], rounds: &[Bracketed<Times>]) {
    let (bounce, rounds) = meeting::undisturbed(rounds);
    let median = |way| rounds.iter().map(|round| round.measured.median(way)).collect();
    let medians: Vec<Vec<f64>> = (0..ways.len()).map(median).collect();
    for (way, ratio) in harness::ratios(&medians).into_iter().enumerate() {
        let times = meeting::together(&rounds, way);
        let row = Row::new(NAME, "one way", ways[way].name).titled(scene).place(scene);
        let row = meeting::maximum(meeting::percentiles(row, &times), &times);
        table.add(row.compared(ratio));
    }
    table.notes(bounce.map(|bounce| format!("{scene}: {bounce}")));
}
