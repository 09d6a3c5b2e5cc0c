//! Events, against whether they have happened.

use arbitrary::Arbitrary;
use rawipc::sync::{AutoResetEvent, Event};

use super::{By, happened};

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Op {
    Set,
    Reset,
    /// Waiting, if it is set.
    Wait,
    WaitUntil(By),
    SetBell,
    ResetBell,
    /// Waiting, if it is set.
    WaitForBell,
    TryBell,
    WaitForBellUntil(By),
}

/// They, and whether they are set.
#[derive(Default)]
pub(super) struct Events {
    event: Event,
    is_set: bool,
    bell: AutoResetEvent,
    rings: bool,
}

impl Events {
    pub(super) fn make(&mut self, op: Op) {
        match op {
            Op::Set => {
                self.event.set();
                self.is_set = true;
            }
            Op::Reset => {
                self.event.reset();
                self.is_set = false;
            }
            Op::Wait => {
                if self.is_set {
                    self.event.wait();
                }
            }
            Op::WaitUntil(by) => {
                let waited = self.event.wait_until(by.or_never(self.is_set));
                assert_eq!(waited, happened(self.is_set));
            }
            Op::SetBell => {
                self.bell.set();
                self.rings = true;
            }
            Op::ResetBell => {
                self.bell.reset();
                self.rings = false;
            }
            Op::WaitForBell => {
                if self.rings {
                    self.bell.wait();
                }
                self.rings = false;
            }
            Op::TryBell => {
                assert_eq!(self.bell.try_wait(), self.rings);
                self.rings = false;
            }
            Op::WaitForBellUntil(by) => {
                let waited = self.bell.wait_until(by.or_never(self.rings));
                assert_eq!(waited, happened(self.rings));
                self.rings = false;
            }
        }
        self.check();
    }

    fn check(&self) {
        assert_eq!((self.event.is_set(), self.bell.is_set()), (self.is_set, self.rings));
        assert_eq!(format!("{:?}", self.event), format!("Event({})", self.is_set));
        assert_eq!(format!("{:?}", self.bell), format!("AutoResetEvent({})", self.rings));
    }
}
