//! Exact sums against an integer that is long enough, whatever is added, in which lanes, and in
//! pieces of what length.

mod integer;
mod numbers;

use core::mem::forget;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::sum::{ExactAdder, ExactSum};
use rawipc::zerocopy::FromBytes as _;

use self::integer::Exact;
use self::numbers::Number;

const LANES: usize = 3;

/// One after the other, for as long as there is input.
#[derive(Arbitrary, Debug)]
enum Op {
    Add(u8, Number),
    Slice(u8, Vec<Number>),
    /// So many that digits overflow unless they are carried.
    Many(u8, Many),
    Extend(u8, Vec<Number>),
    /// Takes away again so many of the last, that little is left.
    Cancel(u8, u8),
    Sum,
    Claim(Option<u8>),
    GiveBack(u8),
    /// As one that is killed.
    Forget(u8),
    Reclaim(u8),
}

/// The same number again and again, with its fraction a bit further each time.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Many {
    first: Number,
    step: u16,
    is_alternating: bool,
    count: Count,
    at_once: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Count {
    /// About as many as go into one block.
    Few(u8),
    /// The square root of how many there are of the most, as a fraction of 2^16: the most are too
    /// many for every input.
    Many(u16),
}

/// Twice as many as would overflow a digit that is never carried.
const MOST: u64 = 4200;

/// How many numbers may be added in all; more would only take longer.
const BUDGET: usize = 6_000;

pub(super) fn run(data: &[u8]) {
    let Some((is_hostile, rest)) = data.split_first() else { return };
    if *is_hostile == b'!' {
        return any_bytes_are_a_sum(rest);
    }
    let mut input = Unstructured::new(data);
    let (sum, other) = (ExactSum::new(), ExactSum::new());
    let mut tried = Tried {
        sum: &sum,
        adders: [const { None }; LANES],
        is_taken: [false; LANES],
        exact: Exact::EMPTY,
        added: Vec::new(),
    };
    while !input.is_empty() && tried.added.len() < BUDGET {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        tried.apply(op);
    }
    tried.is_exact();
    tried.is_the_same_in_another_order(&other);
}

struct Tried<'s> {
    sum: &'s ExactSum<LANES>,
    adders: [Option<ExactAdder<'s>>; LANES],
    /// Also those that nobody gives back.
    is_taken: [bool; LANES],
    exact: Exact,
    added: Vec<f64>,
}

impl<'s> Tried<'s> {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Add(lane, number) => {
                let value = number.value();
                self.add(lane, &[value], |adder, _| adder.add(value));
            }
            Op::Slice(lane, numbers) => {
                let values: Vec<_> = numbers.into_iter().map(Number::value).collect();
                self.add(lane, &values, ExactAdder::add_slice);
            }
            Op::Many(lane, many) => {
                let values = many.values();
                if many.at_once {
                    self.add(lane, &values, ExactAdder::add_slice);
                } else {
                    self.add(lane, &values, |adder, values| adder.extend(values.iter().copied()));
                }
            }
            Op::Extend(lane, numbers) => {
                let values: Vec<_> = numbers.into_iter().map(Number::value).collect();
                self.add(lane, &values, |adder, values| adder.extend(values.iter().copied()));
            }
            Op::Cancel(lane, last) => {
                let last = self.added.iter().rev().take(last.into());
                let values: Vec<_> =
                    last.filter(|value| value.is_finite()).map(|value| -value).collect();
                self.add(lane, &values, ExactAdder::add_slice);
            }
            Op::Sum => self.is_exact(),
            Op::Claim(lane) => self.claim(lane),
            Op::GiveBack(lane) => {
                let lane = usize::from(lane) % LANES;
                if self.adders[lane].take().is_some() {
                    self.is_taken[lane] = false;
                }
            }
            Op::Forget(lane) => forget(self.adders[usize::from(lane) % LANES].take()),
            Op::Reclaim(lane) => {
                let lane = usize::from(lane) % (LANES + 1);
                if let Some(adder) = self.adders.get_mut(lane) {
                    forget(adder.take());
                    *adder = self.sum.reclaim(lane);
                    assert!(adder.is_some());
                    self.is_taken[lane] = true;
                } else {
                    assert!(self.sum.reclaim(lane).is_none(), "there is no such lane");
                }
            }
        }
    }

    /// The lane asked for, or that which is free.
    fn claim(&mut self, lane: Option<u8>) {
        let (lane, adder) = match lane {
            None => (self.is_taken.iter().position(|is_taken| !is_taken), self.sum.adder()),
            Some(lane) => {
                let lane = usize::from(lane) % (LANES + 1);
                let is_free = self.is_taken.get(lane).is_some_and(|is_taken| !is_taken);
                (is_free.then_some(lane), self.sum.adder_in(lane))
            }
        };
        assert_eq!(adder.is_some(), lane.is_some());
        if let Some(lane) = lane {
            self.is_taken[lane] = true;
            self.adders[lane] = adder;
        }
    }

    /// Adds to that lane, which is taken for as long as it takes if it is not.
    fn add(&mut self, lane: u8, values: &[f64], add: impl FnOnce(&mut ExactAdder<'s>, &[f64])) {
        let lane = usize::from(lane) % LANES;
        match &mut self.adders[lane] {
            Some(adder) => {
                assert_eq!(format!("{adder:?}"), "ExactAdder { .. }");
                add(adder, values);
            }
            None => match self.sum.adder_in(lane) {
                Some(mut adder) => {
                    assert!(!self.is_taken[lane]);
                    add(&mut adder, values);
                }
                None => return assert!(self.is_taken[lane]),
            },
        }
        for value in values {
            self.exact.add(*value);
        }
        self.added.extend(values);
    }

    fn is_exact(&self) {
        let expected = self.exact.rounded();
        assert_same(self.sum.sum(), expected);
        assert_eq!(format!("{:?}", self.sum), format!("ExactSum({expected:?})"));
        let twice = {
            let mut twice = self.exact.clone();
            twice.absorb(&self.exact);
            twice.rounded()
        };
        assert_same(ExactSum::total([self.sum, self.sum]), twice);
    }

    /// The last first, dealt out to the lanes in pieces.
    fn is_the_same_in_another_order(&self, other: &ExactSum<LANES>) {
        let values: Vec<_> = self.added.iter().rev().copied().collect();
        let mut adders: Vec<_> = core::iter::from_fn(|| other.adder()).collect();
        assert_eq!(adders.len(), LANES);
        let mut rest = &values[..];
        let pieces = [1, 15, 16, 40, 123, 125, 1023, 1025].into_iter().cycle();
        for (round, length) in pieces.enumerate() {
            let (piece, others) = rest.split_at(rest.len().min(length));
            adders[round % LANES].add_slice(piece);
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        assert_same(other.sum(), self.exact.rounded());
        let all = ExactSum::total([other, self.sum]);
        assert_same(all, ExactSum::total([self.sum, self.sum]));
    }
}

impl Many {
    fn values(self) -> Vec<f64> {
        let bits = self.first.value().to_bits();
        let (fraction, others) = (bits & ((1 << 52) - 1), bits & !((1 << 52) - 1));
        let step = u64::from(self.step) << 24;
        let value = |number: u64| {
            let fraction = fraction.wrapping_add(step.wrapping_mul(number)) & ((1 << 52) - 1);
            let sign = u64::from(self.is_alternating && number & 1 == 1) << 63;
            f64::from_bits((others | fraction) ^ sign)
        };
        // Not what was one infinity and became many a NaN.
        let is_finite = f64::from_bits(bits).is_finite();
        let count = match self.count {
            Count::Few(count) => count.into(),
            Count::Many(root) => (u64::from(root).pow(2) * MOST) >> 32,
        };
        (0..count).map(|number| value(if is_finite { number } else { 0 })).collect()
    }
}

/// To the last bit, whichever NaN it is.
#[track_caller]
fn assert_same(found: f64, expected: f64) {
    assert_eq!(found.to_bits(), expected.to_bits(), "{found:e} instead of {expected:e}");
}

/// Of what, nobody knows; but nothing fails, and nothing hangs.
fn any_bytes_are_a_sum(bytes: &[u8]) {
    const SIZE: usize = size_of::<ExactSum<2>>();
    let image: Vec<u8> = bytes.iter().chain(&[0]).copied().cycle().take(SIZE).collect();
    let sum = ExactSum::<2>::read_from_bytes(&image).expect("as many");
    let before = sum.sum();
    assert_eq!(sum.sum().to_bits(), before.to_bits(), "to look changes nothing");
    let values: Vec<f64> = bytes
        .chunks_exact(8)
        .filter_map(|chunk| chunk.first_chunk().copied().map(f64::from_ne_bytes))
        .collect();
    for lane in 0..2 {
        let mut adder = sum.reclaim(lane).expect("a lane");
        adder.add_slice(&values);
        adder.extend(values.iter().copied());
        adder.add_slice(&[f64::MAX; 1500]);
        let _any = sum.sum();
    }
    assert!((0..2).all(|lane| sum.adder_in(lane).is_some()), "given back");
}
