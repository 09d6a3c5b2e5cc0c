//! Models of everything that lives in shared memory: loom runs each in all schedules, and with all
//! values that the memory model lets a thread read. Who sleeps for ever is a deadlock, and fails.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test --release --test loom
//! ```
//!
//! That each can fail, `ci/mutants.sh` shows.

#![cfg(loom)]

mod barrier;
mod condvar;
mod event;
mod message_ring;
mod mpmc;
mod mutex;
mod once;
mod reentrant;
mod rwlock;
mod semaphore;
mod spsc;
mod sum;
mod tasks;

use core::time::Duration;

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread::{self, JoinHandle};
use rawipc::Deadline;

/// Does it in a thread of its own, which shares `what` with this one.
fn beside<S, T>(what: &Arc<S>, task: impl FnOnce(&S) -> T + 'static) -> JoinHandle<T>
where
    S: 'static,
    T: 'static,
{
    let what = Arc::clone(what);
    thread::spawn(move || task(&what))
}

/// What they have found out, when all have ended.
fn join<T, const N: usize>(threads: [JoinHandle<T>; N]) -> [T; N] {
    threads.map(|thread| thread.join().unwrap())
}

/// As `loom::model`, but of those schedules only in which threads are interrupted so often at most;
/// to sleep is no interruption. For models of which loom does not see the end in half a minute.
fn model_interrupted(most: usize, task: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(most);
    builder.check(task);
}

/// A deadline: in a model, it may pass at any moment.
fn soon() -> Deadline {
    Deadline::now()
}

/// A deadline that does not pass in a model; but whoever sleeps until then looks again once.
fn later() -> Deadline {
    Deadline::after(Duration::from_secs(1 << 40))
}

/// A number that orders nothing, and is changed in two steps: it comes out right only where others
/// see to both.
#[derive(Default)]
struct Tally(AtomicUsize);

impl Tally {
    fn add_one(&self) {
        self.0.store(self.get() + 1, Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}
