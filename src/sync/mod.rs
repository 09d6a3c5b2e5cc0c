//! Locks and signals that live in shared memory: between the threads of a process, between parent
//! and child, and between strangers that have opened the same object.
//!
//! | type | what it is | as in |
//! |---|---|---|
//! | [`Mutex`] | one at a time | `std`, `parking_lot` |
//! | [`RwLock`] | many readers or one writer | `std`, `parking_lot` |
//! | [`ReentrantMutex`] | one thread at a time, as often as it likes | `RLock` of Python |
//! | [`Condvar`] | waiting for what a mutex protects to change | `std`, `parking_lot` |
//! | [`Event`], [`AutoResetEvent`] | waiting for something to have happened | `Event` of Python, Windows |
//! | [`Barrier`] | waiting for each other | `Barrier` of Python |
//! | [`Semaphore`], [`BoundedSemaphore`] | counting | `sem_t`, `Semaphore` of Python |
//! | [`Once`] | done once, by whoever comes first | `std` |
//!
//! They are plain bytes: `repr(C)` or `repr(transparent)`, of a layout that is part of the promise,
//! without a pointer, and untouched when all zero. None has to be initialised, registered or
//! destroyed. To put one where other processes reach it, wrap it in [`Shared`](crate::shm::Shared).
//!
//! ```
//! use rawipc::process;
//! use rawipc::shm::Shared;
//! use rawipc::sync::Mutex;
//!
//! let total = Shared::anonymous(Mutex::new(0.0))?;
//! let add = || {
//!     *total.lock() += 1.5;
//!     0
//! };
//! // SAFETY: the child takes a lock and returns it; nothing is owned twice.
//! let mut child = unsafe { process::spawn(add)? };
//! add();
//! child.wait()?;
//! assert_eq!(*total.lock(), 3.0);
//! # Ok::<(), rawipc::Errno>(())
//! ```
//!
//! # Waiting
//!
//! `op()` waits, `try_op()` never does, and `op_until(`[`Deadline`](crate::Deadline)`)` gives up.
//! Whoever waits first looks again and again for some microseconds, if that has proved worth it
//! lately, and then sleeps on a futex. Signals do not end a wait.
//!
//! A deadline bounds the wait for what others do, with one exception: [`Condvar::wait_until`] takes
//! its mutex again before it returns, however long that takes.
//!
//! # Whom they trust
//!
//! Whatever other processes write there, none of these causes undefined behaviour by itself, and
//! deadlines hold, with that exception. But what a lock protects is only as safe as everybody who
//! can reach it is honest: see [`Shared::open`](crate::shm::Shared::open).
//!
//! A process that is **killed while it waits** harms nobody: a wake that was meant for it reaches
//! the others within a second, after which every sleeper looks again. (To a [`Barrier`] it has
//! come.) A process that is killed **while it holds** a lock leaves it locked; one that is killed
//! in the middle of a [`Once`] leaves the others waiting.
//!
//! # References
//!
//! - [futex(7)](https://man7.org/linux/man-pages/man7/futex.7.html)
//! - Ulrich Drepper, [Futexes Are Tricky](https://www.akkadia.org/drepper/futex.pdf)

mod auto_reset;
mod barrier;
mod bounded;
mod condvar;
mod event;
mod mutex;
mod once;
mod owner;
mod raw;
mod raw_rwlock;
mod reentrant;
mod rwlock;
mod semaphore;

pub use auto_reset::AutoResetEvent;
pub use barrier::{Barrier, BarrierError, BarrierWaitResult, Broken};
pub use bounded::BoundedSemaphore;
pub use condvar::Condvar;
pub use event::Event;
pub use mutex::{Mutex, MutexGuard};
pub use once::Once;
pub use reentrant::{ReentrantMutex, ReentrantMutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::Semaphore;
