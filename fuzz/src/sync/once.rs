//! Something done once, against whether it has been done.

use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use arbitrary::Arbitrary;
use rawipc::error::TimedOut;
use rawipc::sync::Once;

use super::{By, happened};

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Op {
    Call(End),
    TryCall(End),
    CallUntil(By, End),
    /// Waiting, if it is done.
    Wait,
    WaitUntil(By),
    Anew,
}

/// How what is to be done ends, if it is begun.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Done,
    Panic,
}

/// What it panics with.
struct Refused;

/// It, and whether it is done.
#[derive(Default)]
pub(super) struct Task {
    once: Once,
    is_done: bool,
}

impl Task {
    pub(super) fn make(&mut self, op: Op) {
        let once = &self.once;
        match op {
            Op::Call(end) => self.is_done = self.run(end, |task| once.call_once(task)),
            Op::TryCall(end) => {
                self.is_done = self.run(end, |task| assert!(once.try_call_once(task)));
            }
            Op::CallUntil(by, end) => {
                let call = |task: &mut dyn FnMut()| {
                    assert_eq!(once.call_once_until(task, by.or_never(true)), Ok(()));
                };
                self.is_done = self.run(end, call);
            }
            Op::Wait => {
                if self.is_done {
                    once.wait();
                }
            }
            Op::WaitUntil(by) => {
                let waited = once.wait_until(by.or_never(self.is_done));
                assert_eq!(waited, happened(self.is_done));
            }
            Op::Anew => *self = Self::default(),
        }
        assert_eq!(self.once.is_completed(), self.is_done);
        let printed = format!("Once {{ is_completed: {} }}", self.is_done);
        assert_eq!(format!("{:?}", self.once), printed);
    }

    /// Calls it with something to be done; says whether it is done then.
    fn run(&self, end: End, call: impl FnOnce(&mut dyn FnMut())) -> bool {
        let (mut runs, once) = (0, &self.once);
        let mut task = || {
            runs += 1;
            // In the midst of it, nobody else begins, or takes it for done.
            assert!(!once.try_call_once(|| unreachable!()) && !once.is_completed());
            assert_eq!(once.wait_until(By::Now.deadline()), Err(TimedOut));
            let late = once.call_once_until(|| unreachable!(), By::Now.deadline());
            assert_eq!(late, Err(TimedOut));
            if end == End::Panic {
                // Not `panic!`, for which a fuzzer's hook ends the process.
                resume_unwind(Box::new(Refused));
            }
        };
        let ended = catch_unwind(AssertUnwindSafe(|| call(&mut task)));
        assert_eq!(runs, u32::from(!self.is_done));
        match ended {
            Ok(()) => assert!(self.is_done || end == End::Done),
            Err(payload) if payload.is::<Refused>() => assert_eq!(end, End::Panic),
            Err(payload) => resume_unwind(payload),
        }
        self.is_done || end == End::Done
    }
}
