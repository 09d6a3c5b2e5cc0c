//! A sum in lanes, against a few sums.

use core::mem::forget;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::sum::{ShardedAdder, ShardedSum};

use super::{Number, assert_same};

const LANES: usize = 3;

#[derive(Arbitrary, Debug)]
enum Op {
    Claim(Option<u8>),
    Add(u8, Number),
    GiveBack(u8),
    /// As one that is killed.
    Forget(u8),
    Reclaim(u8),
}

struct Tried<'s> {
    sum: &'s ShardedSum<LANES>,
    adders: [Option<ShardedAdder<'s>>; LANES],
    /// Also those that nobody gives back.
    is_taken: [bool; LANES],
    sums: [f64; LANES],
}

pub(super) fn run(mut input: Unstructured<'_>) {
    let sum = ShardedSum::new();
    let mut tried = Tried {
        sum: &sum,
        adders: [const { None }; LANES],
        is_taken: [false; LANES],
        sums: [0.0; LANES],
    };
    tried.is_what_it_should_be();
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        tried.apply(&op);
        tried.is_what_it_should_be();
    }
}

impl Tried<'_> {
    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Claim(lane) => {
                let is_free = |lane: &usize| self.is_taken.get(*lane) == Some(&false);
                let (adder, lane) = match lane.map(|lane| usize::from(lane) % (LANES + 1)) {
                    None => (self.sum.adder(), (0..LANES).find(is_free)),
                    Some(lane) => (self.sum.adder_in(lane), Some(lane).filter(is_free)),
                };
                assert_eq!(adder.is_some(), lane.is_some());
                if let Some(lane) = lane {
                    (self.adders[lane], self.is_taken[lane]) = (adder, true);
                }
            }
            Op::Add(lane, number) => {
                let lane = usize::from(lane) % LANES;
                let Some(adder) = &mut self.adders[lane] else { return };
                adder.add(number.value());
                self.sums[lane] += number.value();
                let shown = if self.sums[lane].is_nan() { f64::NAN } else { self.sums[lane] };
                assert_eq!(format!("{adder:?}"), format!("ShardedAdder({shown:?})"));
            }
            Op::GiveBack(lane) => {
                let lane = usize::from(lane) % LANES;
                if self.adders[lane].take().is_some() {
                    self.is_taken[lane] = false;
                }
            }
            Op::Forget(lane) => forget(self.adders[usize::from(lane) % LANES].take()),
            Op::Reclaim(lane) => {
                let lane = usize::from(lane) % (LANES + 1);
                let reclaimed = self.sum.reclaim(lane);
                assert_eq!(reclaimed.is_some(), lane < LANES);
                if let Some(adder) = self.adders.get_mut(lane) {
                    forget(adder.take());
                    (*adder, self.is_taken[lane]) = (reclaimed, true);
                }
            }
        }
    }

    fn is_what_it_should_be(&self) {
        // From the first lane to the last.
        let [first, second, third] = self.sums;
        let expected = 0.0 + first + second + third;
        let found = self.sum.sum();
        if !(found.is_nan() && expected.is_nan()) {
            assert_same(found, expected);
        }
        assert_eq!(format!("{:?}", self.sum), format!("ShardedSum({found:?})"));
        for lane in (0..LANES).filter(|lane| self.is_taken[*lane]) {
            assert!(self.sum.adder_in(lane).is_none());
        }
    }
}
