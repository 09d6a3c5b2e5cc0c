//! Two mutexes and a condition variable, against the value that each protects and whether it is
//! held.

use arbitrary::Arbitrary;
use rawipc::error::TimedOut;
use rawipc::sync::{Condvar, Mutex, MutexGuard};

use super::By;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Which {
    First,
    Second,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Op {
    /// Waiting, if it is free.
    Lock(Which),
    TryLock(Which),
    LockUntil(Which, By),
    Unlock(Which),
    Set(Which, u64),
    Wait(Which, By),
    /// For the condition to end after so many looks.
    WaitWhile(Which, u8, By),
    NotifyOne,
    NotifyAll,
}

#[derive(Default)]
pub(super) struct Locks {
    mutexes: [Mutex<u64>; 2],
    condvar: Condvar,
}

/// The locks, and what there has to be.
pub(super) struct Exclusive<'a> {
    locks: &'a Locks,
    guards: [Option<MutexGuard<'a, u64>>; 2],
    values: [u64; 2],
}

impl<'a> Exclusive<'a> {
    pub(super) fn new(locks: &'a Locks) -> Self {
        Self { locks, guards: [None, None], values: [0; 2] }
    }

    pub(super) fn make(&mut self, op: Op) {
        let condvar = &self.locks.condvar;
        match op {
            Op::Lock(which) => {
                let (mutex, guard) = (&self.locks.mutexes[which as usize], self.guard(which));
                if guard.is_none() {
                    *guard = Some(mutex.lock());
                }
            }
            Op::TryLock(which) => {
                let (mutex, guard) = (&self.locks.mutexes[which as usize], self.guard(which));
                let taken = mutex.try_lock();
                assert_eq!(taken.is_some(), guard.is_none());
                *guard = guard.take().or(taken);
            }
            Op::LockUntil(which, by) => {
                let (mutex, guard) = (&self.locks.mutexes[which as usize], self.guard(which));
                match mutex.lock_until(by.or_never(guard.is_none())) {
                    Ok(taken) => assert!(guard.replace(taken).is_none()),
                    Err(TimedOut) => assert!(guard.is_some()),
                }
            }
            Op::Unlock(which) => *self.guard(which) = None,
            Op::Set(which, value) => {
                if let Some(guard) = self.guard(which) {
                    **guard = value;
                    self.values[which as usize] = value;
                }
            }
            Op::Wait(which, by) => {
                if let Some(guard) = self.guard(which) {
                    // Nobody is there to notify, and who has notified before does not count.
                    assert_eq!(condvar.wait_until(guard, by.deadline()), Err(TimedOut));
                }
            }
            Op::WaitWhile(which, looks, by) => {
                if let Some(guard) = self.guard(which) {
                    let mut left = looks;
                    let condition = |value: &mut u64| {
                        *value = value.wrapping_add(1);
                        left = left.saturating_sub(1);
                        left > 0
                    };
                    let waited = condvar.wait_while_until(guard, condition, by.or_never(looks < 2));
                    // Looks once, and, if it has to wait, once more when that is over.
                    assert_eq!(waited.is_ok(), looks <= 2);
                    let looked = if looks < 2 { 1 } else { 2 };
                    let value = &mut self.values[which as usize];
                    *value = value.wrapping_add(looked);
                }
            }
            Op::NotifyOne => condvar.notify_one(),
            Op::NotifyAll => condvar.notify_all(),
        }
        self.check();
    }

    fn guard(&mut self, which: Which) -> &mut Option<MutexGuard<'a, u64>> {
        &mut self.guards[which as usize]
    }

    fn check(&self) {
        let both = self.locks.mutexes.iter().zip(&self.guards).zip(&self.values);
        for ((mutex, guard), value) in both {
            assert_eq!(mutex.is_locked(), guard.is_some());
            if let Some(guard) = guard {
                assert_eq!(**guard, *value);
                assert_eq!(format!("{guard:?} {guard}"), format!("{value} {value}"));
                assert_eq!(format!("{mutex:?}"), "Mutex(<locked>)");
            } else {
                assert_eq!(format!("{mutex:?}"), format!("Mutex({value})"));
                assert!(!mutex.is_locked(), "printed, and left free");
            }
        }
        assert!(format!("{:?}", self.locks.condvar).starts_with("Condvar"));
    }
}
