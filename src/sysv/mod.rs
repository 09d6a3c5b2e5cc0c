//! What System V names by keys: message queues, semaphore sets and shared memory segments.
//!
//! An object is found by its [`Key`], a number that unrelated processes agree on, and used by its
//! identifier, which the kernel gives. It is no descriptor: it cannot be polled, is not closed, and
//! stays until it is removed or the machine is restarted.
//!
//! # References
//!
//! - [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html)

mod key;
pub mod msg;
mod permissions;
pub mod sem;
pub mod shm;

pub use key::Key;
pub use msg::MsgQueue;
pub use permissions::Permissions;
pub use rustix::fs::Mode;
pub use sem::SemSet;
pub use shm::Shm;
