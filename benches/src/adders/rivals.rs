//! The sums.

use core::hint::black_box;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use rawipc::shm::{Shared, ShmSafe};
use rawipc::sum::{AtomicF64, ExactSum, ShardedSum};
use rawipc::sync::Mutex;

use crate::crowds::{MOST, Rival};
use crate::meeting::Kin::Processes;
use crate::shared::share;

/// What it is called, and how to make the rival of that name.
type Sum = (&'static str, fn(&'static str) -> Rival);

const SUMS: [Sum; 8] = [
    ("rawipc, AtomicF64", atomic),
    ("rawipc, ShardedSum", sharded),
    ("rawipc, ExactSum", exact),
    ("rawipc, Mutex<f64>", locked),
    ("portable-atomic, AtomicF64", portable_atomic),
    ("atomic_float, AtomicF64", atomic_float),
    ("floor: fetch_add of a u64", integer),
    ("floor: plain add, each in its own", cells),
];

pub(super) fn all() -> Vec<Rival> {
    SUMS.into_iter().map(|(name, rival)| rival(name)).collect()
}

/// What is added: not known to the compiler.
fn value() -> f64 {
    black_box(1.5)
}

/// To the end of the process, and shared with those it forks.
fn large<T: ShmSafe>(value: T) -> &'static T {
    Box::leak(Box::new(Shared::anonymous(value).expect("memory")))
}

fn atomic(name: &'static str) -> Rival {
    let sum = share(AtomicF64::new(0.0));
    Rival::new(name, Processes, || _ = black_box(sum.fetch_add(value(), Relaxed)))
}

fn sharded(name: &'static str) -> Rival {
    let sum = large(ShardedSum::<MOST>::new());
    Rival::each(name, Processes, |index| {
        let mut adder = sum.adder_in(index).expect("one's own lane");
        move || adder.add(value())
    })
}

fn exact(name: &'static str) -> Rival {
    let sum = large(ExactSum::<MOST>::new());
    Rival::each(name, Processes, |index| {
        let mut adder = sum.adder_in(index).expect("one's own lane");
        move || adder.add(value())
    })
}

fn locked(name: &'static str) -> Rival {
    let sum = share(Mutex::new(0.0));
    Rival::new(name, Processes, || *sum.lock() += value())
}

fn portable_atomic(name: &'static str) -> Rival {
    let sum = share(portable_atomic::AtomicF64::new(0.0));
    Rival::new(name, Processes, || _ = black_box(sum.fetch_add(value(), Relaxed)))
}

fn atomic_float(name: &'static str) -> Rival {
    let sum = share(atomic_float::AtomicF64::new(0.0));
    Rival::new(name, Processes, || _ = black_box(sum.fetch_add(value(), Relaxed)))
}

fn integer(name: &'static str) -> Rival {
    let sum = share(AtomicU64::new(0));
    Rival::new(name, Processes, || _ = black_box(sum.fetch_add(black_box(1), Relaxed)))
}

/// A page for each: no two share what CPUs fetch together.
fn cells(name: &'static str) -> Rival {
    let cells: Vec<&'static AtomicU64> = (0..MOST).map(|_| share(AtomicU64::new(0))).collect();
    Rival::each(name, Processes, move |index| {
        let cell = cells[index];
        move || cell.store((f64::from_bits(cell.load(Relaxed)) + value()).to_bits(), Relaxed)
    })
}
