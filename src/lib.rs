//! Linux inter-process primitives on raw system calls: `no_std`, zero allocation, typed, and tested
//! between real processes.
//!
//! | module | what it wraps | for |
//! |---|---|---|
//! | [`pipe`] | `pipe2`, `splice`, `tee` | bytes, one way, between relatives |
//! | [`fifo`] | `mkfifoat`, `open` | bytes, one way, between strangers |
//! | [`socket`] | `socketpair`, `sendmsg`, `recvmsg` | bytes or messages, both ways, with descriptors and credentials |
//! | [`posix::Mq`] | `mq_open`, `mq_timedsend`, `mq_notify` | messages with priorities, between strangers |
//! | [`posix::Semaphore`] | `sem_open`, `sem_post`, `sem_wait` | counting, between strangers; C's and Python's too |
//! | [`sysv::MsgQueue`] | `msgget`, `msgsnd`, `msgrcv` | messages with types, between strangers |
//! | [`sysv::SemSet`] | `semget`, `semtimedop`, `semctl` | counters that change together |
//! | [`sysv::Shm`] | `shmget`, `shmat`, `shmctl` | memory found by a key, and freed with its last user |
//! | [`shm`] | `shm_open`, `memfd_create`, `mmap` | memory that relatives and strangers share |
//! | [`sync`] | `futex` | locks, condition variables, events, barriers and semaphores in that memory |
//! | [`queue`] | | bounded queues in that memory |
//! | [`sum`] | | adding `f64`s in that memory, from many processes at once |
//! | [`process`] | `fork`, `pidfd_open`, `waitid`, `pidfd_send_signal` | children that cannot be mistaken for others |
//!
//! # Example
//!
//! ```
//! use rawipc::{pipe::Pipe, process};
//!
//! let Pipe { reader, writer } = Pipe::new()?;
//! let task = move || match writer.write_all(b"hello from the child") {
//!     Ok(()) => 0,
//!     Err(_) => 1,
//! };
//! // SAFETY: the child makes one system call and exits; nothing is owned twice.
//! let mut child = unsafe { process::spawn(task)? };
//!
//! let mut buffer = [0; 64];
//! assert_eq!(reader.read_all(&mut buffer)?, b"hello from the child");
//! assert!(child.wait()?.success());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds everywhere
//!
//! - **Nothing is allocated**, and nothing is copied that the kernel does not copy. Receiving takes
//!   a caller's [`Buffer`], initialised or not, and returns the part that it filled.
//! - **Three forms of waiting.** `op()` waits, `try_op()` never does ([`Errno::AGAIN`]; for what
//!   lives in memory `None` or `false`), and `op_until(`[`Deadline`]`)` gives up
//!   ([`Errno::TIMEDOUT`], [`TimedOut`](error::TimedOut)). A deadline is absolute and monotonic.
//! - **Errors are the kernel's**, as an [`Errno`], unchanged. What a caller must tell apart has a
//!   type of its own.
//! - **Descriptors are owned** ([I/O safety](https://doc.rust-lang.org/std/io/index.html#io-safety)),
//!   made close-on-exec, and can be polled: everything that is one implements `AsFd` and converts
//!   into `OwnedFd`; pipe ends and sockets also from it.
//! - **A closed end is only closed.** What others may be using is destroyed by nobody's `Drop`:
//!   `unlink` is explicit.
//! - **Async-signal-safe.** No function allocates, takes a hidden lock or has thread-local state
//!   that a signal could find half-changed: all may be called in a signal handler, and in the child
//!   of a process with threads. (But for fork, with `std`: there it is the C library's, with all
//!   that the program hangs on it. And a handler that waits for a lock which the thread that it
//!   interrupts holds waits for ever.)
//!
//! # Features
//!
//! `std`, on by default: `Read` and `Write`, conversions to the standard library's types, `Path`
//! arguments, and fork through the C library. Without it, the crate needs neither `std` nor `alloc`
//! nor a C library at run time.
//!
//! The types of descriptors are those of [`fd`], which are the standard library's with `std`. They
//! come from `rustix` 1, as [`Errno`] and some flags do, and so are part of this crate's promise;
//! if another crate in the program turns on `rustix/std`, they are the standard library's here too.
//!
//! # Where it runs
//!
//! Linux 5.4 and later. On x86-64, x86, `AArch64`, Arm and RISC-V 64 it enters the kernel by
//! itself; on others through the C library, in whole or, on s390x, in part: there it takes `std`,
//! and a signal handler has to keep `errno`. What newer kernels do better is probed at run time.
//! Where there are no atomics of 64 bits, [`sync`], [`queue`] and [`sum`] are missing.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(not(target_os = "linux"))]
compile_error!("rawipc wraps the system calls of Linux, and runs nowhere else");

#[cfg(feature = "std")]
extern crate std;

pub mod error;
mod name;
mod time;

mod buffer;
mod path;
mod text;
mod wait;

mod sys;

// Some of what is in them takes atomics of 64 bits.
#[cfg(target_has_atomic = "64")]
mod prim;
#[cfg(target_has_atomic = "64")]
pub mod queue;
#[cfg(target_has_atomic = "64")]
pub mod sum;
#[cfg(target_has_atomic = "64")]
pub mod sync;

pub mod fifo;
pub mod pipe;
pub mod process;
pub mod shm;
pub mod socket;

pub mod posix;
pub mod sysv;

#[cfg(feature = "std")]
mod io;

pub use buffer::Buffer;
pub use error::{Errno, Result};
pub use name::Name;
pub use path::PathArg;
pub use rustix::fd;
pub use rustix::io::{IoSlice, IoSliceMut};
pub use time::Deadline;
pub use zerocopy;

/// The README's examples, which run with the documentation's.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
