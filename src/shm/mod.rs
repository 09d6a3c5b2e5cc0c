//! Shared memory: what it is kept in, and how one looks into it.
//!
//! | type | what it is | for |
//! |---|---|---|
//! | [`Shared`] | a value in shared memory, used in place | locks, counters, arrays: between programs that trust each other |
//! | [`Bytes`] | bytes, copied in and out | whatever is not trusted, or not Rust's |
//! | [`Object`] | `shm_open`: memory that has a name | strangers; C's and Python's too |
//! | [`Memfd`] | `memfd_create`: memory that is a descriptor | relatives, and whoever is sent it; it keeps its length |
//! | [`Mapping`] | `mmap`: where it lies in this process | what the first two are made of |
//!
//! # Examples
//!
//! A counter that a child counts on, and some bytes that a stranger could send:
//!
//! ```
//! use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
//! use rawipc::process;
//! use rawipc::shm::{Access, Bytes, Memfd, Shared};
//!
//! let counter = Shared::anonymous(AtomicU64::new(0))?;
//! let task = || {
//!     counter.fetch_add(1, Relaxed);
//!     0
//! };
//! // SAFETY: the child counts, and exits; nothing is owned twice.
//! let mut child = unsafe { process::spawn(task)? };
//! assert!(child.wait()?.success());
//! assert_eq!(counter.load(Relaxed), 1);
//!
//! let frame = Bytes::map(Memfd::new(1 << 16)?, Access::ReadWrite)?;
//! frame.copy_in(40, b"pixels")?;
//! assert_eq!(frame.copy_out(40, &mut [0; 6])?, b"pixels");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory is taken at once
//!
//! What is created here has its memory from the beginning, so that there is an error then if there
//! is none, and never a `SIGBUS` later. And it has its name, if any, only when it is complete.
//!
//! # References
//!
//! - [shm_overview(7)](https://man7.org/linux/man-pages/man7/shm_overview.7.html)
//! - [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)

mod bytes;
pub(crate) mod directory;
mod error;
pub(crate) mod file;
mod header;
mod mapping;
mod memfd;
mod named;
pub(crate) mod plain;
mod shared;

pub use bytes::{Bytes, OutOfBounds, WriteError};
pub use error::{LayoutError, OpenError};
pub use mapping::{Access, Mapping};
pub use memfd::{HugePages, Memfd, MemfdOptions, Seals};
pub use named::Object;
pub use plain::{Plain, ShmSafe};
pub use rustix::fs::Mode;
pub use shared::{InPlace, Shared};
