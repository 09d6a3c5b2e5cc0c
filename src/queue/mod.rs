//! Bounded queues that live in shared memory: between the threads of a process, between parent and
//! child, and between strangers that have opened the same object.
//!
//! | type | who pushes and who pops | what |
//! |---|---|---|
//! | [`Spsc`] | one and one | values of one type |
//! | [`Mpmc`] | any number and any number | values of one type |
//! | [`MessageRing`] | one and one | messages of any length, in bytes |
//! | [`Tasks`] | | how many that were pushed are not done yet; waiting until all are |
//!
//! They are plain bytes: `repr(C)`, of a layout that is part of the promise, without a pointer, and
//! empty when all zero. To put one where other processes reach it, wrap it in
//! [`Shared`](crate::shm::Shared):
//! [`Shared::anonymous_zeroed`](crate::shm::Shared::anonymous_zeroed) makes one however large it
//! is.
//!
//! ```
//! use rawipc::process;
//! use rawipc::queue::Mpmc;
//! use rawipc::shm::Shared;
//!
//! let queue = Shared::anonymous(Mpmc::<u64, 16>::new())?;
//! let task = || match queue.push(42) {
//!     Ok(()) => 0,
//!     Err(_) => 1,
//! };
//! // SAFETY: the child pushes a number, and exits; nothing is owned twice.
//! let mut child = unsafe { process::spawn(task)? };
//! assert_eq!(queue.pop(), Ok(42));
//! assert!(child.wait()?.success());
//! # Ok::<(), rawipc::Errno>(())
//! ```
//!
//! # Waiting
//!
//! `op()` waits, `try_op()` never does, and `op_until(`[`Deadline`](crate::Deadline)`)` gives up.
//! Whoever waits first looks again and again for some microseconds, if that has proved worth it
//! lately, and then sleeps on a futex. Signals do not end a wait.
//!
//! That who pushes or pops needs no fence, whoever goes to sleep pays for: it has the kernel
//! interrupt those CPUs on which processes run that use queues, for a moment
//! ([membarrier(2)](https://man7.org/linux/man-pages/man2/membarrier.2.html)). So does the consumer
//! of a queue for two when it finds that this has been closed. Where a filter of system calls
//! refuses that, it takes a millisecond instead.
//!
//! # Closing
//!
//! Anybody may close a queue, for good. Who pushes then gets the value back; who pops gets what is
//! still there, and then hears that it is closed: what a push says it has pushed comes out before
//! that.
//!
//! A queue does not know whether there still is anybody at its other end. Who has to find that out
//! waits with a deadline now and then, and looks after the process.
//!
//! # Whom they trust
//!
//! Nobody: values go in and out word by word, and whatever other processes write there, it comes
//! out as wrong values, as values lost or repeated, or as an end; none of that is undefined
//! behaviour, and deadlines hold. (Who moves an end of an [`Mpmc`] all the time holds up those who
//! only try, for as long as that goes on.) Where values lie is computed from what a queue's own
//! process knows, or from what it has found there and cut to size.
//!
//! A process that is **killed while it waits** harms nobody: a wake that was meant for it reaches
//! the others within a second, after which every sleeper looks again. What happens to those who are
//! **killed while they push or pop**, each type says.

mod bell;
mod error;
mod gate;
mod message_ring;
mod mpmc;
mod slot;
mod spsc;
mod tasks;

pub use error::{Closed, NoneUnfinished, PopError, PushError};
pub use message_ring::{
    Message, MessageConsumer, MessagePopError, MessageProducer, MessagePushError, MessageRing,
    Reservation,
};
pub use mpmc::Mpmc;
pub use spsc::{Consumer, Producer, ReadChunk, ReadSlot, Spsc, WriteChunk, WriteSlot};
pub use tasks::Tasks;
