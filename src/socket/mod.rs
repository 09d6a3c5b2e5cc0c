//! Socket pairs: two-way channels between processes, which carry descriptors and credentials too.
//!
//! | | carries | keeps boundaries | the other side has gone: receiving | sending |
//! |---|---|---|---|---|
//! | [`Stream`] | bytes | no | nothing (end of file) | [`Errno::PIPE`] |
//! | [`SeqPacket`] | messages | yes | an empty message | [`Errno::PIPE`] |
//! | [`Datagram`] | messages | yes | **sleeps for ever** | [`Errno::CONNREFUSED`], then [`Errno::NOTCONN`] |
//!
//! All three deliver in order and duplicate nothing; a socket that is full takes more when about
//! three quarters of it are free again. [`SeqPacket`] is what most programs that exchange messages
//! want.
//!
//! What a side has not read when it closes is lost, and the other side is told at most once, by
//! [`Errno::CONNRESET`]: on a [`SeqPacket`] by whichever call comes first, before what is still
//! queued; on a [`Stream`] by reading, after what is still queued, or by a write that slept; on a
//! [`Datagram`] not at all. There, the send that is refused also empties the sender's own queue:
//! receive everything first. (Nor is it told by some kernels, 6.18 among them, if all that was not
//! read is an empty message.)
//!
//! A [shutdown](Socket::shutdown) of reading does not wake those who wait on the other side for
//! room with a deadline: they learn of it at the deadline.
//!
//! # What holds for all of them
//!
//! - **No `SIGPIPE`.** Sending sets `MSG_NOSIGNAL`.
//! - **Truncation is never silent.** What was [`Received`] is reached by saying whether a part will
//!   do.
//! - **Descriptors do not leak.** They arrive close-on-exec in a caller-sized [`Descriptors`],
//!   which closes what is not taken; those that find no room are closed, and [`Received`] says so.
//! - **Interrupted.** A call that waits and has moved nothing yet returns [`Errno::INTR`] when a
//!   signal handler ran (unless it was installed with `SA_RESTART`; the `_until` forms are never
//!   restarted). The `_all` calls go on.
//! - **Never waiting.** `try_` calls set `MSG_DONTWAIT`: they do not wait, whatever the flags of
//!   the descriptor.
//!
//! # References
//!
//! - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
//! - [socketpair(2)](https://man7.org/linux/man-pages/man2/socketpair.2.html)

mod ancillary;
mod control;
mod credentials;
mod packet;
mod pair;
mod received;
mod stream;
mod transfer;

#[cfg(doc)]
use crate::Errno;
pub use ancillary::{Ancillary, Descriptors};
pub use credentials::Credentials;
pub use pair::{Socket, kind};
pub use received::{Received, Truncated};
pub use rustix::net::{Shutdown, SocketFlags};
pub use rustix::process::{Gid, Uid};

/// One end of a stream of bytes in both directions: a pipe each way.
pub type Stream = Socket<kind::Stream>;

/// One end of a pair that exchanges messages, in order, with an end of file.
pub type SeqPacket = Socket<kind::SeqPacket>;

/// One end of a pair that exchanges messages, in order, without an end of file.
pub type Datagram = Socket<kind::Datagram>;

/// How many descriptors one message can carry: more are `INVAL` (`SCM_MAX_FD`).
#[doc(alias = "SCM_MAX_FD")]
pub const MAX_DESCRIPTORS: usize = 253;
