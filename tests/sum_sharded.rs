//! `ShardedSum`: lanes that are one adder's each, and what they come to.

#![allow(clippy::float_cmp, reason = "these sums are exact")]

mod support;

use rawipc::process::{Child, Signal};
use rawipc::shm::Shared;
use rawipc::sum::ShardedSum;
use support::{child, eventually, isolated, join, wait};

#[test]
fn lanes_are_folded_from_the_first_to_the_last() {
    let sum = ShardedSum::<3>::new();
    assert_eq!(sum.sum().to_bits(), 0);
    for (lane, value) in [(2, 1.0), (0, 1e16), (1, 1.0)] {
        sum.adder_in(lane).unwrap().add(value);
    }
    assert_eq!(sum.sum(), (1e16 + 1.0) + 1.0);
    assert_eq!(format!("{sum:?}"), format!("ShardedSum({:?})", sum.sum()));
}

#[test]
fn each_lane_is_claimed_once_and_given_back() {
    let sum = ShardedSum::<2>::default();
    let (first, second) = (sum.adder().unwrap(), sum.adder().unwrap());
    assert!(sum.adder().is_none());
    assert!(sum.adder_in(0).is_none() && sum.adder_in(1).is_none());
    drop(second);
    assert!(sum.adder_in(0).is_none());
    assert!(sum.adder_in(1).is_some());
    drop(first);
    assert!(sum.adder_in(0).is_some());
}

#[test]
fn there_is_no_lane_beyond_the_last() {
    let sum = ShardedSum::<1>::new();
    assert!(sum.adder_in(1).is_none() && sum.reclaim(1).is_none());
    assert!(ShardedSum::<0>::new().adder().is_none());
}

#[test]
fn a_lane_goes_on_where_its_last_adder_stopped() {
    let sum = ShardedSum::<1>::new();
    let mut adder = sum.adder().unwrap();
    adder.add(1.0);
    assert_eq!(format!("{adder:?}"), "ShardedAdder(1.0)");
    core::mem::forget(adder);
    let mut adder = sum.reclaim(0).unwrap();
    adder.add(2.0);
    assert!(sum.adder().is_none());
    drop(adder);
    sum.adder().unwrap().add(4.0);
    assert_eq!(sum.sum(), 7.0);
}

/// Integers, which doubles add exactly.
#[test]
fn no_process_loses_an_add() {
    isolated(|| {
        let sum = Shared::anonymous(ShardedSum::<4>::new()).unwrap();
        let add = || {
            let mut left = 100;
            while left > 0 {
                // More adders than lanes.
                let Some(mut adder) = sum.adder() else { continue };
                (0..1000).for_each(|_| adder.add(1.0));
                left -= 1;
            }
        };
        let children: Vec<Child> = (0..8).map(|_| child(add)).collect();
        children.into_iter().for_each(join);
        assert_eq!(sum.sum(), 800_000.0);
    });
}

#[test]
fn a_sum_that_only_grows_is_never_seen_to_shrink() {
    isolated(|| {
        let sum = Shared::anonymous(ShardedSum::<2>::new()).unwrap();
        let adders = [0, 1].map(|lane| {
            child(|| {
                let mut adder = sum.adder_in(lane).unwrap();
                (0..200_000).for_each(|_| adder.add(1.0));
            })
        });
        let mut last = 0.0;
        eventually("all is added", || {
            let now = sum.sum();
            assert!(now >= last);
            last = now;
            now == 400_000.0
        });
        adders.into_iter().for_each(join);
    });
}

#[test]
fn what_a_killed_adder_has_added_stays() {
    isolated(|| {
        let sum = Shared::anonymous(ShardedSum::<1>::new()).unwrap();
        let mut adder = child(|| {
            let mut adder = sum.adder().unwrap();
            loop {
                adder.add(1.0);
            }
        });
        eventually("it adds", || sum.sum() > 1000.0);
        adder.kill(Signal::KILL).unwrap();
        wait(&mut adder);
        let left = sum.sum();
        assert!(sum.adder().is_none());
        sum.reclaim(0).unwrap().add(0.5);
        assert_eq!(sum.sum(), left + 0.5);
        assert!(sum.adder().is_some());
    });
}
