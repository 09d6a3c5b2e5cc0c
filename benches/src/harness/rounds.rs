//! The rounds.

use core::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use super::{Contender, Effort};

/// Nanoseconds per call, by contender and round.
pub(crate) fn compare(contenders: &mut [Contender], effort: Effort) -> Vec<Vec<f64>> {
    let times: Vec<u64> = contenders.iter_mut().map(|one| calibrate(one, effort.slice)).collect();
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    let mut results = vec![Vec::with_capacity(effort.rounds); contenders.len()];
    for round in 0..effort.warm_up + effort.rounds {
        fastrand::shuffle(&mut order);
        for &index in &order {
            let elapsed = time_undisturbed(&mut contenders[index], times[index]);
            if round >= effort.warm_up {
                results[index].push(nanoseconds(elapsed) / as_f64(times[index]));
            }
        }
    }
    results
}

/// How many calls fill a slice.
fn calibrate(contender: &mut Contender, slice: Duration) -> u64 {
    let mut times = 1;
    loop {
        let elapsed = time_undisturbed(contender, times);
        if elapsed >= slice / 4 {
            let per_call = nanoseconds(elapsed) / as_f64(times);
            return as_u64(nanoseconds(slice) / per_call).max(1);
        }
        times *= 2;
    }
}

/// A slice in which the scheduler gave the CPU to somebody else is taken again; but not for ever:
/// some contenders start somebody else.
fn time_undisturbed(contender: &mut Contender, times: u64) -> Duration {
    let mut left = 8;
    loop {
        let before = preemptions();
        let elapsed = contender.time(times);
        left -= 1;
        if preemptions() == before || left == 0 {
            return elapsed;
        }
    }
}

/// How often this thread has had to give up the CPU.
pub(crate) fn preemptions() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("this thread's usage");
    usage.involuntary_context_switches()
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^53 calls fit a slice")]
fn as_f64(times: u64) -> f64 {
    times as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of calls, positive and far below 2^53"
)]
fn as_u64(times: f64) -> u64 {
    times as u64
}
