//! What the two do.

use std::time::Instant;

use crate::meeting;

/// Who wakes, and who sleeps.
pub(super) struct Ends {
    /// Wakes the other; when it began to.
    pub(super) wake: Box<dyn FnMut(Clock) -> u64>,
    /// Sleeps until woken up; when that was.
    pub(super) sleep: Box<dyn FnMut(Clock) -> u64>,
}

/// The monotonic clock, which the C library reads without entering the kernel: from the CPU's own
/// counter, where the kernel knows that it is the same on all CPUs. That takes 25 ns or so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    /// One that both read, if it is started before the one starts the other.
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// In nanoseconds.
    pub(super) fn now(self) -> u64 {
        meeting::nanoseconds(self.0.elapsed())
    }
}

impl Ends {
    /// One call each.
    pub(super) fn of(mut wake: impl FnMut() + 'static, mut sleep: impl FnMut() + 'static) -> Self {
        let wake = move |clock: Clock| {
            let before = clock.now();
            wake();
            before
        };
        let sleep = move |clock: Clock| {
            sleep();
            clock.now()
        };
        Self { wake: Box::new(wake), sleep: Box::new(sleep) }
    }

    /// A condition variable: both have something to do besides, of which the waker's is before the
    /// call and the sleeper's behind it.
    pub(super) fn changing(
        mut change: impl FnMut() + 'static,
        mut notify: impl FnMut() + 'static,
        mut sleep: impl FnMut(&dyn Fn()) + 'static,
    ) -> Self {
        let wake = move |clock: Clock| {
            change();
            let before = clock.now();
            notify();
            before
        };
        let sleep = move |clock: Clock| {
            let after = core::cell::Cell::new(0);
            sleep(&|| after.set(clock.now()));
            after.get()
        };
        Self { wake: Box::new(wake), sleep: Box::new(sleep) }
    }

    /// Two locks, in turns: when the sleeper has got the one, the waker holds the other, which it
    /// waits for next.
    ///
    /// `lock` returns what unlocks when it is dropped.
    pub(super) fn of_locks<L, G: 'static>(
        locks: [&'static L; 2],
        lock: fn(&'static L) -> G,
    ) -> Self {
        let mut held = locks.map(|one| Some(lock(one)));
        let (mut wakes_at, mut sleeps_at) = (0, 0);
        let wake = move |clock: Clock| {
            // The sleeper has given it back before it went to sleep.
            let other = 1 - wakes_at;
            held[other].get_or_insert_with(|| lock(locks[other]));
            let held = held[wakes_at].take();
            wakes_at = other;
            let before = clock.now();
            drop(held);
            before
        };
        let sleep = move |clock: Clock| {
            let held = lock(locks[sleeps_at]);
            let after = clock.now();
            drop(held);
            sleeps_at = 1 - sleeps_at;
            after
        };
        Self { wake: Box::new(wake), sleep: Box::new(sleep) }
    }
}
