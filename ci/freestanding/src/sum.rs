//! Sums.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use rawipc::sum::{AtomicF64, ExactSum, ShardedSum};

pub fn run() {
    number();
    sharded();
    exact();
}

fn number() {
    let bits = AtomicU64::new(0);
    let number = AtomicF64::from_bits(&bits);
    number.store(1.0, Release);
    assert_eq!(number.fetch_add(2.0, AcqRel), 1.0);
    assert_eq!(number.fetch_sub(1.0, AcqRel), 3.0);
    assert_eq!(number.fetch_min(1.5, AcqRel), 2.0);
    assert_eq!(number.fetch_max(2.5, AcqRel), 1.5);
    assert_eq!(number.compare_exchange(0.0, 1.0, AcqRel, Acquire), Err(2.5));
    assert_eq!(number.compare_exchange_weak(0.0, 1.0, AcqRel, Acquire), Err(2.5));
    assert_eq!(number.fetch_update(AcqRel, Acquire, |old| Some(2.0 * old)), Ok(2.5));
    assert_eq!((number.load(Acquire), number.swap(0.5, AcqRel)), (5.0, 5.0));
    assert_eq!(number.as_bits().load(Relaxed), 0.5_f64.to_bits());
    let mut own = AtomicF64::new(1.0);
    *own.get_mut() += 1.0;
    assert_eq!(own.into_inner(), 2.0);
}

fn sharded() {
    let sum = ShardedSum::<2>::new();
    let mut adder = sum.adder().expect("a lane");
    adder.add(1.5);
    assert!(sum.adder_in(0).is_none());
    sum.reclaim(1).expect("a lane").add(1.0);
    assert_eq!(sum.sum(), 2.5);
}

fn exact() {
    let sum = ExactSum::<2>::new();
    let mut adder = sum.adder().expect("a lane");
    adder.add(1e300);
    assert!(sum.adder_in(0).is_none());
    sum.reclaim(1).expect("a lane").add_slice(&[1.0, -1e300]);
    assert_eq!((sum.sum(), ExactSum::total([&sum, &ExactSum::new()])), (1.0, 1.0));
}
