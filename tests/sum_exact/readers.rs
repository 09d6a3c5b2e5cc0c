//! Who reads while others add sees sums that there were, and never waits for anybody.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rawipc::process::{Child, Signal};
use rawipc::shm::Shared;
use rawipc::sum::{ExactAdder, ExactSum};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::support::step::Stepped;
use crate::support::{child, eventually, isolated, join, wait};

/// Both have bits in two digits, far apart.
const X: f64 = 1.1e50;
const Y: f64 = -3.3e-200;

type Sum = Shared<ExactSum<2>>;

/// A child that never rests, and never leaves any other sum than [`IN_BETWEEN`] for long.
fn restless(sum: &Sum, round: fn(&mut ExactAdder<'_>)) -> Child {
    child(|| {
        let mut adder = sum.adder().unwrap();
        loop {
            round(&mut adder);
        }
    })
}

fn by_one(adder: &mut ExactAdder<'_>) {
    adder.extend([X, Y, -X, -Y]);
}

fn by_slice(adder: &mut ExactAdder<'_>) {
    adder.add_slice(&[X, 1.0, Y]);
    adder.add_slice(&[-X, -1.0, -Y]);
}

/// All sums that there ever are, of [`by_one`] and of [`by_slice`].
const IN_BETWEEN: [f64; 3] = [0.0, X, Y];

#[track_caller]
fn assert_was_there(sum: f64) {
    assert!(IN_BETWEEN.contains(&sum), "there never was {sum:e}");
}

fn reads() -> u32 {
    if cfg!(debug_assertions) { 5_000 } else { 50_000 }
}

fn read_under_fire(round: fn(&mut ExactAdder<'_>)) {
    let sum = Shared::anonymous(ExactSum::new()).unwrap();
    let mut adder = restless(&sum, round);
    eventually("it adds", || sum.sum() != 0.0);
    let readers =
        [(), ()].map(|()| child(|| (0..reads()).for_each(|_| assert_was_there(sum.sum()))));
    (0..reads()).for_each(|_| assert_was_there(sum.sum()));
    readers.into_iter().for_each(join);
    adder.kill(Signal::KILL).unwrap();
    wait(&mut adder);
    let left = sum.sum();
    assert_was_there(left);
    assert_eq!(sum.sum().to_bits(), left.to_bits());
}

#[test]
fn readers_of_a_restless_adder_see_sums_that_there_were() {
    isolated(|| read_under_fire(by_one));
}

#[test]
fn readers_of_a_restless_adder_of_slices_see_sums_that_there_were() {
    isolated(|| read_under_fire(by_slice));
}

/// Stops the adder, wherever it is just then, and waits until it has stopped.
fn stop(adder: &Child) {
    adder.kill(Signal::STOP).unwrap();
    let pid = Pid::from_raw(adder.id().as_raw_nonzero().get()).unwrap();
    let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED;
    let status = waitid(WaitId::Pid(pid), options).unwrap();
    assert!(status.is_some_and(|status| status.stopped()));
}

#[test]
fn an_adder_that_is_stopped_anywhere_holds_nobody_up() {
    isolated(|| {
        for round in [by_one, by_slice] {
            let sum = Shared::anonymous(ExactSum::new()).unwrap();
            let mut adder = restless(&sum, round);
            for _ in 0..200 {
                stop(&adder);
                let left = sum.sum();
                assert_was_there(left);
                assert_eq!(sum.sum().to_bits(), left.to_bits());
                adder.kill(Signal::CONT).unwrap();
                assert_was_there(sum.sum());
            }
            adder.kill(Signal::KILL).unwrap();
            wait(&mut adder);
            assert_was_there(sum.sum());
        }
    });
}

/// How many copies have been asked for: in the first lane's last part, which readers write to.
fn wanted(sum: &ExactSum<2>) -> &AtomicU64 {
    const READERS: usize = 768;
    let wanted = core::ptr::from_ref(sum).wrapping_byte_add(READERS);
    // SAFETY: within the lane, aligned, and an atomic word there too.
    unsafe { &*wanted.cast() }
}

/// The adder is always faster: it adds at each, or at each second or third, of the reader's
/// instructions.
#[test]
fn a_reader_that_is_outrun_at_every_instruction_gets_there() {
    isolated(|| {
        for pace in [1, 2, 3, 7, 50] {
            let sum = Shared::anonymous(ExactSum::<2>::new()).unwrap();
            let mut adder = sum.adder().unwrap();
            adder.add(Y);
            let read = |(): &mut ()| assert!([Y, X].contains(&sum.sum()));
            let Some(reader) = Stepped::start(|| (), read) else { return };
            let mut adds = [X, -X].into_iter().cycle();
            let mut steps = 0;
            while reader.step() {
                steps += 1;
                assert!(steps < 100_000, "it is held up");
                // Others ask, too, so that a copy is replaced while it is read: for a while.
                if steps % (3 * pace + 1) == 0 && steps < 3000 {
                    wanted(&sum).fetch_add(1, Relaxed);
                }
                if steps % pace == 0 {
                    adder.extend(adds.next());
                }
            }
        }
    });
}

#[test]
fn adders_that_come_and_go_lose_nothing() {
    isolated(|| {
        let sum = Shared::anonymous(ExactSum::<4>::new()).unwrap();
        let adders: Vec<Child> = (0..8)
            .map(|_| {
                child(|| {
                    let mut left = 100;
                    while left > 0 {
                        let Some(mut adder) = sum.adder() else { continue };
                        adder.add_slice(&[0.1; 10]);
                        (0..10).for_each(|_| adder.add(-0.1 + 1e-20));
                        left -= 1;
                    }
                })
            })
            .collect();
        adders.into_iter().for_each(join);
        let expected = ExactSum::<1>::new();
        let mut adder = expected.adder().unwrap();
        adder.add_slice(&vec![0.1; 8000]);
        adder.add_slice(&vec![-0.1 + 1e-20; 8000]);
        assert_eq!(sum.sum().to_bits(), expected.sum().to_bits());
    });
}
