//! `AtomicF64`: what a plain `f64` does, atomically; and no add is lost, whoever adds.

#![allow(clippy::float_cmp, reason = "these numbers are exact")]

mod support;

use core::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
};

use rawipc::process::Child;
use rawipc::shm::Shared;
use rawipc::sum::AtomicF64;
use support::{child, isolated, join};

/// What is most unlike other numbers.
const NUMBERS: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    5e-324,
    -f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    -f64::NAN,
];

/// The same, bit by bit; one NaN is as good as another.
#[track_caller]
fn assert_same(found: f64, expected: f64) {
    let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
    assert!(same, "{found:?}, not {expected:?}");
}

/// Does it with each pair of numbers, and wants the old one back and the new one in place.
#[track_caller]
fn on_all_pairs(fetch: fn(&AtomicF64, f64) -> f64, new: fn(f64, f64) -> f64) {
    for old in NUMBERS {
        for value in NUMBERS {
            let atomic = AtomicF64::new(old);
            assert_eq!(fetch(&atomic, value).to_bits(), old.to_bits(), "the old value");
            assert_same(atomic.load(Relaxed), new(old, value));
        }
    }
}

#[test]
fn it_is_loaded_stored_and_swapped_bit_by_bit() {
    for value in NUMBERS {
        let bits = value.to_bits();
        let atomic = AtomicF64::new(value);
        assert_eq!(atomic.load(SeqCst).to_bits(), bits);
        atomic.store(7.0, SeqCst);
        assert_eq!(atomic.swap(value, AcqRel), 7.0);
        assert_eq!(AtomicF64::from(value).load(Acquire).to_bits(), bits);
        atomic.store(value, Release);
        assert_eq!(atomic.into_inner().to_bits(), bits);
    }
    assert_eq!(AtomicF64::default().into_inner().to_bits(), 0);
}

#[test]
fn a_sum_and_a_difference_are_those_of_plain_numbers() {
    on_all_pairs(|atomic, value| atomic.fetch_add(value, Relaxed), |old, value| old + value);
    on_all_pairs(|atomic, value| atomic.fetch_sub(value, Relaxed), |old, value| old - value);
}

/// The lesser by the order of all numbers in which −0 is below +0; of a number and a NaN, the
/// number.
fn minimum_number(a: f64, b: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, _) => b,
        (_, true) => a,
        _ if a.total_cmp(&b).is_lt() => a,
        _ => b,
    }
}

#[test]
fn the_lesser_and_the_greater_are_those_of_ieee_754_2019() {
    on_all_pairs(|atomic, value| atomic.fetch_min(value, Relaxed), minimum_number);
    on_all_pairs(
        |atomic, value| atomic.fetch_max(value, Relaxed),
        |old, value| -minimum_number(-old, -value),
    );
}

#[test]
fn it_is_exchanged_if_the_bits_are_the_same() {
    for old in NUMBERS {
        for current in NUMBERS {
            let same = old.to_bits() == current.to_bits();
            let bits = |result: Result<f64, f64>| result.map(f64::to_bits).map_err(f64::to_bits);
            let expected = if same { Ok(old.to_bits()) } else { Err(old.to_bits()) };
            let atomic = AtomicF64::new(old);
            assert_eq!(bits(atomic.compare_exchange(current, 9.0, AcqRel, Acquire)), expected);
            assert_eq!(atomic.load(Relaxed).to_bits(), if same { 9.0 } else { old }.to_bits());

            let atomic = AtomicF64::new(old);
            let weak = || atomic.compare_exchange_weak(current, 9.0, SeqCst, Relaxed);
            // It may fail for no reason, but not for ever.
            let result = (0..1000).map(|_| weak()).find(|result| result.is_ok() || !same);
            assert_eq!(bits(result.expect("an exchange")), expected);
        }
    }
}

#[test]
fn an_update_is_given_up_on_none() {
    let atomic = AtomicF64::new(2.0);
    assert_eq!(atomic.fetch_update(AcqRel, Acquire, |old| Some(old * old)), Ok(2.0));
    assert_eq!(atomic.fetch_update(AcqRel, Acquire, |_| None), Err(4.0));
    assert_eq!(atomic.load(Relaxed), 4.0);
}

#[test]
fn its_bits_are_those_of_an_integer_in_the_same_place() {
    let bits = AtomicU64::new(1.5_f64.to_bits());
    let atomic = AtomicF64::from_bits(&bits);
    assert_eq!(atomic.fetch_add(1.0, Relaxed), 1.5);
    assert_eq!(bits.load(Relaxed), 2.5_f64.to_bits());
    assert!(core::ptr::eq(atomic.as_bits(), &raw const bits));
    let mut atomic = AtomicF64::new(1.0);
    *atomic.get_mut() += 0.5;
    assert_eq!(format!("{atomic:?}"), "1.5");
}

/// Integers, which doubles add exactly.
#[test]
fn no_process_loses_an_add() {
    isolated(|| {
        for processes in [2_u32, 16] {
            let adds = 20_000;
            let numbers = Shared::anonymous([(); 2].map(|()| AtomicF64::new(0.0))).unwrap();
            let add = |process: u32| {
                let value = f64::from(process + 1);
                for _ in 0..adds {
                    numbers[0].fetch_add(value, Relaxed);
                    numbers[0].fetch_sub(1.0, Relaxed);
                    numbers[1].fetch_max(value, Relaxed);
                }
            };
            let children: Vec<Child> = (0..processes).map(|one| child(|| add(one))).collect();
            children.into_iter().for_each(join);
            let sum = f64::from(adds) * f64::from(processes * (processes - 1) / 2);
            assert_eq!(numbers[0].load(Relaxed), sum);
            assert_eq!(numbers[1].load(Relaxed), f64::from(processes));
        }
    });
}
