use core::ffi::CStr;
use core::mem::MaybeUninit;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, OwnedFd};

use super::{done, length, own};

/// A queue for so many messages of so many bytes, which is not there yet.
pub(crate) fn mq_create(name: &CStr, messages: i64, size: i64) -> Result<OwnedFd> {
    // SAFETY: integers, of which zero is one.
    let mut attributes: libc::mq_attr = unsafe { core::mem::zeroed() };
    attributes.mq_maxmsg = messages;
    attributes.mq_msgsize = size;
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
    // SAFETY: a string that ends with a zero byte, and attributes that live as long as the call.
    let opened = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, &raw mut attributes) };
    if opened < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it, for us alone.
    Ok(unsafe { own(opened) })
}

pub(crate) fn mq_unlink(name: &CStr) -> Result<()> {
    // SAFETY: a string that ends with a zero byte.
    done(unsafe { libc::mq_unlink(name.as_ptr()) })
}

pub(crate) fn mq_send(queue: &impl AsRawFd, message: &[u8], priority: u32) -> Result<()> {
    let (queue, len) = (queue.as_raw_fd(), message.len());
    // SAFETY: pointer and length are those of a borrow.
    done(unsafe { libc::mq_send(queue, message.as_ptr().cast(), len, priority) })
}

/// The length, and the priority.
pub(crate) fn mq_receive(queue: &impl AsRawFd, buffer: &mut [u8]) -> Result<(usize, u32)> {
    let (queue, len) = (queue.as_raw_fd(), buffer.len());
    let mut priority = 0;
    // SAFETY: pointer and length are those of an exclusive borrow.
    let received =
        unsafe { libc::mq_receive(queue, buffer.as_mut_ptr().cast(), len, &raw mut priority) };
    Ok((length(received)?, priority))
}

pub(crate) fn mq_attributes(queue: &impl AsRawFd) -> Result<libc::mq_attr> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: room for the answer, exclusively borrowed.
    done(unsafe { libc::mq_getattr(queue.as_raw_fd(), attributes.as_mut_ptr()) })?;
    // SAFETY: the kernel has filled all of it.
    Ok(unsafe { attributes.assume_init() })
}
