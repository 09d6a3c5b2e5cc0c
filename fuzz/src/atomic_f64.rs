//! A double that is changed in place, against one that is not shared: bit for bit, but for which
//! NaN it is that arithmetic gives.

mod sharded;

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use arbitrary::{Arbitrary, Unstructured};
use rawipc::sum::AtomicF64;

/// One after the other, for as long as there is input.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op {
    Load(Order),
    Store(Number, Order),
    Swap(Number, Order),
    Add(Number, Order),
    Sub(Number, Order),
    Min(Number, Order),
    Max(Number, Order),
    Exchange {
        current: Current,
        new: Number,
        order: Order,
        is_weak: bool,
    },
    /// Replaced by what follows from it, or left.
    Update {
        factor: Option<Number>,
        order: Order,
    },
    GetMut(Number),
    /// Its bits.
    Or(u64),
    /// Taken out, and another made of it.
    Renew(bool),
}

/// What it is compared with.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Current {
    Same,
    /// But for a bit.
    Nearly(u8),
    Number(Number),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Any(u64),
    Known(u8),
    Small(i8),
}

const KNOWN: [u64; 12] = [
    0,
    1 << 63,
    1,
    f64::MAX.to_bits(),
    f64::MIN.to_bits(),
    f64::MIN_POSITIVE.to_bits(),
    f64::INFINITY.to_bits(),
    f64::NEG_INFINITY.to_bits(),
    f64::NAN.to_bits(),
    // Signalling, of both signs; and quiet, with a payload.
    0x7ff0_0000_0000_0001,
    0xfff4_0000_0000_0000,
    0xfff8_0000_0000_1234,
];

impl Number {
    fn value(self) -> f64 {
        match self {
            Self::Any(bits) => f64::from_bits(bits),
            Self::Known(which) => f64::from_bits(KNOWN[usize::from(which) % KNOWN.len()]),
            Self::Small(number) => f64::from(number) / 4.0,
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Order {
    Relaxed,
    Release,
    Acquire,
    AcqRel,
    SeqCst,
}

impl Order {
    const fn of_both(self) -> Ordering {
        match self {
            Self::Relaxed => Relaxed,
            Self::Release => Release,
            Self::Acquire => Acquire,
            Self::AcqRel => AcqRel,
            Self::SeqCst => SeqCst,
        }
    }

    const fn of_loads(self) -> Ordering {
        match self {
            Self::Relaxed | Self::Release => Relaxed,
            Self::Acquire | Self::AcqRel => Acquire,
            Self::SeqCst => SeqCst,
        }
    }

    const fn of_stores(self) -> Ordering {
        match self {
            Self::Relaxed | Self::Acquire => Relaxed,
            Self::Release | Self::AcqRel => Release,
            Self::SeqCst => SeqCst,
        }
    }
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(is_sharded) = bool::arbitrary(&mut input) else { return };
    if is_sharded {
        return sharded::run(input);
    }
    let Ok(first) = Number::arbitrary(&mut input) else { return };
    let mut tried = Tried { atomic: AtomicF64::new(first.value()), value: first.value() };
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        tried.apply(op);
        tried.is_what_it_should_be();
    }
    assert_same(tried.atomic.into_inner(), tried.value);
}

struct Tried {
    atomic: AtomicF64,
    value: f64,
}

impl Tried {
    fn apply(&mut self, op: Op) {
        let Self { atomic, value: old } = self;
        let old = *old;
        match op {
            Op::Load(order) => assert_same(atomic.load(order.of_loads()), old),
            Op::Store(new, order) => {
                atomic.store(new.value(), order.of_stores());
                self.value = new.value();
            }
            Op::Swap(new, order) => {
                assert_same(atomic.swap(new.value(), order.of_both()), old);
                self.value = new.value();
            }
            Op::Add(more, order) => {
                assert_same(atomic.fetch_add(more.value(), order.of_both()), old);
                self.is_computed(old + more.value());
            }
            Op::Sub(less, order) => {
                assert_same(atomic.fetch_sub(less.value(), order.of_both()), old);
                self.is_computed(old - less.value());
            }
            Op::Min(other, order) => {
                assert_same(atomic.fetch_min(other.value(), order.of_both()), old);
                self.is_computed(first_of(old, other.value(), |number| number));
            }
            Op::Max(other, order) => {
                assert_same(atomic.fetch_max(other.value(), order.of_both()), old);
                self.is_computed(first_of(old, other.value(), |number| !number));
            }
            Op::Exchange { current, new, order, is_weak } => {
                self.exchange(current, new.value(), order, is_weak);
            }
            Op::Update { factor, order } => {
                let new = factor.map(|factor| old * factor.value());
                let updated = atomic.fetch_update(order.of_both(), order.of_loads(), |current| {
                    assert_same(current, old);
                    new
                });
                assert_eq!(updated.is_ok(), new.is_some());
                updated.map_or_else(|now| assert_same(now, old), |was| assert_same(was, old));
                self.value = new.unwrap_or(old);
            }
            Op::GetMut(new) => {
                assert_same(*atomic.get_mut(), old);
                *atomic.get_mut() = new.value();
                self.value = new.value();
            }
            Op::Or(bits) => {
                assert_eq!(atomic.as_bits().fetch_or(bits, Relaxed), old.to_bits());
                self.value = f64::from_bits(old.to_bits() | bits);
            }
            Op::Renew(from_bits) => {
                let bits = AtomicU64::new(old.to_bits());
                *atomic = if from_bits {
                    AtomicF64::new(AtomicF64::from_bits(&bits).load(Relaxed))
                } else {
                    assert_same(AtomicF64::default().into_inner(), 0.0);
                    AtomicF64::from(old)
                };
            }
        }
    }

    fn exchange(&mut self, current: Current, new: f64, order: Order, is_weak: bool) {
        let current = match current {
            Current::Same => self.value,
            Current::Nearly(bit) => f64::from_bits(self.value.to_bits() ^ 1 << (bit % 64)),
            Current::Number(number) => number.value(),
        };
        let (success, failure) = (order.of_both(), order.of_loads());
        let exchanged = if is_weak {
            self.atomic.compare_exchange_weak(current, new, success, failure)
        } else {
            self.atomic.compare_exchange(current, new, success, failure)
        };
        let is_same = current.to_bits() == self.value.to_bits();
        match exchanged {
            Ok(was) => {
                assert!(is_same);
                assert_same(was, self.value);
                self.value = new;
            }
            Err(is) => {
                assert!(is_weak || !is_same);
                assert_same(is, self.value);
            }
        }
    }

    /// Which NaN a NaN is, is for the machine to say.
    fn is_computed(&mut self, expected: f64) {
        let found = self.atomic.load(Relaxed);
        assert!(found.is_nan() == expected.is_nan());
        self.value = if expected.is_nan() { found } else { expected };
    }

    fn is_what_it_should_be(&self) {
        assert_same(self.atomic.load(SeqCst), self.value);
        assert_eq!(self.atomic.as_bits().load(Acquire), self.value.to_bits());
        assert_eq!(format!("{:?}", self.atomic), format!("{:?}", self.value));
    }
}

/// That which comes first if numbers are put in order as `order` has it, of which bits can be; any
/// number before a NaN.
fn first_of(one: f64, other: f64, order: impl Fn(i64) -> i64) -> f64 {
    // In the order of the numbers, as integers: what is negative, counts down.
    let key = |number: f64| {
        let bits = i64::from_ne_bytes(number.to_bits().to_ne_bytes());
        (number.is_nan(), order(if bits < 0 { !bits ^ i64::MIN } else { bits }))
    };
    if key(one) <= key(other) { one } else { other }
}

/// To the last bit.
#[track_caller]
fn assert_same(found: f64, expected: f64) {
    assert_eq!(found.to_bits(), expected.to_bits(), "{found:e} instead of {expected:e}");
}
