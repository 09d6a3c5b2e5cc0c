//! POSIX message queues: messages with priorities, in a queue that has a name and outlives its
//! users.
//!
//! The oldest message of the highest priority is received first. A queue holds at most
//! `max_messages` messages of at most `message_size` bytes, both fixed when it is created, and
//! exists from then until it is [unlinked](Mq::unlink) and the last descriptor of it is closed, or
//! the machine is restarted.
//!
//! The queues are those that C's `mq_open` and Python's `posix_ipc` open by the same name.
//!
//! # Time
//!
//! The kernel's own timeouts (`mq_timedreceive`) are on the wall clock: when that is set back by an
//! hour, they end an hour late. The `_until` forms here are right across any such step: they wait
//! in `poll`, on the monotonic clock, and then take or send without waiting. The price is one or
//! two system calls more when there is something to wait for; and whoever waits in `receive`
//! itself, being served by the kernel first, is ahead of them.
//!
//! # References
//!
//! - [mq_overview(7)](https://man7.org/linux/man-pages/man7/mq_overview.7.html)

mod limits;
mod options;
mod queue;

pub use limits::Limits;
pub use options::Options;
pub use queue::{Attributes, Message, Mq};
pub use rustix::fs::Mode;

/// One more than the highest priority (`MQ_PRIO_MAX`).
#[doc(alias = "MQ_PRIO_MAX")]
pub const PRIORITIES: u32 = 32_768;
