use core::ffi::CStr;
use core::mem::MaybeUninit;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd as _, OwnedFd};

use super::{done, number, own};

pub(crate) fn mkfifo(path: &CStr) -> Result<()> {
    // SAFETY: a path that ends with a zero byte.
    done(unsafe { libc::mkfifo(path.as_ptr(), 0o600) })
}

pub(crate) fn unlink(path: &CStr) -> Result<()> {
    // SAFETY: a path that ends with a zero byte.
    done(unsafe { libc::unlink(path.as_ptr()) })
}

/// Opens what must be a FIFO, and neither waits for the other side nor stays non-blocking.
pub(crate) fn open_fifo(path: &CStr, access: i32) -> Result<OwnedFd> {
    let flags = access | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NOCTTY;
    // SAFETY: a path that ends with a zero byte.
    let opened = number(unsafe { libc::open(path.as_ptr(), flags) })?;
    // SAFETY: the kernel has just opened it, for us alone.
    let opened = unsafe { own(opened) };
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: room for what fstat writes, exclusively borrowed.
    done(unsafe { libc::fstat(opened.as_raw_fd(), status.as_mut_ptr()) })?;
    // SAFETY: fstat has succeeded, and filled all of it.
    let status = unsafe { status.assume_init() };
    if status.st_mode & libc::S_IFMT != libc::S_IFIFO {
        return Err(Error::from_raw_os_error(libc::EINVAL));
    }
    super::set_nonblocking(&opened, false)?;
    Ok(opened)
}
