//! Whose a lane is.

use rawipc::sum::ExactSum;

#[test]
fn each_lane_is_claimed_once() {
    let sum = ExactSum::<3>::new();
    let adders = [sum.adder(), sum.adder(), sum.adder()];
    assert!(adders.iter().all(Option::is_some));
    assert!(sum.adder().is_none());
    assert!((0..3).all(|lane| sum.adder_in(lane).is_none()));
}

#[test]
fn a_lane_is_given_back_when_its_adder_is_dropped() {
    let sum = ExactSum::<2>::new();
    let mut first = sum.adder_in(1).unwrap();
    first.add(1.0);
    assert!(sum.adder_in(1).is_none());
    drop(first);
    let mut again = sum.adder_in(1).unwrap();
    again.add(2.0);
    assert_eq!(sum.sum(), 3.0);
    assert!(sum.adder_in(0).is_some(), "the other was never taken");
}

#[test]
fn a_lane_of_one_that_never_gave_back_is_reclaimed() {
    let sum = ExactSum::<1>::new();
    let mut gone = sum.adder().unwrap();
    gone.add(1.0);
    core::mem::forget(gone);
    assert!(sum.adder().is_none());
    let mut adder = sum.reclaim(0).unwrap();
    adder.add(2.0);
    assert!(sum.adder().is_none(), "it is taken, by another");
    drop(adder);
    assert!(sum.adder().is_some());
    assert_eq!(sum.sum(), 3.0);
}

#[test]
fn there_is_no_lane_beyond_the_last() {
    let sum = ExactSum::<2>::new();
    assert!(sum.adder_in(2).is_none());
    assert!(sum.reclaim(2).is_none());
    let none = ExactSum::<0>::new();
    assert!(none.adder().is_none());
    assert_eq!(none.sum().to_bits(), 0);
}

#[test]
fn what_is_shown_is_the_sum() {
    let sum = ExactSum::<1>::default();
    let mut adder = sum.adder().unwrap();
    adder.add(0.5);
    assert_eq!(format!("{sum:?} {adder:?}"), "ExactSum(0.5) ExactAdder { .. }");
}
