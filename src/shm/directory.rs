//! `/dev/shm`, where the C library and everybody else keeps what POSIX names: files without a name
//! that get one when they are complete.
//!
//! Names are those of files here.

use core::ffi::CStr;
use core::fmt::Write as _;

use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat};

use super::{Access, file};
use crate::path::sealed::WithCStr as _;
use crate::text::Text;
use crate::{Errno, Name, Result};

const DIRECTORY: &[u8; 9] = b"/dev/shm/";

/// A file of `length` zeros, for which memory is taken, and which has no name yet: gone with its
/// last descriptor.
#[inline]
pub(crate) fn unnamed(mode: Mode, length: usize) -> Result<OwnedFd> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let fd = rustix::fs::open(c"/dev/shm", flags, mode)?;
    file::allocate(fd.as_fd(), length)?;
    Ok(fd)
}

/// Gives it a name, if nothing has it.
#[inline]
pub(crate) fn link(fd: BorrowedFd<'_>, name: &Name) -> Result<()> {
    at(name, |path| match linkat(fd, c"", CWD, path, AtFlags::EMPTY_PATH) {
        // Until Linux 6.10 that took a capability.
        Err(Errno::NOENT) => link_by_path(fd, path),
        answer => answer,
    })
}

#[cold]
fn link_by_path(fd: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    // Not /proc/self: a thread may have a table of descriptors of its own.
    let mut old = Text::<32>::new();
    write!(old, "/proc/thread-self/fd/{}", fd.as_raw_fd()).map_err(|_| Errno::NAMETOOLONG)?;
    old.as_bytes().with_c_str(|old| linkat(CWD, old, CWD, path, AtFlags::SYMLINK_FOLLOW))
}

/// What has that name, if it is a file: no directory, no symbolic link, nothing that makes one
/// wait.
pub(crate) fn open(name: &Name, access: Access) -> Result<OwnedFd> {
    let access = match access {
        Access::ReadOnly => OFlags::RDONLY,
        Access::ReadWrite => OFlags::RDWR,
    };
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = at(name, |path| rustix::fs::open(path, flags, Mode::empty()))?;
    file::length(fd.as_fd())?;
    Ok(fd)
}

#[inline]
pub(crate) fn unlink(name: &Name) -> Result<()> {
    at(name, |path| rustix::fs::unlink(path))
}

/// Calls with the whole path.
#[inline]
fn at<T>(name: &Name, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
    let mut path = [0; DIRECTORY.len() + Name::MAX_LEN + 1];
    let Some((directory, file)) = path.split_first_chunk_mut() else {
        return Err(Errno::NAMETOOLONG);
    };
    *directory = *DIRECTORY;
    *file.first_chunk_mut().ok_or(Errno::NAMETOOLONG)? = *name.padded();
    call(CStr::from_bytes_until_nul(&path).map_err(|_| Errno::NAMETOOLONG)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use core::ffi::CStr;
    use core::fmt::Write as _;

    use rustix::fd::AsFd as _;

    use super::{Errno, Mode, Name, Text, link_by_path, unlink, unnamed};

    /// What kernels before 6.10 take from those without privilege.
    #[test]
    fn file_gets_its_name_by_its_path_too() {
        let fd = unnamed(Mode::RUSR, 1).unwrap();
        let mut path = Text::<64>::new();
        let pid = rustix::process::getpid().as_raw_nonzero();
        write!(path, "/dev/shm/rawipc-shm-{pid}-unit\0").unwrap();
        let path = CStr::from_bytes_with_nul(path.as_bytes()).unwrap();
        let linked = link_by_path(fd.as_fd(), path);
        let again = link_by_path(fd.as_fd(), path);
        let name = path.to_bytes().strip_prefix(b"/dev/shm/").unwrap();
        let unlinked = unlink(&Name::new(name).unwrap());
        assert_eq!((linked, again, unlinked), (Ok(()), Err(Errno::EXIST), Ok(())));
    }
}
