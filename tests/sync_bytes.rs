//! What the types of `sync` are as bytes, and what they cost in the long run: nothing.

mod support;

use core::cell::Cell;
use core::mem::{align_of, size_of};
use core::sync::atomic::Ordering::Relaxed;
use std::fs;

use rawipc::Deadline;
use rawipc::shm::Shared;
use rawipc::shm::ShmSafe;
use rawipc::sync::{
    AutoResetEvent, Barrier, BarrierWaitResult, BoundedSemaphore, Broken, Condvar, Event, Mutex,
    Once, ReentrantMutex, RwLock, RwLockWriteGuard, Semaphore,
};
use support::crowd::all;
use support::shared::{shared, words};
use support::{child, descriptors, isolated, join};

/// As memory is that nobody has touched.
fn zeroed<T: ShmSafe>() -> Shared<T> {
    shared(T::new_zeroed())
}

#[test]
fn zeros_are_the_untouched_value() {
    isolated(|| {
        let mutex = zeroed::<Mutex<u64>>();
        assert!(!mutex.is_locked());
        all(3, |_| *mutex.lock() += 1);
        assert_eq!(*mutex.lock(), 3);

        let mutex = zeroed::<ReentrantMutex<Cell<u64>>>();
        assert!(!mutex.is_locked() && !mutex.is_owned());
        all(3, |_| {
            let (outer, inner) = (mutex.lock(), mutex.lock());
            inner.set(outer.get() + 1);
        });
        assert_eq!(mutex.lock().get(), 3);

        let lock = zeroed::<RwLock<u64>>();
        assert!(!lock.is_locked());
        all(3, |_| *lock.write() += 1);
        assert_eq!(*lock.read(), 3);

        let event = zeroed::<Event>();
        assert!(!event.is_set());
        let setter = child(|| event.set());
        event.wait();
        join(setter);

        let event = zeroed::<AutoResetEvent>();
        assert!(!event.is_set());
        let setter = child(|| event.set());
        event.wait();
        join(setter);
        assert!(!event.is_set());

        let (mutex, condvar) = (zeroed::<Mutex<u64>>(), zeroed::<Condvar>());
        let notifier = child(|| {
            *mutex.lock() = 1;
            condvar.notify_one();
        });
        condvar.wait_while(&mut mutex.lock(), |value| *value == 0);
        join(notifier);

        let barrier = zeroed::<Barrier>();
        assert_eq!((barrier.parties(), barrier.is_broken()), (0, false));
        assert!(barrier.wait().is_ok_and(BarrierWaitResult::is_leader));
        barrier.abort();
        assert_eq!(barrier.wait(), Err(Broken));

        let semaphore = zeroed::<Semaphore>();
        assert!(!semaphore.try_wait());
        let poster = child(|| semaphore.post().unwrap());
        semaphore.wait();
        join(poster);

        let never = zeroed::<BoundedSemaphore>();
        assert_eq!((never.bound(), never.value()), (0, 0));
        assert!(!never.try_wait() && never.post().is_err());

        let once = zeroed::<Once>();
        let runs = Cell::new(0);
        once.call_once(|| runs.set(1));
        once.call_once(|| runs.set(2));
        assert_eq!(runs.get(), 1);
    });
}

/// What `new` makes is what zeros are.
#[track_caller]
fn is_zeros<T: ShmSafe>(new: T) {
    let new = shared(new);
    assert!(words(&new).iter().all(|word| word.load(Relaxed) == 0));
}

#[test]
fn new_ones_are_all_zeros() {
    is_zeros(Mutex::new(0_u64));
    is_zeros(ReentrantMutex::new(Cell::new(0_u64)));
    is_zeros(RwLock::new(0_u64));
    is_zeros(Condvar::new());
    is_zeros(Event::new());
    is_zeros(AutoResetEvent::new());
    is_zeros(Barrier::new(0));
    is_zeros(Once::new());
}

#[test]
fn sizes_are_as_promised() {
    // Size and alignment.
    fn of<T>() -> (usize, usize) {
        (size_of::<T>(), align_of::<T>())
    }
    let wide = align_of::<core::sync::atomic::AtomicU64>();
    assert_eq!(of::<Mutex<()>>(), (4, 4));
    assert_eq!(
        of::<Mutex<u64>>(),
        (size_of::<[u64; 2]>() - (8 - align_of::<u64>()), align_of::<u64>())
    );
    assert_eq!(of::<RwLock<()>>(), (8, 4));
    assert_eq!(of::<RwLock<[u64; 2]>>(), (24, align_of::<u64>()));
    assert_eq!(of::<ReentrantMutex<[u64; 2]>>(), (24, align_of::<u64>()));
    assert_eq!(of::<Condvar>(), (8, 4));
    assert_eq!(of::<Event>(), (4, 4));
    assert_eq!(of::<AutoResetEvent>(), (4, 4));
    assert_eq!(of::<Once>(), (4, 4));
    assert_eq!(of::<Barrier>(), (16, wide));
    assert_eq!(of::<Semaphore>(), (32, wide));
    assert_eq!(of::<BoundedSemaphore>(), (40, wide));
}

#[test]
fn a_semaphore_has_the_bytes_of_sem_t() {
    isolated(|| {
        let semaphore = shared(Semaphore::new(5));
        let words = words(&semaphore).iter().map(|word| word.load(Relaxed));
        let value = if cfg!(target_endian = "big") { [0, 5] } else { [5, 0] };
        assert!(words.eq(value.into_iter().chain([0x80, 0, 0, 0, 0, 0])));
    });
}

/// Resident pages, and mappings.
fn memory() -> (u64, usize) {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let resident = pages.split(' ').nth(1).unwrap().parse().unwrap();
    (resident, fs::read_to_string("/proc/self/maps").unwrap().lines().count())
}

#[test]
fn a_million_rounds_leave_nothing_behind() {
    isolated(|| {
        let mutex = shared(Mutex::new(0_u64));
        let reentrant = shared(ReentrantMutex::new(Cell::new(0_u64)));
        let lock = shared(RwLock::new(0_u64));
        let (event, bell) = (shared(Event::new()), shared(AutoResetEvent::new()));
        let (barrier, condvar) = (shared(Barrier::new(1)), shared(Condvar::new()));
        let semaphore = shared(Semaphore::new(0));
        let round = || {
            *mutex.lock() += 1;
            drop(lock.read());
            drop(RwLockWriteGuard::downgrade(lock.write()));
            event.set();
            event.wait();
            event.reset();
            bell.set();
            bell.wait();
            semaphore.post().unwrap();
            semaphore.wait();
            condvar.notify_all();
        };
        // What makes a system call each time, or sleeps: fewer.
        let slow_round = || {
            drop([reentrant.lock(), reentrant.lock()]);
            let _ = (barrier.wait().unwrap(), Once::new().call_once(|| {}));
            assert!(semaphore.wait_until(Deadline::now()).is_err());
            assert!(event.wait_until(Deadline::now()).is_err());
            assert!(bell.wait_until(Deadline::now()).is_err());
            let held = mutex.lock();
            assert!(mutex.lock_until(Deadline::now()).is_err());
            drop(held);
            let held = lock.read();
            assert!(lock.write_until(Deadline::now()).is_err());
            drop(held);
            assert!(condvar.wait_until(&mut mutex.lock(), Deadline::now()).is_err());
        };
        (0..1000).for_each(|_| round());
        (0..1000).for_each(|_| slow_round());
        let _warm = (memory(), descriptors());
        let (before, open) = (memory(), descriptors());
        (0..1_000_000).for_each(|_| round());
        (0..20_000).for_each(|_| slow_round());
        let after = memory();
        assert_eq!((after.1, descriptors()), (before.1, open));
        assert!(after.0 < before.0 + 64, "grown from {} to {} pages", before.0, after.0);
        assert_eq!(*mutex.lock(), 1_001_000);
    });
}
