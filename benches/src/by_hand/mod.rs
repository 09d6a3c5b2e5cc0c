//! The same calls as one writes them on `libc`: what the wrappers are measured against.
//!
//! Written as a careful C programmer writes them, and nothing saved that one has to do: the result
//! is checked, and errno fetched when it says so.

mod clock;
mod condvar;
mod descriptor;
mod eventfd;
mod fifo;
mod futex;
mod mq;
mod mutex;
mod nowait;
mod pipe;
mod process;
mod rwlock;
mod semaphore;
mod shm;
mod socket;
mod sysv;

use std::io::{Error, Result};
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

pub(crate) use clock::{now, now_by_system_call};
pub(crate) use condvar::Condvar;
pub(crate) use descriptor::{receive_descriptor, receive_packet, send_descriptors};
pub(crate) use eventfd::eventfd;
pub(crate) use fifo::{mkfifo, open_fifo, unlink};
pub(crate) use futex::Flag;
pub(crate) use mq::{mq_attributes, mq_create, mq_receive, mq_send, mq_unlink};
pub(crate) use mutex::{Kind, Mutex};
pub(crate) use nowait::{read_nowait, read_nowait_through_proc, write_nowait};
pub(crate) use pipe::{
    bytes_waiting, capacity, pipe, poll, read, read_uninitialised, read_vectored, set_nonblocking,
    splice, tee, write, write_vectored,
};
pub(crate) use process::{exit, fork, id, kill, pidfd_open, reap, wait};
pub(crate) use rwlock::RwLock;
pub(crate) use semaphore::Semaphore;
pub(crate) use shm::{map, memfd, seals, shm_unlink, unmap};
pub(crate) use socket::{
    next_len, own_credentials, peer_credentials, recv, send, shutdown, socketpair,
};
pub(crate) use sysv::{
    msg_remove, msgget, msgrcv, msgsnd, sem_create, sem_remove, sem_value, semop, set_sem_value,
    shm_remove, shmat, shmdt, shmget,
};

/// A length that a call returned, or errno.
fn length(returned: isize) -> Result<usize> {
    usize::try_from(returned).map_err(|_| Error::last_os_error())
}

/// A number that a call returned, or errno.
fn number(returned: i32) -> Result<i32> {
    if returned < 0 { Err(Error::last_os_error()) } else { Ok(returned) }
}

/// Nothing but errno.
fn done(returned: i32) -> Result<()> {
    number(returned).map(drop)
}

/// Nothing but the error that a POSIX threads function returned instead of leaving it in errno.
fn agreed(returned: i32) -> Result<()> {
    if returned == 0 { Ok(()) } else { Err(Error::from_raw_os_error(returned)) }
}

/// Takes a descriptor over from the kernel.
///
/// # Safety
///
/// It is open, and nobody else's.
unsafe fn own(descriptor: RawFd) -> OwnedFd {
    // SAFETY: the caller's promise, passed on.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}
