//! Sums. What is recovered of an adder that was killed is tested with real processes, which are
//! killed at every instruction: `tests/sum_exact/killed.rs`.

#![allow(clippy::float_cmp, reason = "sums that are exact")]

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use loom::model;
use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::AtomicU32;
use loom::thread::{self, JoinHandle};
use rawipc::sum::{AtomicF64, ExactAdder, ExactSum, ShardedSum};

fn beside<S: 'static, T: 'static>(
    what: &Arc<S>,
    task: impl FnOnce(&S) -> T + 'static,
) -> JoinHandle<T> {
    let what = Arc::clone(what);
    thread::spawn(move || task(&what))
}

/// As `loom::model`, but of those schedules only in which threads are interrupted so often at most:
/// an exact sum is many atomics.
fn model_interrupted(most: usize, task: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(most);
    builder.check(task);
}

/// Whoever adds is told a value that there was, as if one add had come after the other.
#[test]
fn no_add_is_lost() {
    model(|| {
        let sum = Arc::new(AtomicF64::new(0.0));
        let other = beside(&sum, |sum| sum.fetch_add(1.0, Relaxed));
        let old = sum.fetch_add(2.0, Relaxed);
        let others_old = other.join().unwrap();
        assert!((old, others_old) == (0.0, 2.0) || (old, others_old) == (1.0, 0.0));
        assert_eq!(sum.load(Relaxed), 3.0);
    });
}

#[test]
fn none_of_three_adds_is_lost() {
    model_interrupted(3, || {
        let sum = Arc::new(AtomicF64::new(0.0));
        let others = [1.0, 2.0].map(|value| beside(&sum, move |sum| sum.fetch_sub(value, Relaxed)));
        sum.fetch_max(-8.0, Relaxed);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(sum.load(Relaxed), -3.0);
    });
}

/// An add has the ordering that it is given.
#[test]
fn what_was_done_before_an_add_is_seen() {
    model(|| {
        let shared = Arc::new((AtomicF64::new(0.0), AtomicU32::new(0)));
        let adder = beside(&shared, |(sum, done)| {
            done.store(1, Relaxed);
            sum.fetch_add(1.0, Release);
        });
        let (sum, done) = &*shared;
        if sum.fetch_add(2.0, AcqRel) == 1.0 || sum.load(Acquire) == 3.0 {
            assert_eq!(done.load(Relaxed), 1);
        }
        adder.join().unwrap();
    });
}

/// In sums with lanes, whoever sees an add sees what was done before it.
macro_rules! adds_publish {
    ($($name:ident: $sum:ty),*) => {$(
        #[test]
        fn $name() {
            model(|| {
                let shared = Arc::new((<$sum>::new(), AtomicU32::new(0)));
                let reader = beside(&shared, |(sum, done)| {
                    if sum.sum() == 1.0 {
                        assert_eq!(done.load(Relaxed), 1);
                    }
                });
                let (sum, done) = &*shared;
                let mut adder = sum.adder().unwrap();
                done.store(1, Relaxed);
                adder.add(1.0);
                reader.join().unwrap();
                assert_eq!(sum.sum(), 1.0);
            });
        }
    )*};
}
adds_publish! { sharded_adds_publish: ShardedSum<1>, exact_adds_publish: ExactSum<1> }

/// Whoever has a lane after another goes on where that has stopped.
macro_rules! a_lane_is_handed_over {
    ($($name:ident: $sum:ty),*) => {$(
        #[test]
        fn $name() {
            model_interrupted(3, || {
                let sum = Arc::new(<$sum>::new());
                let add = |sum: &$sum| {
                    sum.adder().map(|mut adder| adder.add(1.0)).is_some()
                };
                let other = beside(&sum, add);
                let adds = u8::from(add(&sum)) + u8::from(other.join().unwrap());
                assert_eq!(sum.sum(), f64::from(adds));
            });
        }
    )*};
}
a_lane_is_handed_over! { a_sharded_lane: ShardedSum<1>, an_exact_lane: ExactSum<1> }

/// With bits in two digits.
fn value() -> f64 {
    f64::from_bits(9 << 52 | 1)
}

/// While `add` is at it, each of so many readers sees sums that there were, in their order.
///
/// The adder is the thread that goes first: of those who load the same, loom remembers but the
/// last, and a writer that has loaded what it then stores hides the readers before it.
fn readers_see<const READERS: usize, const SUMS: usize>(
    interruptions: Option<usize>,
    add: fn(&mut ExactAdder<'_>),
    sums: [f64; SUMS],
) {
    let mut builder = Builder::new();
    builder.preemption_bound = interruptions;
    builder.check(move || {
        let sum = Arc::new(ExactSum::<1>::new());
        let reader = move |sum: &ExactSum<1>| {
            let found = sum.sum();
            let place = sums.iter().position(|sum| sum.to_bits() == found.to_bits());
            assert!(place.is_some(), "there never was {found:e}");
        };
        let readers: [_; READERS] = core::array::from_fn(|_| beside(&sum, reader));
        let mut adder = sum.adder().unwrap();
        add(&mut adder);
        for reader in readers {
            reader.join().unwrap();
        }
        assert_eq!(sum.sum().to_bits(), sums.last().unwrap().to_bits());
    });
}

#[test]
fn a_deposit_is_seen_whole() {
    readers_see::<1, _>(None, |adder| adder.add(value()), [0.0, value()]);
}

/// Whoever has read across the first asks for a copy, which the second makes. (That a copy may be
/// replaced while it is read takes more threads and adds than loom gets through: this is tested
/// with real processes, `a_reader_that_is_outrun_at_every_instruction_gets_there`.)
#[test]
fn each_of_two_deposits_is_seen_whole() {
    let add = |adder: &mut ExactAdder<'_>| {
        adder.add(value());
        adder.add(-value());
    };
    readers_see::<1, _>(Some(2), add, [value(), 0.0]);
}

#[test]
fn two_readers_see_whole_deposits() {
    let add = |adder: &mut ExactAdder<'_>| adder.add(value());
    readers_see::<2, _>(Some(1), add, [0.0, value()]);
}

#[test]
fn a_slice_is_seen_whole() {
    let add = |adder: &mut ExactAdder<'_>| {
        adder.add(value());
        adder.add_slice(&[value(), -4.0 * value()]);
    };
    readers_see::<1, _>(Some(1), add, [0.0, value(), -2.0 * value()]);
}

#[test]
fn flags_are_seen_with_their_deposit() {
    let add = |adder: &mut ExactAdder<'_>| {
        adder.add(-0.0);
        adder.add(f64::INFINITY);
    };
    readers_see::<1, _>(Some(2), add, [0.0, -0.0, f64::INFINITY]);
}
