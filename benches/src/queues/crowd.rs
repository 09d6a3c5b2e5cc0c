//! Several who push and several who pop, half of each on each of two CPUs.

use core::hint::{black_box, spin_loop};
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;
use std::thread;

use crossbeam_queue::ArrayQueue;
use rawipc::queue::Mpmc;

use super::channels::room;
use super::streams::Stream;
use super::team::Part;
use crate::meeting::Kin;
use crate::place::Cpu;
use crate::shared::share;

/// How many values the queues hold.
const ROOM: usize = 4096;
/// How many values are dealt out at once.
const HAND: u64 = 64;
/// How many hands there are in what is done once.
const HANDS: u64 = 16;

/// So many to so many.
pub(super) fn each<const SIDE: usize>(away: Cpu) -> Vec<Stream> {
    let queue: &Mpmc<u64, ROOM> = room();
    let waiting: &Mpmc<u64, ROOM> = room();
    let theirs = Arc::new(ArrayQueue::<u64>::new(ROOM));
    let same = Arc::clone(&theirs);
    vec![
        crowd::<SIDE>(
            "rawipc, Mpmc",
            Kin::Processes,
            away,
            || until(|| queue.try_push(black_box(7))),
            || black_box(until(|| queue.try_pop())),
        ),
        crowd::<SIDE>(
            "rawipc, Mpmc, push and pop",
            Kin::Processes,
            away,
            || waiting.push(black_box(7)).expect("open"),
            || black_box(waiting.pop().expect("open")),
        ),
        crowd::<SIDE>(
            "crossbeam, ArrayQueue",
            Kin::Threads,
            away,
            move || until(|| theirs.push(black_box(7))),
            move || black_box(until(|| same.pop().ok_or(()))),
        ),
    ]
}

fn crowd<const SIDE: usize>(
    name: &'static str,
    kin: Kin,
    away: Cpu,
    push: impl FnMut() + Clone + Send + 'static,
    pop: impl FnMut() -> u64 + Clone + Send + 'static,
) -> Stream {
    let (pushing, popping) = (share(AtomicU64::new(0)), share(AtomicU64::new(0)));
    let parts = (0..SIDE).flat_map(|index| {
        let cpu = if index % 2 == 0 { Cpu::home() } else { away };
        let mut pop = pop.clone();
        [(cpu, share_of(pushing, push.clone())), (cpu, share_of(popping, move || _ = pop()))]
    });
    Stream::among(name, kin, HANDS * HAND, parts.collect())
}

/// The part of one of those who do something until it has been done so often by all together.
/// Whoever is faster does more.
fn share_of(dealt: &'static AtomicU64, mut once: impl FnMut() + Send + 'static) -> Part {
    let mut all = 0;
    Box::new(move |times| {
        all += times * HANDS;
        let deal = |hands| (hands < all).then_some(hands + 1);
        while dealt.fetch_update(Relaxed, Relaxed, deal).is_ok() {
            (0..HAND).for_each(|_| once());
        }
    })
}

/// Looks some times, and then lets those get on who share this CPU.
fn until<T, E>(mut attempt: impl FnMut() -> Result<T, E>) -> T {
    loop {
        for _ in 0..16 {
            if let Ok(done) = attempt() {
                return done;
            }
            spin_loop();
        }
        thread::yield_now();
    }
}
