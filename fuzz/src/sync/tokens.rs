//! Semaphores, against a number.

use arbitrary::Arbitrary;
use rawipc::error::{Overflow, TimedOut};
use rawipc::sync::{BoundedSemaphore, Semaphore};

use super::By;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Which {
    Unbounded,
    Bounded,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Op {
    Post(Which),
    /// Waiting, if there is one.
    Wait(Which),
    TryWait(Which),
    WaitUntil(Which, By),
}

/// They, and what they have to be.
pub(super) struct Tokens {
    unbounded: Semaphore,
    bounded: BoundedSemaphore,
    values: [u32; 2],
    bounds: [u32; 2],
}

/// More often at an end than chance would have it.
fn near_an_end(number: u32) -> u32 {
    match number % 4 {
        0 => number / 4 % 8,
        1 => Semaphore::MAX - number / 4 % 8,
        2 => u32::MAX - number / 4 % 8,
        _ => number,
    }
}

impl Tokens {
    pub(super) fn new(value: u32, bound: u32) -> Self {
        let [value, bound] = [value, bound].map(near_an_end);
        let values = [value, bound].map(|number| number.min(Semaphore::MAX));
        Self {
            unbounded: Semaphore::new(value),
            bounded: BoundedSemaphore::new(bound),
            values,
            bounds: [Semaphore::MAX, values[1]],
        }
    }

    pub(super) fn make(&mut self, op: Op) {
        match op {
            Op::Post(which) => {
                let posted = match which {
                    Which::Unbounded => self.unbounded.post(),
                    Which::Bounded => self.bounded.post(),
                };
                let (value, bound) =
                    (&mut self.values[which as usize], self.bounds[which as usize]);
                assert_eq!(posted, if *value < bound { Ok(()) } else { Err(Overflow) });
                *value += u32::from(posted.is_ok());
            }
            Op::Wait(which) => {
                if self.values[which as usize] > 0 {
                    match which {
                        Which::Unbounded => self.unbounded.wait(),
                        Which::Bounded => self.bounded.wait(),
                    }
                    self.values[which as usize] -= 1;
                }
            }
            Op::TryWait(which) => {
                let taken = match which {
                    Which::Unbounded => self.unbounded.try_wait(),
                    Which::Bounded => self.bounded.try_wait(),
                };
                self.took(which, taken);
            }
            Op::WaitUntil(which, by) => {
                let by = by.or_never(self.values[which as usize] > 0);
                let waited = match which {
                    Which::Unbounded => self.unbounded.wait_until(by),
                    Which::Bounded => self.bounded.wait_until(by),
                };
                self.took(which, waited.map_err(|TimedOut| ()).is_ok());
            }
        }
        self.check();
    }

    fn took(&mut self, which: Which, taken: bool) {
        let value = &mut self.values[which as usize];
        assert_eq!(taken, *value > 0);
        *value -= u32::from(taken);
    }

    fn check(&self) {
        let [unbounded, bounded] = self.values;
        assert_eq!((self.unbounded.value(), self.bounded.value()), (unbounded, bounded));
        assert_eq!(self.bounded.bound(), self.bounds[1]);
        let printed = format!("Semaphore {{ value: {unbounded}, .. }}");
        assert_eq!(format!("{:?}", self.unbounded), printed);
        let printed = format!("BoundedSemaphore {{ value: {bounded}, bound: {} }}", self.bounds[1]);
        assert_eq!(format!("{:?}", self.bounded), printed);
    }
}
