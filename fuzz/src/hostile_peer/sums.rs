//! The calls that sums have, and what they do when they are as new.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use rawipc::sum::{AtomicF64, ExactAdder, ExactSum, ShardedAdder, ShardedSum};

use super::{Arena, Call, Subject};

/// A value of some bits: of any size, infinite, or none.
fn value(call: &Call) -> f64 {
    f64::from_bits(u64::from(call.number.reverse_bits()) << 32 | u64::from(call.number))
}

impl Subject for AtomicF64 {
    fn new() -> Self {
        Self::new(0.0)
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        move |call, middle| match call.which % 8 {
            0 => _ = self.fetch_add(value(call), Relaxed),
            1 => _ = self.fetch_sub(value(call), AcqRel),
            2 => _ = self.fetch_min(value(call), AcqRel),
            3 => _ = self.fetch_max(value(call), AcqRel),
            4 => {
                let mut most = 100;
                let update = |old| {
                    middle();
                    most -= 1;
                    (most > 0).then_some(old + 1.0)
                };
                let _either = self.fetch_update(AcqRel, Acquire, update);
            }
            5 => {
                let old = self.load(Relaxed);
                middle();
                let _either = self.compare_exchange(old, value(call), AcqRel, Acquire);
                let _either = self.compare_exchange_weak(old, value(call), AcqRel, Acquire);
            }
            6 => _ = self.swap(value(call), AcqRel),
            _ => assert!(!format!("{self:?}").is_empty()),
        }
    }

    fn works(&self) {
        assert_eq!(self.fetch_add(1.5, Relaxed).to_bits(), 0);
        assert_eq!(self.load(Relaxed).to_bits(), 1.5_f64.to_bits());
    }
}

impl Subject for ShardedSum<2> {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        let mut adder: Option<ShardedAdder<'a>> = None;
        move |call, middle| match call.which % 7 {
            0 => adder = self.adder(),
            1 => adder = self.adder_in(call.below(4)),
            2 => adder = self.reclaim(call.below(4)),
            3 => adder = None,
            4 | 5 => {
                if let Some(adder) = &mut adder {
                    adder.add(value(call));
                    middle();
                    adder.add(1.0);
                    assert!(!format!("{adder:?}").is_empty());
                }
            }
            _ => {
                let _any = self.sum();
                assert!(format!("{self:?}").starts_with("ShardedSum("));
            }
        }
    }

    fn works(&self) {
        let mut adders = [self.adder().expect("free"), self.adder().expect("free")];
        assert!(self.adder().is_none() && self.adder_in(2).is_none() && self.reclaim(2).is_none());
        for adder in &mut adders {
            adder.add(0.75);
        }
        assert_eq!(self.sum().to_bits(), 1.5_f64.to_bits());
    }
}

impl Subject for ExactSum<2> {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        let mut adder: Option<ExactAdder<'a>> = None;
        move |call, middle| match call.which % 8 {
            0 => adder = self.adder(),
            1 => adder = self.adder_in(call.below(4)),
            2 => adder = self.reclaim(call.below(4)),
            3 => adder = None,
            4 | 5 => {
                if let Some(adder) = &mut adder {
                    adder.add(value(call));
                    middle();
                    adder.add(1.0);
                }
            }
            6 => {
                if let Some(adder) = &mut adder {
                    middle();
                    adder.add_slice(&[value(call), f64::MAX, -1.0, f64::MIN_POSITIVE]);
                    adder.extend([value(call); 3]);
                }
            }
            _ => {
                let _any = Self::total([self, self]);
                assert!(format!("{self:?}").starts_with("ExactSum("));
            }
        }
    }

    fn works(&self) {
        let mut adders = [self.adder().expect("free"), self.adder().expect("free")];
        assert!(self.adder().is_none() && self.adder_in(2).is_none() && self.reclaim(2).is_none());
        for adder in &mut adders {
            adder.add_slice(&[1e300, 0.75]);
            adder.add(-1e300);
        }
        assert_eq!(self.sum().to_bits(), 1.5_f64.to_bits());
    }
}
