//! One value at a time.

use core::hint::black_box;
use core::sync::atomic::Ordering::Relaxed;

use rawipc::shm::Shared;
use rawipc::sum::{AtomicF64, ExactSum, ShardedSum};

use super::rival::Rival;
use crate::harness::{Contender, Group};
use crate::place::Cpu;

pub(super) const GROUPS: &[Group] = &[
    Group { name: "an add, alone", contenders: alone },
    Group { name: "an add, while another process adds", contenders: contended },
];

const NAMES: [&str; 4] = ["portable-atomic", "AtomicF64", "ShardedSum", "ExactSum"];

/// To the end of the process, and shared with those it forks.
fn shared<T: rawipc::shm::ShmSafe>(value: T) -> &'static T {
    Box::leak(Box::new(Shared::anonymous(value).expect("memory")))
}

/// One of `portable-atomic`'s, in the bits of one of ours.
fn portable(number: &'static AtomicF64) -> &'static portable_atomic::AtomicF64 {
    // SAFETY: both are transparent, of an atomic word of 64 bits, and any bits are a number.
    unsafe { &*core::ptr::from_ref(number).cast() }
}

/// Adds so many times.
type Adds = Box<dyn FnMut(u64)>;

/// An adder of each kind, and another one for the same sum.
fn pairs() -> [[Adds; 2]; 4] {
    fn repeat(mut add: impl FnMut(f64) + 'static) -> Adds {
        Box::new(move |times| (0..times).for_each(|_| add(black_box(1.5))))
    }
    let theirs = portable(shared(AtomicF64::new(0.0)));
    let ours = shared(AtomicF64::new(0.0));
    let sharded = shared(ShardedSum::<2>::new());
    let exact = shared(ExactSum::<2>::new());
    [
        [(), ()].map(|()| repeat(|value| _ = theirs.fetch_add(value, Relaxed))),
        [(), ()].map(|()| repeat(|value| _ = ours.fetch_add(value, Relaxed))),
        [0, 1].map(|lane| {
            let mut adder = sharded.adder_in(lane).expect("a lane");
            repeat(move |value| adder.add(value))
        }),
        [0, 1].map(|lane| {
            let mut adder = exact.adder_in(lane).expect("a lane");
            repeat(move |value| adder.add(value))
        }),
    ]
}

fn alone() -> Vec<Contender> {
    let contender = |(name, [add, _]): (_, [Adds; 2])| Contender::repeating(name, add);
    let mut all: Vec<Contender> = NAMES.into_iter().zip(pairs()).map(contender).collect();
    let theirs = atomic_float::AtomicF64::new(0.0);
    all.push(Contender::new("atomic_float", move || theirs.fetch_add(black_box(1.5), Relaxed)));
    let mut plain = 0.0;
    all.push(Contender::new("plain, not shared", move || {
        plain += black_box(1.5);
        black_box(&mut plain);
    }));
    all
}

fn contended() -> Vec<Contender> {
    if Cpu::away().is_none() {
        return Vec::new();
    }
    let contender = |(name, [mut mine, theirs]): (_, [Adds; 2])| {
        let rival = Rival::start(theirs);
        Contender::repeating(name, move |times| rival.during(|| mine(times)))
    };
    NAMES.into_iter().zip(pairs()).map(contender).collect()
}
