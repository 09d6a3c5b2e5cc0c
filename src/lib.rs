//! Linux inter-process primitives on raw system calls: `no_std`, zero allocation, typed.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(not(target_os = "linux"))]
compile_error!("rawipc is about Linux: its system calls, its futexes, its shared memory");

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

pub mod fifo;
pub mod pipe;
pub mod process;
pub mod socket;

pub use buffer::Buffer;
pub use error::{Errno, Result};
pub use name::Name;
pub use path::PathArg;
pub use rustix::io::{IoSlice, IoSliceMut};
pub use time::Deadline;
