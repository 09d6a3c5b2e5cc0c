//! Many processes at one lock: some work, some sleep there, some are killed.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::time::Instant;

use rawipc::Deadline;
use rawipc::process::Child;
use rustix::thread::futex;

use super::shared::shared;
use super::{child, count, eventually, join, sleeps_in};

/// From as many as there are CPUs on a small machine to many more.
pub(crate) const SIZES: [usize; 3] = [2, 5, 16];

#[cfg(target_pointer_width = "64")]
pub(crate) const FUTEX: libc::c_long = libc::SYS_futex;
/// With times of 64 bits, and the same number on every 32-bit architecture.
#[cfg(target_pointer_width = "32")]
pub(crate) const FUTEX: libc::c_long = 422;

/// Has so many children do it at the same time, each with its number, and waits for them.
#[track_caller]
pub(crate) fn all(size: usize, work: impl Fn(usize)) {
    let (work, ready) = (&work, &shared(AtomicUsize::new(0)));
    let begin = |number| child(move || together(size, ready, || work(number)));
    let children: Vec<_> = (0..size).map(begin).collect();
    children.into_iter().for_each(join);
}

/// As [`all`], in so many threads of this process.
pub(crate) fn all_threads(size: usize, work: impl Fn(usize) + Sync) {
    let (work, ready) = (&work, &AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..size {
            scope.spawn(move || together(size, ready, || work(number)));
        }
    });
    // The kernel takes them off the list a little later.
    eventually("the threads are gone", || count("/proc/self/task") == 1);
}

/// Begins when all are there: otherwise the first would be through before the last is forked.
fn together(size: usize, ready: &AtomicUsize, work: impl FnOnce()) {
    ready.fetch_add(1, Relaxed);
    while ready.load(Relaxed) < size {
        std::thread::yield_now();
    }
    work();
}

/// A child that does it, and by now sleeps on a futex.
#[track_caller]
pub(crate) fn asleep(task: impl FnOnce()) -> Child {
    let child = child(task);
    sleeps_in(child.id(), FUTEX);
    child
}

/// A sleeper that takes the next wake of a word and does nothing with it: stands for one that is
/// killed after it was woken, and before it runs.
///
/// (None that really is killed can be made to: what stops a process before it runs, `SIGSTOP` or a
/// freezer, takes it off the futex first.)
#[track_caller]
pub(crate) fn swallower(word: &AtomicU32, expected: u32) -> Child {
    asleep(|| {
        futex::wait(word, futex::Flags::empty(), expected, None).expect("a wake");
    })
}

/// Waits with a deadline a few milliseconds away, for what does not come: must say so, and not
/// before.
#[track_caller]
pub(crate) fn times_out<E>(wait_until: impl FnOnce(Deadline) -> Result<(), E>) -> E {
    const WAIT: Duration = Duration::from_millis(20);
    let start = Instant::now();
    let error = wait_until(Deadline::after(WAIT)).expect_err("nothing came");
    assert!(start.elapsed() >= WAIT, "too early: {:?}", start.elapsed());
    error
}

/// Does it, which must not take the time after which every sleeper looks again by itself.
#[track_caller]
pub(crate) fn at_once<T>(what: impl FnOnce() -> T) -> T {
    const DELAY: Duration = Duration::from_millis(700);
    let start = Instant::now();
    let result = what();
    assert!(start.elapsed() < DELAY, "not at once: {:?}", start.elapsed());
    result
}
