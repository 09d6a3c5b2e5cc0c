use core::mem::MaybeUninit;
use std::io::Result;
use std::os::fd::{AsRawFd, OwnedFd};

use super::{done, length, own};

pub(crate) fn socketpair(kind: i32) -> Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    let kind = kind | libc::SOCK_CLOEXEC;
    // SAFETY: `ends` is two integers, exclusively borrowed.
    done(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    // SAFETY: the kernel has just opened it, for us alone.
    let one = unsafe { own(ends[0]) };
    // SAFETY: as above.
    let other = unsafe { own(ends[1]) };
    Ok((one, other))
}

pub(crate) fn send(fd: &impl AsRawFd, bytes: &[u8]) -> Result<usize> {
    let (fd, bytes, len) = (fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len());
    // SAFETY: pointer and length are those of a borrow.
    length(unsafe { libc::send(fd, bytes, len, libc::MSG_NOSIGNAL) })
}

/// With `MSG_TRUNC` among `flags`: the whole length of a packet, even if it did not fit.
pub(crate) fn recv(fd: &impl AsRawFd, buffer: &mut [u8], flags: i32) -> Result<usize> {
    let (fd, buffer, len) = (fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: pointer and length are those of an exclusive borrow.
    length(unsafe { libc::recv(fd, buffer, len, flags) })
}

/// The next packet's length, without taking it.
pub(crate) fn next_len(fd: &impl AsRawFd) -> Result<usize> {
    recv(fd, &mut [], libc::MSG_PEEK | libc::MSG_TRUNC)
}

pub(crate) fn shutdown(fd: &impl AsRawFd) -> Result<()> {
    // SAFETY: takes integers only.
    done(unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_WR) })
}

pub(crate) fn peer_credentials(fd: &impl AsRawFd) -> Result<libc::ucred> {
    let mut credentials = MaybeUninit::<libc::ucred>::uninit();
    let mut len: libc::socklen_t = 12;
    let (fd, level, name) = (fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED);
    let room = credentials.as_mut_ptr().cast();
    // SAFETY: both pointers are to exclusive locals, and `len` is the first one's length.
    done(unsafe { libc::getsockopt(fd, level, name, room, &raw mut len) })?;
    // SAFETY: the kernel has filled all of it.
    Ok(unsafe { credentials.assume_init() })
}

pub(crate) fn own_credentials() -> libc::ucred {
    libc::ucred {
        // SAFETY: takes nothing and cannot fail.
        pid: unsafe { libc::getpid() },
        // SAFETY: as above.
        uid: unsafe { libc::geteuid() },
        // SAFETY: as above.
        gid: unsafe { libc::getegid() },
    }
}
