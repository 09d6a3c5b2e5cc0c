//! The calls that locks and signals have, and what they do when they are as new.

use rawipc::Deadline;
use rawipc::error::{Overflow, TimedOut};
use rawipc::sync::{
    AutoResetEvent, Barrier, BarrierError, BoundedSemaphore, Broken, Condvar, Event, Mutex, Once,
    ReentrantMutex, RwLock, RwLockWriteGuard, Semaphore,
};

use super::{Arena, Call, Subject};

/// Makes what is printed, and forgets it.
fn print(value: &impl core::fmt::Debug) {
    assert!(!format!("{value:?}").is_empty());
}

impl Subject for Mutex<[u32; 3]> {
    fn new() -> Self {
        Self::new([0; 3])
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, middle| match call.which % 4 {
            0 => {
                let guard = self.try_lock().map(|mut guard| {
                    guard[call.below(3)] = call.number;
                    guard
                });
                middle();
                drop(guard);
            }
            1 => {
                let guard = self.lock_until(call.by());
                middle();
                let _second = self.lock_until(call.by());
                drop(guard);
            }
            2 => {
                let guard = self.try_lock();
                middle();
                print(self);
                drop(guard);
            }
            _ => _ = self.is_locked(),
        }
    }

    fn works(&self) {
        assert!(!self.is_locked());
        let mut guard = self.try_lock().expect("free");
        *guard = [1, 2, 3];
        assert!(self.is_locked() && self.try_lock().is_none());
        assert_eq!(self.lock_until(Deadline::now()).err(), Some(TimedOut));
        drop(guard);
        assert_eq!(*self.lock(), [1, 2, 3]);
        assert!(!self.is_locked());
    }
}

impl Subject for RwLock<[u32; 3]> {
    fn new() -> Self {
        Self::new([0; 3])
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, middle| match call.which % 7 {
            0 => {
                let guards = [self.try_read(), self.read_until(call.by()).ok()];
                middle();
                drop(guards);
            }
            1 => {
                let guard = self.try_write();
                middle();
                drop(guard);
            }
            2 => {
                let guard = self.write_until(call.by()).map(|mut guard| {
                    guard[call.below(3)] = call.number;
                    guard
                });
                middle();
                drop(guard.map(RwLockWriteGuard::downgrade));
            }
            3 => {
                let guard = self.read_until(call.by());
                middle();
                let _writer = self.write_until(call.by());
                drop(guard);
            }
            4 => {
                let guard = self.write_until(call.by());
                middle();
                let _reader = self.read_until(call.by());
                drop(guard);
            }
            5 => print(self),
            _ => _ = (self.is_locked(), self.is_write_locked()),
        }
    }

    fn works(&self) {
        assert!(!self.is_locked());
        let readers = [self.try_read().expect("free"), self.read()];
        assert!(self.is_locked() && !self.is_write_locked() && self.try_write().is_none());
        assert_eq!(self.write_until(Deadline::now()).err(), Some(TimedOut));
        drop(readers);
        let mut writer = self.write();
        *writer = [1, 2, 3];
        assert!(self.is_write_locked() && self.try_read().is_none() && self.try_write().is_none());
        assert_eq!(self.read_until(Deadline::now()).err(), Some(TimedOut));
        let reader = RwLockWriteGuard::downgrade(writer);
        assert_eq!(self.try_read().as_deref(), Some(&[1, 2, 3]));
        drop(reader);
        assert!(!self.is_locked());
    }
}

impl Subject for ReentrantMutex<u32> {
    fn new() -> Self {
        Self::new(0)
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        let mut held = Vec::new();
        move |call, middle| match call.which % 5 {
            0 => held.extend(self.try_lock()),
            1 => held.extend(self.lock_until(call.by())),
            2 => drop(held.pop()),
            3 => {
                let guard = self.lock_until(call.by());
                middle();
                let _second = self.try_lock();
                drop(guard);
            }
            _ => {
                let _either = (self.is_locked(), self.is_owned());
                print(self);
            }
        }
    }

    fn works(&self) {
        assert!(!self.is_locked() && !self.is_owned());
        let guards = [self.lock(), self.try_lock().expect("ours"), self.lock()];
        for guard in guards {
            assert!(self.is_locked() && self.is_owned());
            drop(guard);
        }
        assert!(!self.is_locked() && !self.is_owned());
    }
}

impl Subject for Condvar {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        // Our own: who waits takes it again, however long that takes.
        let mutex = Mutex::new(0);
        move |call, middle| match call.which % 4 {
            0 => {
                let _either = self.wait_until(&mut mutex.lock(), call.by());
                assert!(!mutex.is_locked());
            }
            1 => {
                let mut looks = 0;
                let condition = |_: &mut u32| {
                    middle();
                    looks += 1;
                    looks < 100
                };
                let _either = self.wait_while_until(&mut mutex.lock(), condition, call.by());
                assert!(!mutex.is_locked() && looks > 0);
            }
            2 => self.notify_one(),
            _ => self.notify_all(),
        }
    }

    fn works(&self) {
        let mutex = Mutex::new(5);
        let mut guard = mutex.lock();
        self.notify_all();
        assert_eq!(self.wait_until(&mut guard, Deadline::now()), Err(TimedOut));
        assert!(mutex.is_locked());
        assert_eq!(self.wait_while_until(&mut guard, |five| *five != 5, Deadline::now()), Ok(()));
        drop(guard);
        assert!(!mutex.is_locked());
    }
}

impl Subject for Event {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, _| match call.which % 4 {
            0 => self.set(),
            1 => self.reset(),
            2 => _ = self.wait_until(call.by()),
            _ => print(self),
        }
    }

    fn works(&self) {
        assert!(!self.is_set());
        assert_eq!(self.wait_until(Deadline::now()), Err(TimedOut));
        self.set();
        assert!(self.is_set());
        assert_eq!(self.wait_until(Deadline::now()), Ok(()));
        self.reset();
        assert!(!self.is_set());
        assert_eq!(self.wait_until(Deadline::now()), Err(TimedOut));
    }
}

impl Subject for AutoResetEvent {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, _| match call.which % 5 {
            0 => self.set(),
            1 => self.reset(),
            2 => _ = self.wait_until(call.by()),
            3 => _ = self.try_wait(),
            _ => print(self),
        }
    }

    fn works(&self) {
        assert!(!self.is_set() && !self.try_wait());
        assert_eq!(self.wait_until(Deadline::now()), Err(TimedOut));
        self.set();
        assert!(self.is_set() && self.try_wait() && !self.is_set());
        self.set();
        assert_eq!(self.wait_until(Deadline::now()), Ok(()));
        assert!(!self.try_wait());
    }
}

impl Subject for Barrier {
    fn new() -> Self {
        Self::new(3)
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, _| match call.which % 5 {
            0 => _ = self.try_wait(),
            1 => _ = self.wait_until(call.by()),
            2 => self.abort(),
            3 => self.reset(),
            _ => print(self),
        }
    }

    fn works(&self) {
        assert_eq!((self.waiting(), self.parties(), self.is_broken()), (0, 3, false));
        assert_eq!(self.try_wait(), Ok(None));
        assert_eq!(self.wait_until(Deadline::now()), Err(BarrierError::TimedOut));
        assert_eq!((self.waiting(), self.is_broken()), (0, true));
        assert_eq!(self.wait(), Err(Broken));
        self.reset();
        assert_eq!(self.try_wait(), Ok(None));
        self.abort();
        assert_eq!(self.try_wait(), Err(Broken));
    }
}

impl Subject for Semaphore {
    fn new() -> Self {
        Self::new(1)
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, _| match call.which % 4 {
            0 => _ = self.try_wait(),
            1 => _ = self.wait_until(call.by()),
            2 => _ = self.post(),
            _ => print(self),
        }
    }

    fn works(&self) {
        assert_eq!(self.value(), 1);
        self.wait();
        assert!(!self.try_wait());
        assert_eq!(self.wait_until(Deadline::now()), Err(TimedOut));
        assert_eq!((self.post(), self.post(), self.value()), (Ok(()), Ok(()), 2));
        assert!(self.try_wait() && self.wait_until(Deadline::now()).is_ok() && !self.try_wait());
    }
}

impl Subject for BoundedSemaphore {
    fn new() -> Self {
        Self::new(2)
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, _| match call.which % 5 {
            0 => _ = self.try_wait(),
            1 => _ = self.wait_until(call.by()),
            2 => _ = self.post(),
            3 => assert!(self.bound() <= Semaphore::MAX),
            _ => print(self),
        }
    }

    fn works(&self) {
        assert_eq!((self.value(), self.bound()), (2, 2));
        assert_eq!(self.post(), Err(Overflow));
        self.wait();
        assert!(self.try_wait() && !self.try_wait());
        assert_eq!(self.wait_until(Deadline::now()), Err(TimedOut));
        assert_eq!((self.post(), self.post(), self.post()), (Ok(()), Ok(()), Err(Overflow)));
    }
}

impl Subject for Once {
    fn new() -> Self {
        Self::new()
    }

    fn caller<'a>(&'a self, _: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        |call, middle| match call.which % 4 {
            0 => _ = self.try_call_once(middle),
            1 => {
                let inner = || {
                    middle();
                    let _running = self.call_once_until(|| {}, call.by());
                };
                let _either = self.call_once_until(inner, call.by());
            }
            2 => _ = self.wait_until(call.by()),
            _ => print(self),
        }
    }

    fn works(&self) {
        assert!(!self.is_completed());
        assert_eq!(self.wait_until(Deadline::now()), Err(TimedOut));
        let mut runs = 0;
        self.call_once(|| runs += 1);
        assert!(self.is_completed() && self.try_call_once(|| runs += 1));
        self.wait();
        assert_eq!((runs, self.call_once_until(|| {}, Deadline::now())), (1, Ok(())));
    }
}
