use core::ffi::CStr;
use core::ptr::{self, NonNull};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, OwnedFd};

use super::{done, number, own};

/// A memfd of this length, which is really there.
pub(crate) fn memfd(name: &CStr, len: i64) -> Result<OwnedFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: a string that ends with a zero byte.
    let opened = number(unsafe { libc::memfd_create(name.as_ptr(), flags) })?;
    // SAFETY: the kernel has just opened it, for us alone.
    let fd = unsafe { own(opened) };
    // SAFETY: takes integers only.
    done(unsafe { libc::fallocate(fd.as_raw_fd(), 0, 0, len) })?;
    Ok(fd)
}

pub(crate) fn seals(fd: &impl AsRawFd) -> Result<i32> {
    // SAFETY: F_GET_SEALS takes no argument.
    number(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GET_SEALS) })
}

pub(crate) fn shm_unlink(name: &CStr) -> Result<()> {
    // SAFETY: a string that ends with a zero byte.
    done(unsafe { libc::shm_unlink(name.as_ptr()) })
}

/// Memory of an object, to read and write.
pub(crate) fn map(fd: &impl AsRawFd, len: usize) -> Result<NonNull<u8>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the kernel chooses a place where nothing is.
    let place =
        unsafe { libc::mmap(ptr::null_mut(), len, access, libc::MAP_SHARED, fd.as_raw_fd(), 0) };
    match NonNull::new(place.cast::<u8>()) {
        Some(place) if place.as_ptr().addr() != usize::MAX => Ok(place),
        _ => Err(Error::last_os_error()),
    }
}

/// Unmaps.
///
/// # Safety
///
/// [`map`] has returned it for this length, and nobody uses what is there any more.
pub(crate) unsafe fn unmap(place: NonNull<u8>, len: usize) -> Result<()> {
    // SAFETY: the caller's promise, passed on.
    done(unsafe { libc::munmap(place.as_ptr().cast(), len) })
}
