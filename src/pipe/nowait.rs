//! Reading and writing without waiting, though the description be blocking.
//!
//! `O_NONBLOCK` belongs to the open file description, which other processes share: to set it for
//! one call would make theirs fail. `poll` first is no answer either: another reader may be faster,
//! and then the read waits after all. The kernel's answer is `RWF_NOWAIT`, where the driver has it;
//! where it has not, a description of our own is.

use core::fmt::Write as _;

use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::io::{IoSlice, IoSliceMut, ReadWriteFlags, preadv2, pwritev2};

use crate::buffer::Filling;
use crate::path::sealed::WithCStr as _;
use crate::text::Text;
use crate::{Errno, Result, sys};

/// The offset that means "where the stream is".
const HERE: u64 = u64::MAX;

#[inline]
pub(super) fn read(fd: BorrowedFd<'_>, filling: &mut Filling<'_>) -> Result<usize> {
    match filling.fill(|space| sys::pipe::read_nowait(fd, space)) {
        Err(Errno::OPNOTSUPP) => through_nonblocking(fd, OFlags::RDONLY, |fd| {
            filling.fill(|space| Ok(rustix::io::read(fd, space)?.0))
        }),
        answer => answer,
    }
}

#[inline]
pub(super) fn read_vectored(fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    match preadv2(fd, buffers, HERE, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP) => {
            through_nonblocking(fd, OFlags::RDONLY, |fd| rustix::io::readv(fd, buffers))
        }
        answer => answer,
    }
}

#[inline]
pub(super) fn write_vectored(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> Result<usize> {
    match pwritev2(fd, buffers, HERE, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP) => {
            match through_nonblocking(fd, OFlags::WRONLY, |fd| rustix::io::writev(fd, buffers)) {
                // Opening says that nobody reads; to write would have said it so.
                Err(Errno::NXIO) => Err(Errno::PIPE),
                answer => answer,
            }
        }
        answer => answer,
    }
}

/// Calls with `fd` if its description is non-blocking, else with another description of the same
/// pipe that is.
#[cold]
fn through_nonblocking<T>(
    fd: BorrowedFd<'_>,
    access: OFlags,
    call: impl FnOnce(BorrowedFd<'_>) -> Result<T>,
) -> Result<T> {
    let flags = fcntl_getfl(fd)?;
    if flags.contains(OFlags::NONBLOCK) {
        return call(fd);
    }
    // Another description of a file would be at another place in it.
    if FileType::from_raw_mode(fstat(fd)?.st_mode) != FileType::Fifo {
        return Err(Errno::OPNOTSUPP);
    }
    // Not /proc/self: a thread may have a table of descriptors of its own.
    let mut path = Text::<32>::new();
    write!(path, "/proc/thread-self/fd/{}", fd.as_raw_fd()).map_err(|_| Errno::NAMETOOLONG)?;
    let as_ours = access | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let another =
        path.as_bytes().with_c_str(|path| rustix::fs::open(path, as_ours, Mode::empty()))?;
    // Packet mode is the writing description's. It cannot be asked for when opening, but then.
    if flags.contains(OFlags::DIRECT) {
        fcntl_setfl(&another, OFlags::NONBLOCK | OFlags::DIRECT)?;
    }
    call(another.as_fd())
}
