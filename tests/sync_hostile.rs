//! Locks over bytes that nobody who keeps to the protocol has written: no call panics, none waits
//! beyond its deadline.

mod support;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use rawipc::Deadline;
use rawipc::process::Child;
use rawipc::shm::Shared;
use rawipc::shm::ShmSafe;
use rawipc::sync::{
    AutoResetEvent, Barrier, BarrierError, BoundedSemaphore, Condvar, Event, Mutex, Once,
    ReentrantMutex, RwLock, RwLockWriteGuard, Semaphore,
};
use support::shared::{shared, words};
use support::{child, eventually, isolated, join};

/// Numbers that look random, and are the same in each run.
struct Numbers(u64);

impl Numbers {
    /// Among them more of those that mean something than chance would give.
    fn next(&mut self) -> u32 {
        const TELLING: [u32; 20] = [
            0,
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            0x80,
            0xffff,
            0x1_0000,
            (1 << 30) - 2,
            (1 << 30) - 1,
            1 << 30,
            i32::MAX.unsigned_abs(),
            1 << 31,
            (1 << 31) + 1,
            u32::MAX - 1,
            u32::MAX,
        ];
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let number = (mixed ^ mixed >> 31).to_le_bytes();
        let [kind, choice, _, _, random @ ..] = number;
        match kind % 8 {
            0..=5 => TELLING[usize::from(choice) % TELLING.len()],
            6 => std::process::id(),
            _ => u32::from_le_bytes(random),
        }
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_micros(50))
}

/// Every call that may be made of whatever bytes are there.
trait Callable: ShmSafe + Sized {
    const UNTOUCHED: fn() -> Self;
    fn call_all(&self);
}

impl Callable for Mutex<u32> {
    const UNTOUCHED: fn() -> Self = || Self::new(0);

    fn call_all(&self) {
        drop(self.try_lock());
        drop(self.lock_until(soon()));
        drop(self.lock_until(Deadline::now()));
        let _ = (self.is_locked(), format!("{self:?}"));
    }
}

impl Callable for ReentrantMutex<u32> {
    const UNTOUCHED: fn() -> Self = || Self::new(0);

    fn call_all(&self) {
        drop(self.try_lock());
        let outer = self.lock_until(soon());
        drop(self.lock_until(Deadline::now()));
        drop(outer);
        let _ = (self.is_locked(), self.is_owned(), format!("{self:?}"));
    }
}

impl Callable for RwLock<u32> {
    const UNTOUCHED: fn() -> Self = || Self::new(0);

    fn call_all(&self) {
        let readers = [self.try_read(), self.read_until(soon()).ok()];
        drop(self.write_until(soon()));
        drop(readers);
        drop(self.try_write());
        drop(self.write_until(soon()).map(RwLockWriteGuard::downgrade));
        let _ = (self.is_locked(), self.is_write_locked(), format!("{self:?}"));
    }
}

impl Callable for Condvar {
    const UNTOUCHED: fn() -> Self = Self::new;

    fn call_all(&self) {
        let mutex = Mutex::new(());
        let mut guard = mutex.lock();
        let _ = self.wait_until(&mut guard, soon());
        let _ = self.wait_while_until(&mut guard, |()| true, soon());
        self.notify_one();
        self.notify_all();
    }
}

impl Callable for Event {
    const UNTOUCHED: fn() -> Self = Self::new;

    fn call_all(&self) {
        let _ = self.wait_until(soon());
        self.set();
        let _ = (self.is_set(), self.wait_until(soon()));
        self.reset();
        let _ = (self.wait_until(soon()), format!("{self:?}"));
    }
}

impl Callable for AutoResetEvent {
    const UNTOUCHED: fn() -> Self = Self::new;

    fn call_all(&self) {
        let _ = (self.try_wait(), self.wait_until(soon()));
        self.set();
        self.reset();
        let _ = (self.is_set(), self.wait_until(soon()), format!("{self:?}"));
    }
}

impl Callable for Barrier {
    const UNTOUCHED: fn() -> Self = || Self::new(3);

    fn call_all(&self) {
        let _ = (self.try_wait(), self.wait_until(soon()));
        let _ = (self.waiting(), self.parties(), self.is_broken(), format!("{self:?}"));
        self.abort();
        let _ = self.wait_until(soon());
        self.reset();
        let _ = (self.wait_until(Deadline::now()), self.wait_until(soon()));
    }
}

impl Callable for Semaphore {
    const UNTOUCHED: fn() -> Self = || Self::new(0);

    fn call_all(&self) {
        let _ = (self.try_wait(), self.wait_until(soon()));
        let _ = (self.post(), self.value(), self.wait_until(soon()), format!("{self:?}"));
    }
}

impl Callable for BoundedSemaphore {
    const UNTOUCHED: fn() -> Self = || Self::new(2);

    fn call_all(&self) {
        let _ = (self.try_wait(), self.wait_until(soon()), self.post(), self.wait_until(soon()));
        let _ = (self.value(), self.bound(), format!("{self:?}"));
    }
}

impl Callable for Once {
    const UNTOUCHED: fn() -> Self = Self::new;

    fn call_all(&self) {
        let _ = self.wait_until(soon());
        let _ = self.call_once_until(|| {}, soon());
        let _ = (self.try_call_once(|| {}), self.wait_until(soon()));
        let _ = (self.is_completed(), format!("{self:?}"));
    }
}

fn over_arbitrary_bytes<T: Callable>() {
    let lock = shared((T::UNTOUCHED)());
    let mut numbers = Numbers(7);
    for _ in 0..300 {
        let before: Vec<_> = words(&lock).iter().map(|_| numbers.next()).collect();
        for (word, &number) in words(&lock).iter().zip(&before) {
            word.store(number, Relaxed);
        }
        lock.call_all();
    }
    works_when_put_back(&lock);
}

fn works_when_put_back<T: Callable>(lock: &Shared<T>) {
    let untouched = shared((T::UNTOUCHED)());
    for (word, good) in words(lock).iter().zip(words(&untouched)) {
        word.store(good.load(Relaxed), Relaxed);
    }
    lock.call_all();
}

/// Writes there without a pause, until it is told to stop.
fn vandal(words: &[AtomicU32], stop: &AtomicU32) -> Child {
    child(|| {
        let mut numbers = Numbers(8);
        while stop.load(Relaxed) == 0 {
            for word in words {
                word.store(numbers.next(), Relaxed);
            }
        }
    })
}

fn over_changing_bytes<T: Callable>() {
    let (lock, stop) = (shared((T::UNTOUCHED)()), shared(AtomicU32::new(0)));
    let vandal = vandal(words(&lock), &stop);
    for _ in 0..200 {
        lock.call_all();
    }
    stop.store(1, Relaxed);
    join(vandal);
    works_when_put_back(&lock);
}

#[test]
fn a_deadline_holds_where_a_barrier_is_called_broken_in_the_middle_of_a_turn() {
    isolated(|| {
        let barrier = shared(Barrier::new(2));
        let child = child(|| {
            // Longer than the slice after which who sleeps looks again.
            let by = Deadline::after(Duration::from_millis(1100));
            assert_eq!(barrier.wait_until(by), Err(BarrierError::TimedOut));
        });
        eventually("it has come, or gone", || barrier.waiting() == 1 || barrier.is_broken());
        let low_half = &words(&barrier)[usize::from(cfg!(target_endian = "big"))];
        low_half.fetch_or(1, Relaxed);
        join(child);
    });
}

macro_rules! hostile_bytes {
    ($($name:ident: $type:ty),*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn any_bytes_can_be_called() {
                isolated(|| over_arbitrary_bytes::<$type>());
            }

            #[test]
            fn bytes_that_change_all_the_time_can_be_called() {
                isolated(|| over_changing_bytes::<$type>());
            }
        }
    )*};
}
hostile_bytes! {
    mutex: Mutex<u32>, reentrant_mutex: ReentrantMutex<u32>, rwlock: RwLock<u32>,
    condvar: Condvar, event: Event, auto_reset_event: AutoResetEvent, barrier: Barrier,
    semaphore: Semaphore, bounded_semaphore: BoundedSemaphore, once: Once
}
