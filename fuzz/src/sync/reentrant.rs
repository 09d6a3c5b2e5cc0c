//! A reentrant mutex, against how often it is held.

use core::cell::Cell;

use arbitrary::Arbitrary;
use rawipc::sync::{ReentrantMutex, ReentrantMutexGuard};

use super::By;

pub(super) type Lock = ReentrantMutex<Cell<u64>>;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Op {
    Lock,
    TryLock,
    LockUntil(By),
    /// Any of the guards.
    Unlock(u8),
    Set(u64),
}

/// The mutex, and what there has to be.
pub(super) struct Reentrant<'a> {
    mutex: &'a Lock,
    guards: Vec<ReentrantMutexGuard<'a, Cell<u64>>>,
    value: u64,
}

impl<'a> Reentrant<'a> {
    pub(super) fn new(mutex: &'a Lock) -> Self {
        Self { mutex, guards: Vec::new(), value: 0 }
    }

    pub(super) fn make(&mut self, op: Op) {
        let mutex = self.mutex;
        match op {
            Op::Lock => self.guards.push(mutex.lock()),
            Op::TryLock => self.guards.push(mutex.try_lock().expect("free, or ours")),
            Op::LockUntil(by) => {
                self.guards.push(mutex.lock_until(by.or_never(true)).expect("free, or ours"));
            }
            Op::Unlock(which) => {
                if !self.guards.is_empty() {
                    drop(self.guards.swap_remove(usize::from(which) % self.guards.len()));
                }
            }
            Op::Set(value) => {
                if let Some(guard) = self.guards.first() {
                    guard.set(value);
                    self.value = value;
                }
            }
        }
        self.check();
    }

    fn check(&self) {
        let is_held = !self.guards.is_empty();
        assert_eq!((self.mutex.is_locked(), self.mutex.is_owned()), (is_held, is_held));
        assert!(self.guards.iter().all(|guard| guard.get() == self.value));
        let value = format!("Cell {{ value: {} }}", self.value);
        assert_eq!(format!("{:?}", self.mutex), format!("ReentrantMutex({value})"));
        if let Some(guard) = self.guards.last() {
            assert_eq!(format!("{guard:?}"), value);
        }
        // Printing takes it, and gives it back.
        assert_eq!((self.mutex.is_locked(), self.mutex.is_owned()), (is_held, is_held));
    }
}
