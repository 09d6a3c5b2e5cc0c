//! [`Object`]: a shared memory object of POSIX, which has a name.

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::fs::Mode;

use super::{Access, directory, file};
#[cfg(doc)]
use crate::Errno;
use crate::{Name, Result};

/// A shared memory object of POSIX, open: bytes that have a name and outlive whoever uses them,
/// until they are [unlinked](Self::unlink) or the machine is restarted.
///
/// The same that C's `shm_open` and Python's `SharedMemory` open by that name: a file in
/// `/dev/shm`. Here it is open, to be mapped with [`Mapping`](super::Mapping); dropping it closes
/// the descriptor, and neither unmaps nor removes anything. Values with a type are in
/// [`Shared`](super::Shared).
///
/// # Examples
///
/// ```
/// use rawipc::Name;
/// use rawipc::shm::{Access, Bytes, Mode, Object};
///
/// let name = Name::format(format_args!("/rawipc-doc-object-{}", std::process::id()))?;
///
/// // One process:
/// let object = Object::create_new(&name, Mode::RUSR | Mode::WUSR, 4096)?;
/// let bytes = Bytes::map(&object, Access::ReadWrite)?;
/// bytes.copy_in(0, b"by name")?;
///
/// // Another:
/// let object = Object::open_read_only(&name)?;
/// let bytes = Bytes::map(&object, Access::ReadOnly)?;
/// assert_eq!(bytes.copy_out(0, &mut [0; 7])?, b"by name");
///
/// Object::unlink(&name)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
///
/// - [shm_overview(7)](https://man7.org/linux/man-pages/man7/shm_overview.7.html)
#[derive(Debug)]
pub struct Object(OwnedFd);

impl Object {
    /// `shm_open` and `ftruncate`: creates one of `length` zeros, with the permissions `mode` less
    /// the process's umask.
    ///
    /// It gets its name when it is complete: nobody opens it sooner, and a process that is killed
    /// meanwhile leaves nothing behind. The memory is taken at once.
    ///
    /// # Errors
    ///
    /// [`Errno::EXIST`] if the name is taken; [`Errno::INVAL`] if `length` is zero;
    /// [`Errno::NOSPC`] if there is not so much memory for such objects, and [`Errno::FBIG`] if
    /// this process may not make files so long (`RLIMIT_FSIZE`; if it survives the signal that it
    /// gets, `SIGXFSZ`); [`Errno::ACCESS`] without permission to write to
    /// `/dev/shm`; [`Errno::NOENT`] or [`Errno::OPNOTSUPP`] if that is not there, or no `tmpfs`;
    /// [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// # Examples
    ///
    /// See [`Object`].
    ///
    /// # References
    ///
    /// - [shm_open(3)](https://man7.org/linux/man-pages/man3/shm_open.3.html)
    #[doc(alias = "shm_open")]
    #[inline]
    pub fn create_new(name: &Name, mode: Mode, length: usize) -> Result<Self> {
        let fd = directory::unnamed(mode, length)?;
        directory::link(fd.as_fd(), name)?;
        Ok(Self(fd))
    }

    /// `shm_open`: opens one that exists, for reading and writing.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is none of that name; [`Errno::ACCESS`] without permission;
    /// [`Errno::ISDIR`], [`Errno::LOOP`], or [`Errno::INVAL`] ([`Errno::NXIO`] if it is a socket)
    /// if a directory, a symbolic link, or something else that is no file has the name;
    /// [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// # Examples
    ///
    /// See [`Object`].
    ///
    /// # References
    ///
    /// - [shm_open(3)](https://man7.org/linux/man-pages/man3/shm_open.3.html)
    #[doc(alias = "shm_open")]
    #[inline]
    pub fn open(name: &Name) -> Result<Self> {
        directory::open(name, Access::ReadWrite).map(Self)
    }

    /// As [`open`](Self::open), for reading only: can be mapped with
    /// [`Access::ReadOnly`] only.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Examples
    ///
    /// See [`Object`].
    ///
    /// # References
    ///
    /// - [shm_open(3)](https://man7.org/linux/man-pages/man3/shm_open.3.html)
    #[doc(alias = "O_RDONLY")]
    #[inline]
    pub fn open_read_only(name: &Name) -> Result<Self> {
        directory::open(name, Access::ReadOnly).map(Self)
    }

    /// `shm_unlink`: removes the name. What is open or mapped stays so; the memory goes with the
    /// last of it.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is none of that name; [`Errno::ACCESS`] or [`Errno::PERM`] if it
    /// is another's.
    ///
    /// # Examples
    ///
    /// See [`Object`].
    ///
    /// # References
    ///
    /// - [shm_unlink(3)](https://man7.org/linux/man-pages/man3/shm_unlink.3.html)
    #[doc(alias = "shm_unlink")]
    #[inline]
    pub fn unlink(name: &Name) -> Result<()> {
        directory::unlink(name)
    }

    /// `fstat`: how many bytes it has now. Whoever may write to it can change that; zero if
    /// somebody, C's `shm_open` say, has made it and not yet given it a length.
    ///
    /// # Errors
    ///
    /// [`Errno::OVERFLOW`] if it is longer than a `usize` says.
    ///
    /// # Examples
    ///
    /// ```
    /// # use rawipc::Name;
    /// use rawipc::shm::{Mode, Object};
    ///
    /// # let name = Name::format(format_args!("/rawipc-doc-len-{}", std::process::id()))?;
    /// let object = Object::create_new(&name, Mode::RUSR | Mode::WUSR, 100)?;
    /// # Object::unlink(&name)?;
    /// assert_eq!(object.len()?, 100);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [fstat(2)](https://man7.org/linux/man-pages/man2/fstat.2.html)
    #[doc(alias = "fstat")]
    #[allow(clippy::len_without_is_empty, reason = "a call, which may fail")]
    #[inline]
    pub fn len(&self) -> Result<usize> {
        file::length(self.as_fd())
    }
}

impl AsFd for Object {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Object {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl From<Object> for OwnedFd {
    #[inline]
    fn from(object: Object) -> Self {
        object.0
    }
}
