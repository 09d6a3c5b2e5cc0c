//! Whether the machine is quiet enough to compare anything on it.
//!
//! Rounds and ratios take care of a machine that changes now and then. Against one that is busy all
//! the time nothing helps: half of the slices are then somebody else's.

use core::fmt;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicI64, AtomicU64};
use core::time::Duration;
use std::fs::read_to_string;
use std::thread;
use std::time::Instant;

use crate::harness::preemptions;
use crate::helper::Helper;
use crate::place::Cpu;
use crate::shared::share;
use rawipc::sync::Barrier;

/// What others do on the machine while this process only looks.
#[derive(Debug)]
pub(crate) struct Noise {
    /// The load average over 1, 5 and 15 minutes. It comes late: what has just been compiled is in
    /// it, and what has just been started is not.
    load: String,
    /// The part of the CPUs' time that was spent by others while this process slept.
    busy: f64,
    /// The part of its CPU's time that this process did not get though it wanted all of it:
    /// whether the scheduler, an interrupt or the hypervisor took it. Of the worst CPU.
    lost: f64,
    /// How often the scheduler was who took one.
    preemptions: i64,
}

/// More than that makes a machine noisy.
const BUSY: f64 = 0.05;
const LOST: f64 = 0.02;

/// Shorter than a preemption, longer than the tick of the clock takes.
const GAP: Duration = Duration::from_micros(30);

impl Noise {
    /// Looks for one second, and then wants all CPUs at once for a fifth of one: a hypervisor that
    /// has too few cores for all of them does not take any from who wants but one.
    pub(crate) fn now() -> Self {
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        let before = CpuTime::so_far();
        thread::sleep(Duration::from_secs(1));
        let after = CpuTime::so_far();
        let wanted = Wanted::all();
        Self {
            load,
            busy: 1.0 - (after.idle - before.idle) / (after.all - before.all),
            lost: Duration::from_nanos(wanted.lost.load(Relaxed)).as_secs_f64(),
            preemptions: wanted.preemptions.load(Relaxed),
        }
    }

    /// Waits for it to be quiet, for half a minute at most.
    pub(crate) fn once_quiet() -> Self {
        let start = Instant::now();
        let mut noise = Self::now();
        while noise.is_too_much() && start.elapsed() < Duration::from_secs(30) {
            eprintln!("waiting for the machine to be quiet: {noise}");
            noise = Self::now();
        }
        noise
    }

    /// The second look counts, where the first finds too much: that may have been a hiccup.
    pub(crate) fn at_the_end() -> Self {
        let noise = Self::now();
        if noise.is_too_much() { Self::now() } else { noise }
    }

    /// Whether what is measured meanwhile is not worth comparing.
    pub(crate) fn is_too_much(&self) -> bool {
        // What cannot be told is too much, too.
        !(self.busy <= BUSY && self.lost <= LOST)
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, busy, lost, preemptions } = self;
        let (busy, lost) = (busy * 100.0, lost * 100.0);
        write!(
            f,
            "load average {load}; CPUs {busy:.0} % busy with other things; who wants all of them \
             all the time is denied {lost:.1} % of one; preemptions: {preemptions}"
        )
    }
}

/// What those say who want a CPU each.
struct Wanted {
    together: Barrier,
    /// Of the worst, in nanoseconds a second.
    lost: AtomicU64,
    preemptions: AtomicI64,
}

impl Wanted {
    /// All CPUs, by a process on each. Not by threads: of a process that has ever had two, glibc
    /// checks more in each call that waits, and the calls by hand would be slower to its end.
    fn all() -> &'static Self {
        let cpus = Cpu::all();
        let wanted = share(Self {
            together: Barrier::new(u16::try_from(cpus.len()).expect("a few")),
            lost: AtomicU64::new(0),
            preemptions: AtomicI64::new(0),
        });
        let helpers: Vec<_> =
            cpus.into_iter().map(|cpu| Helper::start(|| wanted.look_on(cpu))).collect();
        for mut helper in helpers {
            assert!(helper.wait().expect("a helper is waited for once").success());
        }
        wanted
    }

    /// Which part of its time this CPU is kept from us, and how often by the scheduler.
    fn look_on(&self, cpu: Cpu) {
        cpu.pin();
        self.together.wait().expect("all are alive");
        let before_spinning = preemptions();
        let start = Instant::now();
        let mut before = start;
        let mut lost = Duration::ZERO;
        while before.duration_since(start) < Duration::from_millis(200) {
            let now = Instant::now();
            let gap = now.duration_since(before);
            if gap > GAP {
                lost += gap;
            }
            before = now;
        }
        let part = lost.as_nanos() * 1_000_000_000 / before.duration_since(start).as_nanos();
        self.lost.fetch_max(u64::try_from(part).unwrap_or(u64::MAX), Relaxed);
        self.preemptions.fetch_add(preemptions() - before_spinning, Relaxed);
    }
}

/// Time of all CPUs together since the machine started, in the kernel's ticks.
struct CpuTime {
    idle: f64,
    all: f64,
}

impl CpuTime {
    fn so_far() -> Self {
        let text = read_to_string("/proc/stat").unwrap_or_default();
        let all_cpus = text.lines().next().unwrap_or_default();
        // user, nice, system, idle, waiting for a disk, interrupts, soft ones, taken away
        let ticks: Vec<f64> =
            all_cpus.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        Self { idle: ticks.iter().skip(3).take(2).sum(), all: ticks.iter().sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::Noise;

    fn noise(busy: f64, lost: f64) -> Noise {
        Noise { load: String::new(), busy, lost, preemptions: 0 }
    }

    #[test]
    fn who_is_busy_or_takes_cpus_away_or_cannot_be_told_is_too_noisy() {
        assert!(!noise(0.01, 0.001).is_too_much());
        assert!(noise(0.2, 0.0).is_too_much());
        assert!(noise(0.0, 0.2).is_too_much());
        assert!(noise(f64::NAN, 0.0).is_too_much());
    }
}
