//! Locks and signals: alone, and with a child.

use core::cell::Cell;

use rawipc::error::{Overflow, TimedOut};
use rawipc::shm::Shared;
use rawipc::sync::{
    AutoResetEvent, Barrier, BarrierError, BarrierWaitResult, BoundedSemaphore, Broken, Condvar,
    Event, Mutex, Once, ReentrantMutex, RwLock, RwLockWriteGuard, Semaphore,
};
use rawipc::{Deadline, Errno, process};

pub fn run() -> Result<(), Errno> {
    let now = Deadline::now();
    mutexes(now)?;
    readers_and_writers(now)?;
    condvar(now);
    events(now)?;
    barrier(now);
    semaphores(now)?;
    once(now)?;
    with_a_child()
}

fn mutexes(now: Deadline) -> Result<(), TimedOut> {
    let mut mutex = Mutex::new(1);
    *mutex.lock() += 1;
    let held = mutex.lock_until(now)?;
    assert!(mutex.is_locked() && mutex.try_lock().is_none());
    assert_eq!(mutex.lock_until(now).err(), Some(TimedOut));
    drop(held);
    *mutex.get_mut() += 1;
    assert_eq!(mutex.into_inner(), 3);

    let mut mutex = ReentrantMutex::new(Cell::new(1));
    let guards = (mutex.lock(), mutex.try_lock(), mutex.lock_until(now)?);
    assert!(mutex.is_locked() && mutex.is_owned());
    guards.0.set(2);
    drop(guards);
    mutex.get_mut().set(3);
    assert_eq!(mutex.into_inner().get(), 3);
    Ok(())
}

fn readers_and_writers(now: Deadline) -> Result<(), TimedOut> {
    let mut lock = RwLock::new(1);
    let readers = (lock.read(), lock.try_read(), lock.read_until(now)?);
    assert!(lock.is_locked() && !lock.is_write_locked() && lock.try_write().is_none());
    assert_eq!(lock.write_until(now).err(), Some(TimedOut));
    drop(readers);
    *lock.write() += 1;
    let writer = lock.write_until(now)?;
    assert!(lock.is_write_locked() && lock.try_read().is_none());
    assert_eq!(*RwLockWriteGuard::downgrade(writer), 2);
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 3);
    Ok(())
}

fn condvar(now: Deadline) {
    let (mutex, condvar) = (Mutex::new(1), Condvar::new());
    let mut guard = mutex.lock();
    condvar.notify_one();
    condvar.notify_all();
    condvar.wait_while(&mut guard, |value| *value == 0);
    assert_eq!(condvar.wait_until(&mut guard, now), Err(TimedOut));
    assert_eq!(condvar.wait_while_until(&mut guard, |value| *value == 1, now), Err(TimedOut));
}

fn events(now: Deadline) -> Result<(), TimedOut> {
    let event = Event::new();
    event.set();
    event.wait();
    event.wait_until(now)?;
    event.reset();
    assert_eq!((event.is_set(), event.wait_until(now)), (false, Err(TimedOut)));

    let event = AutoResetEvent::new();
    event.set();
    event.wait();
    event.set();
    event.wait_until(now)?;
    event.set();
    event.reset();
    assert_eq!((event.is_set(), event.try_wait()), (false, false));
    assert_eq!(event.wait_until(now), Err(TimedOut));
    Ok(())
}

fn barrier(now: Deadline) {
    let barrier = Barrier::new(1);
    assert!(barrier.wait().is_ok_and(BarrierWaitResult::is_leader));
    assert!(barrier.wait_until(now).is_ok());
    assert!(barrier.try_wait().is_ok_and(|result| result.is_some()));
    barrier.abort();
    assert!(barrier.is_broken() && barrier.wait() == Err(Broken));
    barrier.reset();
    assert_eq!((barrier.waiting(), barrier.parties()), (0, 1));
    assert_eq!(Barrier::new(2).wait_until(now), Err(BarrierError::TimedOut));
}

fn semaphores(now: Deadline) -> Result<(), Errno> {
    let semaphore = Semaphore::new(1);
    semaphore.wait();
    semaphore.post()?;
    semaphore.wait_until(now)?;
    assert_eq!((semaphore.value(), semaphore.try_wait()), (0, false));
    assert_eq!(Semaphore::new(Semaphore::MAX).post(), Err(Overflow));

    let semaphore = BoundedSemaphore::new(1);
    semaphore.wait();
    semaphore.post()?;
    semaphore.wait_until(now)?;
    assert_eq!((semaphore.value(), semaphore.bound(), semaphore.try_wait()), (0, 1, false));
    Ok(())
}

fn once(now: Deadline) -> Result<(), TimedOut> {
    let (once, runs) = (Once::new(), Cell::new(0));
    let run = || runs.set(runs.get() + 1);
    assert_eq!(once.wait_until(now), Err(TimedOut));
    once.call_once(run);
    once.call_once_until(run, now)?;
    once.wait();
    assert!(once.try_call_once(run) && once.is_completed() && runs.get() == 1);
    Ok(())
}

/// Both sleep, and wake each other.
fn with_a_child() -> Result<(), Errno> {
    let [there, back] = [Semaphore::new(0), Semaphore::new(0)].map(Shared::anonymous);
    let (there, back) = (there?, back?);
    let play = || {
        for _ in 0..100 {
            there.wait();
            back.post().expect("room");
        }
        0
    };
    // SAFETY: the child plays and exits; nothing is owned twice.
    let mut child = unsafe { process::spawn(play)? };
    for _ in 0..100 {
        there.post()?;
        back.wait();
    }
    assert!(child.wait()?.success());
    Ok(())
}
