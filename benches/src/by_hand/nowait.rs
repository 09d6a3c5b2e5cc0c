use core::ffi::CStr;
use std::io::{Result, Write as _};
use std::os::fd::AsRawFd;

use super::{length, number, own, read};

/// Reads what is there, or fails with `EAGAIN`.
pub(crate) fn read_nowait(fd: &impl AsRawFd, buffer: &mut [u8]) -> Result<usize> {
    let vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let (fd, vector) = (fd.as_raw_fd(), &raw const vector);
    // SAFETY: the vector lives as long as the call, and describes an exclusive borrow.
    length(unsafe { libc::preadv2(fd, vector, 1, -1, libc::RWF_NOWAIT) })
}

/// Writes what there is room for, or fails with `EAGAIN`.
pub(crate) fn write_nowait(fd: &impl AsRawFd, bytes: &[u8]) -> Result<usize> {
    let vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let (fd, vector) = (fd.as_raw_fd(), &raw const vector);
    // SAFETY: the vector lives as long as the call, and describes a borrow that is only read.
    length(unsafe { libc::pwritev2(fd, vector, 1, -1, libc::RWF_NOWAIT) })
}

/// The same as `read_nowait`, but for a FIFO, which fails that with `EOPNOTSUPP`: by a non-blocking
/// description of our own.
pub(crate) fn read_nowait_through_proc(fd: &impl AsRawFd, buffer: &mut [u8]) -> Result<usize> {
    match read_nowait(fd, buffer) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
        answer => return answer,
    }
    let fd = fd.as_raw_fd();
    // SAFETY: F_GETFL takes no argument.
    let flags = number(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    if flags & libc::O_NONBLOCK != 0 {
        return read(&fd, buffer);
    }
    let mut path = [0; 32];
    write!(&mut path[..31], "/proc/self/fd/{fd}")?;
    let path = CStr::from_bytes_until_nul(&path).expect("a zero behind the text");
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC;
    // SAFETY: a path that ends with a zero byte.
    let another = number(unsafe { libc::open(path.as_ptr(), flags) })?;
    // SAFETY: the kernel has just opened it, for us alone.
    let another = unsafe { own(another) };
    read(&another, buffer)
}
