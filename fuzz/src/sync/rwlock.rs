//! A lock for readers and writers, against how many there are.

use core::mem;

use arbitrary::Arbitrary;
use rawipc::error::TimedOut;
use rawipc::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::By;

pub(super) type Lock = RwLock<u64>;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Op {
    /// Waiting, if there is no writer.
    Read,
    TryRead,
    ReadUntil(By),
    /// Waiting, if it is free.
    Write,
    TryWrite,
    WriteUntil(By),
    Set(u64),
    Downgrade,
    /// The writer, or one of the readers.
    Unlock(u8),
}

/// Who holds it.
enum Holders<'a> {
    /// If any.
    Readers(Vec<RwLockReadGuard<'a, u64>>),
    Writer(RwLockWriteGuard<'a, u64>),
}

/// The lock, and what there has to be.
pub(super) struct ReadersWriter<'a> {
    lock: &'a Lock,
    holders: Holders<'a>,
    value: u64,
}

impl<'a> ReadersWriter<'a> {
    pub(super) fn new(lock: &'a Lock) -> Self {
        Self { lock, holders: Holders::Readers(Vec::new()), value: 0 }
    }

    pub(super) fn make(&mut self, op: Op) {
        match op {
            Op::Read => {
                if !self.is_written() {
                    self.read(Some(self.lock.read()));
                }
            }
            Op::TryRead => self.read(self.lock.try_read()),
            Op::ReadUntil(by) => {
                let guard = self.lock.read_until(by.or_never(!self.is_written()));
                self.read(guard.map_err(|TimedOut| ()).ok());
            }
            Op::Write => {
                if self.is_free() {
                    self.write(Some(self.lock.write()));
                }
            }
            Op::TryWrite => self.write(self.lock.try_write()),
            Op::WriteUntil(by) => {
                let guard = self.lock.write_until(by.or_never(self.is_free()));
                self.write(guard.map_err(|TimedOut| ()).ok());
            }
            Op::Set(value) => {
                if let Holders::Writer(guard) = &mut self.holders {
                    **guard = value;
                    self.value = value;
                }
            }
            Op::Downgrade => {
                self.holders = match mem::replace(&mut self.holders, Holders::Readers(Vec::new())) {
                    Holders::Writer(guard) => {
                        Holders::Readers(vec![RwLockWriteGuard::downgrade(guard)])
                    }
                    readers @ Holders::Readers(_) => readers,
                }
            }
            Op::Unlock(which) => match &mut self.holders {
                Holders::Writer(_) => self.holders = Holders::Readers(Vec::new()),
                Holders::Readers(guards) if guards.is_empty() => {}
                Holders::Readers(guards) => {
                    drop(guards.swap_remove(usize::from(which) % guards.len()));
                }
            },
        }
        self.check();
    }

    fn is_written(&self) -> bool {
        matches!(self.holders, Holders::Writer(_))
    }

    fn is_free(&self) -> bool {
        matches!(&self.holders, Holders::Readers(guards) if guards.is_empty())
    }

    /// What a reader has got; nothing while there is a writer.
    fn read(&mut self, guard: Option<RwLockReadGuard<'a, u64>>) {
        match (&mut self.holders, guard) {
            (Holders::Readers(guards), Some(guard)) => guards.push(guard),
            (Holders::Writer(_), None) => {}
            (_, guard) => panic!("a reader got {guard:?}"),
        }
    }

    /// What a writer has got; nothing while there is anybody.
    fn write(&mut self, guard: Option<RwLockWriteGuard<'a, u64>>) {
        match (self.is_free(), guard) {
            (true, Some(guard)) => self.holders = Holders::Writer(guard),
            (false, None) => {}
            (_, guard) => panic!("a writer got {guard:?}"),
        }
    }

    fn check(&self) {
        assert_eq!(self.lock.is_locked(), !self.is_free());
        assert_eq!(self.lock.is_write_locked(), self.is_written());
        let (value, printed) = (self.value, format!("{:?}", self.lock));
        match &self.holders {
            Holders::Writer(guard) => {
                assert_eq!(format!("{guard:?} {guard}"), format!("{value} {value}"));
                assert_eq!((**guard, printed.as_str()), (value, "RwLock(<locked>)"));
            }
            Holders::Readers(guards) => {
                for guard in guards {
                    assert_eq!(format!("{guard:?} {guard}"), format!("{value} {value}"));
                    assert_eq!(**guard, value);
                }
                assert_eq!(printed, format!("RwLock({value})"));
            }
        }
        // Printing has read it, and left it as it was.
        assert_eq!(self.lock.is_locked(), !self.is_free());
    }
}
