use core::mem::MaybeUninit;
use std::io::{IoSlice, IoSliceMut, Result};
use std::os::fd::{AsRawFd, OwnedFd};

use super::{done, length, number, own};

pub(crate) fn pipe(flags: i32) -> Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    // SAFETY: `ends` is two integers, exclusively borrowed.
    done(unsafe { libc::pipe2(ends.as_mut_ptr(), flags | libc::O_CLOEXEC) })?;
    // SAFETY: the kernel has just opened it, for us alone.
    let reader = unsafe { own(ends[0]) };
    // SAFETY: as above.
    let writer = unsafe { own(ends[1]) };
    Ok((reader, writer))
}

pub(crate) fn read(fd: &impl AsRawFd, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: pointer and length are those of an exclusive borrow.
    length(unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// The same, into memory that need not be initialised; returns the part that is.
pub(crate) fn read_uninitialised<'b>(
    fd: &impl AsRawFd,
    buffer: &'b mut [MaybeUninit<u8>],
) -> Result<&'b mut [u8]> {
    // SAFETY: pointer and length are those of an exclusive borrow.
    let read = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let read = length(read)?;
    // SAFETY: the kernel has initialised so many bytes of what is borrowed exclusively for `'b`.
    Ok(unsafe { core::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast(), read) })
}

pub(crate) fn write(fd: &impl AsRawFd, bytes: &[u8]) -> Result<usize> {
    // SAFETY: pointer and length are those of a borrow.
    length(unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) })
}

pub(crate) fn read_vectored(fd: &impl AsRawFd, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    let count = i32::try_from(buffers.len()).unwrap_or(i32::MAX);
    // SAFETY: an `IoSliceMut` is an iovec (promised by its documentation), and these borrow what
    // they point to exclusively.
    length(unsafe { libc::readv(fd.as_raw_fd(), buffers.as_mut_ptr().cast(), count) })
}

pub(crate) fn write_vectored(fd: &impl AsRawFd, buffers: &[IoSlice<'_>]) -> Result<usize> {
    let count = i32::try_from(buffers.len()).unwrap_or(i32::MAX);
    // SAFETY: an `IoSlice` is an iovec (promised by its documentation), and these borrow what they
    // point to.
    length(unsafe { libc::writev(fd.as_raw_fd(), buffers.as_ptr().cast(), count) })
}

/// Whether `events` are there, or come within so many milliseconds.
pub(crate) fn poll(fd: &impl AsRawFd, events: i16, milliseconds: i32) -> Result<bool> {
    let mut polled = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    // SAFETY: one structure, exclusively borrowed.
    let ready = number(unsafe { libc::poll(&raw mut polled, 1, milliseconds) })?;
    Ok(ready > 0)
}

pub(crate) fn set_nonblocking(fd: &impl AsRawFd, nonblocking: bool) -> Result<()> {
    let nonblocking = i32::from(nonblocking);
    // SAFETY: FIONBIO reads an integer, which is borrowed for the call.
    done(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONBIO, &raw const nonblocking) })
}

/// How many bytes wait to be read.
pub(crate) fn bytes_waiting(fd: &impl AsRawFd) -> Result<i32> {
    let mut bytes = 0;
    // SAFETY: FIONREAD writes an integer, which is exclusively borrowed for the call.
    done(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &raw mut bytes) })?;
    Ok(bytes)
}

pub(crate) fn capacity(fd: &impl AsRawFd) -> Result<i32> {
    // SAFETY: F_GETPIPE_SZ takes no argument.
    number(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETPIPE_SZ) })
}

pub(crate) fn splice(from: &impl AsRawFd, to: &impl AsRawFd, len: usize) -> Result<usize> {
    use core::ptr::null_mut;
    let (from, to) = (from.as_raw_fd(), to.as_raw_fd());
    // SAFETY: no offsets: nothing is read or written in memory of ours.
    length(unsafe { libc::splice(from, null_mut(), to, null_mut(), len, 0) })
}

pub(crate) fn tee(from: &impl AsRawFd, to: &impl AsRawFd, len: usize) -> Result<usize> {
    // SAFETY: takes integers only.
    length(unsafe { libc::tee(from.as_raw_fd(), to.as_raw_fd(), len, 0) })
}
