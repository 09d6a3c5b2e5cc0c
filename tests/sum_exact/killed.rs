//! An adder that is killed, after any instruction, has added or has not: nothing in between. The
//! same for one that is killed while it puts in order what another has left.
//!
//! What a killed process leaves is what is in the memory. So it is enough to look after each
//! instruction that changes the memory: after any other, it leaves the same.

use rawipc::shm::Shared;
use rawipc::sum::{ExactAdder, ExactSum};
use rawipc::zerocopy::FromBytes;

use crate::oracle::assert_sum;
use crate::support::isolated;
use crate::support::step::Stepped;

type Sum = ExactSum<1>;
type Bytes = [u64; size_of::<Sum>() / 8];

/// What is in the memory.
fn bytes(sum: &Sum) -> Bytes {
    // SAFETY: of that size and aligned to more; any bytes are words; and whoever else could write
    // there is stopped or dead.
    unsafe { core::ptr::from_ref(sum).cast::<Bytes>().read_volatile() }
}

fn restored(bytes: &Bytes) -> Shared<Sum> {
    let bytes: Vec<u8> = bytes.iter().flat_map(|word| word.to_ne_bytes()).collect();
    Shared::anonymous(Sum::read_from_bytes(&bytes).expect("as many")).expect("memory")
}

/// A process that is about to do `act` in `sum`. None where processes may not be traced.
fn start<T>(sum: &Sum, prepare: impl Fn(&Sum) -> T, act: impl Fn(&Sum, &mut T)) -> Option<Stepped> {
    Stepped::start(|| prepare(sum), |prepared| act(sum, prepared))
}

/// All that is in the memory while a process takes its steps, and after how many of them.
fn changes(sum: &Sum, stepped: &Stepped) -> Vec<(usize, Bytes)> {
    let mut all = vec![(0, bytes(sum))];
    let mut steps = 0;
    while stepped.step() {
        steps += 1;
        let now = bytes(sum);
        if all.last().is_some_and(|(_, last)| *last != now) {
            all.push((steps, now));
        }
    }
    all
}

/// The sum is that of `before`, or that with `added`; and whatever is added now, is.
fn assert_all_or_nothing(remains: &Bytes, before: &[f64], after: &[f64]) -> bool {
    let sum = restored(remains);
    let (not_yet, already) = (expected(before), expected(after));
    let found = sum.sum();
    assert!(
        [not_yet, already].contains(&found.to_bits()),
        "{found:e}, neither before ({:e}) nor after ({:e})",
        f64::from_bits(not_yet),
        f64::from_bits(already)
    );
    // Which of the two, with what rounding hides.
    let has_added = found.to_bits() == already && not_yet != already;
    let mut all = if has_added { after.to_vec() } else { before.to_vec() };
    let mut adder = sum.reclaim(0).expect("a lane");
    assert_eq!(sum.sum().to_bits(), found.to_bits(), "being put in order changes nothing");
    for more in [1.5, -2.5e-310, 1e308, -X, f64::MAX] {
        adder.add(more);
        all.push(more);
        assert_sum(&all, sum.sum());
    }
    adder.add_slice(&[-0.1; 100]);
    all.extend([-0.1; 100]);
    drop(adder);
    assert_sum(&all, sum.sum());
    has_added
}

/// The bits of the sum.
fn expected(values: &[f64]) -> u64 {
    let sum = Sum::new();
    sum.adder().expect("a lane").extend(values.iter().copied());
    assert_sum(values, sum.sum());
    sum.sum().to_bits()
}

/// Bits in two digits.
const X: f64 = 1.1e50;

/// Kills one who adds `values` to a lane that has `before`, everywhere; and then those who recover
/// what is left, everywhere.
fn killed_anywhere(before: &[f64], values: &[f64], add: fn(&mut ExactAdder<'_>, &[f64])) {
    let sum = Sum::new();
    sum.adder().expect("a lane").extend(before.iter().copied());
    killed_anywhere_in(&sum, before, values, add);
}

fn killed_anywhere_in(
    sum: &Sum,
    before: &[f64],
    values: &[f64],
    add: fn(&mut ExactAdder<'_>, &[f64]),
) {
    let before_it = bytes(sum);
    let start_adder = |sum: &Sum| {
        let act = |_: &Sum, adder: &mut Option<ExactAdder<'static>>| {
            add(adder.as_mut().expect("a lane"), values);
        };
        start(sum, claim, act)
    };
    let memory = restored(&before_it);
    let Some(adder) = start_adder(&memory) else { return };
    let all = changes(&memory, &adder);
    drop(adder);
    assert!(all.len() > 4, "it takes some stores: {}", all.len());

    let after: Vec<f64> = before.iter().chain(values).copied().collect();
    let mut has_added = Vec::new();
    for (steps, left) in &all {
        // Not where it is a long way there: a slice, compiled without optimisation.
        if *steps < 10_000 {
            let memory = restored(&before_it);
            let adder = start_adder(&memory).expect("as before");
            (0..*steps).for_each(|_| assert!(adder.step()));
            drop(adder);
            assert_eq!(bytes(&memory), *left, "what one leaves that is killed here");
        }
        has_added.push(assert_all_or_nothing(left, before, &after));
        assert_recovery_is_idempotent(left, before, &after);
    }
    assert!(has_added.is_sorted(), "once it is there, it stays: {has_added:?}");
    if expected(before) != expected(&after) {
        assert_eq!((has_added.first(), has_added.last()), (Some(&false), Some(&true)));
    }
}

/// A lane's adder, for as long as the process lives: it is never given back.
fn claim(sum: &Sum) -> Option<ExactAdder<'static>> {
    // SAFETY: the memory is mapped until the process is killed.
    let sum: &'static Sum = unsafe { &*core::ptr::from_ref(sum) };
    sum.adder()
}

/// Whatever one leaves who is killed while putting this in order, it is still the same sum.
fn assert_recovery_is_idempotent(killed: &Bytes, before: &[f64], after: &[f64]) {
    let added = assert_all_or_nothing(killed, before, after);
    let memory = restored(killed);
    let recover = |sum: &Sum, (): &mut ()| core::mem::forget(sum.reclaim(0));
    let recoverer = start(&memory, |_| (), recover).expect("as before");
    for (_, left) in changes(&memory, &recoverer) {
        assert_eq!(assert_all_or_nothing(&left, before, after), added, "not idempotent");
    }
}

fn one(adder: &mut ExactAdder<'_>, values: &[f64]) {
    adder.extend(values.iter().copied());
}

fn at_once(adder: &mut ExactAdder<'_>, values: &[f64]) {
    adder.add_slice(values);
}

#[test]
fn an_add_is_all_or_nothing() {
    isolated(|| killed_anywhere(&[X / 3.0, 1.0], &[X], one));
}

#[test]
fn the_first_add_is_all_or_nothing() {
    isolated(|| killed_anywhere(&[], &[-X], one));
}

#[test]
fn an_add_to_other_digits_than_before_is_all_or_nothing() {
    isolated(|| {
        killed_anywhere(&[1e-300, 1e300], &[1e-308], one);
        killed_anywhere(&[1.0], &[1e308], one);
    });
}

#[test]
fn an_add_that_carries_is_all_or_nothing() {
    isolated(|| {
        let value = f64::from_bits(X.to_bits() | ((1 << 52) - 1));
        let before = vec![value; adds_until_it_carries(value)];
        killed_anywhere(&before, &[value], one);
    });
}

/// How often that is added before it is more than one deposit.
fn adds_until_it_carries(value: f64) -> usize {
    // A deposit makes the mark two more.
    let mark = |sum: &Sum| bytes(sum)[1];
    let sum = Sum::new();
    let mut adder = sum.adder().expect("a lane");
    let is_one_deposit = |_: &usize| {
        let before = mark(&sum);
        adder.add(value);
        mark(&sum) == before + 2
    };
    (0..10_000).take_while(is_one_deposit).count()
}

#[test]
fn an_add_of_an_infinity_is_all_or_nothing() {
    isolated(|| {
        let before = Sum::new();
        before.adder().expect("a lane").extend([X, 1.0]);
        let add = |_: &Sum, adder: &mut Option<ExactAdder<'static>>| {
            adder.as_mut().expect("a lane").add(f64::INFINITY);
        };
        let memory = restored(&bytes(&before));
        let Some(adder) = start(&memory, claim, add) else { return };
        let all = changes(&memory, &adder);
        let found: Vec<f64> = all.iter().map(|(_, left)| restored(left).sum()).collect();
        assert!(found.len() > 3 && found.is_sorted(), "{found:?}");
        assert!(found.iter().all(|sum| [X, f64::INFINITY].contains(sum)), "{found:?}");
        assert_eq!((found.first(), found.last()), (Some(&X), Some(&f64::INFINITY)));
        for ((_, left), found) in all.iter().zip(found) {
            let sum = restored(left);
            let mut adder = sum.reclaim(0).expect("a lane");
            adder.add(-X);
            assert_eq!(sum.sum(), if found == X { 1.0 } else { f64::INFINITY });
        }
    });
}

#[test]
fn a_first_negative_zero_and_what_follows_is_all_or_nothing() {
    isolated(|| {
        killed_anywhere(&[], &[-0.0], one);
        killed_anywhere(&[-0.0], &[0.0], one);
        killed_anywhere(&[-0.0], &[5e-324], one);
    });
}

#[test]
fn a_slice_is_all_or_nothing() {
    isolated(|| {
        killed_anywhere(&[1.0, 1e-200], &[X, -1.0, 1e200, -3e-100], at_once);
        killed_anywhere(&[1.0], &[-0.1; 40], at_once);
    });
}

#[test]
fn an_add_that_answers_a_reader_is_all_or_nothing() {
    isolated(|| {
        let sum = Sum::new();
        let before = [X, 1.0, -1e-100];
        sum.adder().expect("a lane").extend(before);
        let mut asked = bytes(&sum);
        ask(&mut asked);
        killed_anywhere_in(&restored(&asked), &before, &[2.0 * X], one);
    });
}

/// As a reader does that found no moment of rest.
fn ask(lane: &mut Bytes) {
    // Where the part begins that readers write to.
    const READERS: usize = 768;
    lane[READERS / 8] += 1;
}
