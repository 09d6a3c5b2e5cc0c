//! A probe of the machine itself: one cache line, bounced between the two CPUs.
//!
//! A hypervisor may move two virtual CPUs onto one core, and away again. What two processes say to
//! each other is then much faster, whoever says it. So each round is bracketed by this probe, and
//! does not count if the probe before or after it differs from the run's.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

use crate::harness::Spread;
use crate::helper::Helper;
use crate::place::Cpu;
use crate::shared::share;
use rawipc::pipe::{Pipe, Writer};

/// How many times the line goes there and back in one batch; one batch is one value.
const BATCH: u32 = 64;
const BATCHES: u32 = 9;

/// The line, and somebody on another CPU who sends it back.
pub(super) struct Bounce {
    line: &'static AtomicU32,
    start: Writer,
    _partner: Helper,
}

impl Bounce {
    pub(super) fn new(away: Cpu) -> Self {
        let line = share(AtomicU32::new(0));
        let Pipe { reader, writer: start } = Pipe::new().expect("a pipe");
        let partner = Helper::start(move || {
            away.pin();
            while reader.read(&mut [0; 1]).is_ok_and(|token| !token.is_empty()) {
                (0..BATCH * BATCHES).for_each(|_| send_back(line));
            }
        });
        Self { line, start, _partner: partner }
    }

    /// Nanoseconds for the line to go there and back.
    pub(super) fn measure(&self) -> f64 {
        self.start.write(&[0]).expect("a partner");
        let batch = |_| {
            let start = Instant::now();
            (0..BATCH).for_each(|_| send(self.line));
            start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
        };
        let batches: Vec<f64> = (0..BATCHES).map(batch).collect();
        // The first one has waited for the partner to wake up.
        Spread::of(&batches[1..]).median
    }
}

/// Makes the number odd and waits until it is even again.
fn send(line: &AtomicU32) {
    let sent = line.load(Relaxed).wrapping_add(1);
    line.store(sent, Relaxed);
    while line.load(Relaxed) == sent {
        spin_loop();
    }
}

/// Waits until the number is odd and makes it even.
fn send_back(line: &AtomicU32) {
    loop {
        let sent = line.load(Relaxed);
        if sent % 2 == 1 {
            return line.store(sent.wrapping_add(1), Relaxed);
        }
        spin_loop();
    }
}

/// What was measured, between two probes.
pub(crate) struct Bracketed<T> {
    pub(crate) measured: T,
    /// What the line between the CPUs took before and after, if there are two.
    pub(super) bounces: Option<[f64; 2]>,
}

impl<T> Bracketed<T> {
    /// What the line took meanwhile, as far as one knows.
    fn bounce(&self) -> Option<f64> {
        self.bounces.map(|[before, after]| before.midpoint(after))
    }
}

/// The rounds whose probes agree with the run's, and what there is to say about it.
pub(crate) fn undisturbed<T>(rounds: &[Bracketed<T>]) -> (Option<String>, Vec<&Bracketed<T>>) {
    let probes: Vec<f64> = rounds.iter().filter_map(|round| round.bounces).flatten().collect();
    if probes.is_empty() {
        return (None, rounds.iter().collect());
    }
    let usual = Spread::of(&probes).median;
    let agrees = |probe: f64| (usual / 1.5..usual * 1.5).contains(&probe);
    let kept: Vec<_> = rounds
        .iter()
        .filter(|round| round.bounces.is_none_or(|bounces| bounces.into_iter().all(agrees)))
        .collect();
    let dropped = rounds.len() - kept.len();
    let said = format!("a cache line there and back: {usual:.0} ns; {dropped} rounds dropped.");
    (Some(said), kept)
}

/// How often the bare cache line goes there and back meanwhile, from a time of each round; nothing
/// on one CPU.
pub(crate) fn in_lines<T>(rounds: &[&Bracketed<T>], times: &[f64]) -> Option<f64> {
    let bounces = rounds.iter().map(|round| round.bounce());
    let ratios: Option<Vec<f64>> =
        bounces.zip(times).map(|(bounce, time)| Some(time / bounce?)).collect();
    ratios.map(|ratios| Spread::of(&ratios).median)
}
