//! A barrier to which one party comes, against whether it is broken.

use arbitrary::Arbitrary;
use rawipc::sync::{Barrier, BarrierError, BarrierWaitResult, Broken};

use super::By;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Op {
    /// Waiting, if nobody else has to come, or it is broken.
    Wait,
    TryWait,
    WaitUntil(By),
    Abort,
    Reset,
}

/// The barrier, and what it has to be.
pub(super) struct Meeting {
    barrier: Barrier,
    parties: u16,
    is_broken: bool,
}

impl Meeting {
    pub(super) fn new(parties: u16) -> Self {
        // More often one, where nobody ever waits, than chance would have it.
        let parties = if parties % 2 == 0 { parties / 2 % 4 } else { parties };
        Self { barrier: Barrier::new(parties), parties, is_broken: false }
    }

    pub(super) fn make(&mut self, op: Op) {
        let (barrier, is_alone) = (&self.barrier, self.parties <= 1);
        match op {
            Op::Wait => {
                if self.is_broken {
                    assert_eq!(barrier.wait(), Err(Broken));
                } else if is_alone {
                    assert!(barrier.wait().is_ok_and(BarrierWaitResult::is_leader));
                }
            }
            Op::TryWait => {
                let expected = is_alone.then_some(true);
                let waited = barrier.try_wait().map(|last| last.map(BarrierWaitResult::is_leader));
                assert_eq!(waited, if self.is_broken { Err(Broken) } else { Ok(expected) });
            }
            Op::WaitUntil(by) => {
                let expected = match (self.is_broken, is_alone) {
                    (true, _) => Err(BarrierError::Broken),
                    (false, true) => Ok(true),
                    (false, false) => Err(BarrierError::TimedOut),
                };
                let waited = barrier.wait_until(by.or_never(self.is_broken || is_alone));
                assert_eq!(waited.map(BarrierWaitResult::is_leader), expected);
                self.is_broken |= !is_alone;
            }
            Op::Abort => {
                barrier.abort();
                self.is_broken = true;
            }
            Op::Reset => {
                barrier.reset();
                self.is_broken = false;
            }
        }
        self.check();
    }

    fn check(&self) {
        let (barrier, parties, is_broken) = (&self.barrier, self.parties, self.is_broken);
        assert_eq!((barrier.parties(), barrier.waiting()), (parties, 0));
        assert_eq!(barrier.is_broken(), is_broken);
        let printed =
            format!("Barrier {{ parties: {parties}, waiting: 0, is_broken: {is_broken} }}");
        assert_eq!(format!("{barrier:?}"), printed);
    }
}
