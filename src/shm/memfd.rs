//! [`Memfd`]: memory that is a descriptor, and has no name.

use core::ffi::CStr;

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::fs::{MemfdFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create};
use rustix::system::sysinfo;

use super::file;
use crate::{Errno, Result};

pub use rustix::fs::SealFlags as Seals;

/// Memory that is a descriptor: for relatives, who inherit it, and for whoever is
/// [sent](crate::socket) it.
///
/// Its length is fixed: it is sealed against shrinking and growing, so that nobody can pull it out
/// from under a mapping. It goes with its last descriptor and its last mapping.
///
/// # Examples
///
/// ```
/// use rawipc::Errno;
/// use rawipc::shm::{Access, Mapping, Memfd, Seals};
///
/// let memfd = Memfd::new(4096)?;
/// let mapping = Mapping::new(&memfd, memfd.len()?, Access::ReadWrite)?;
/// assert!(memfd.seals()?.contains(Seals::SHRINK | Seals::GROW));
/// assert_eq!(rustix::fs::ftruncate(&memfd, 0), Err(Errno::PERM));
/// # Ok::<(), Errno>(())
/// ```
///
/// # References
///
/// - [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html)
#[doc(alias = "memfd_create")]
#[derive(Debug)]
pub struct Memfd(OwnedFd);

impl Memfd {
    /// `memfd_create`: `length` zeros, for which memory is taken at once.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if `length` is zero; [`Errno::NOMEM`] if the machine has not got so much
    /// memory at all, and [`Errno::NOSPC`] or `NOMEM` if there is not so much left;
    /// [`Errno::FBIG`] if this process may not make files so long (`RLIMIT_FSIZE`; if it survives
    /// the signal that it gets, `SIGXFSZ`); [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// # Examples
    ///
    /// See [`Memfd`].
    ///
    /// # References
    ///
    /// - [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html)
    #[doc(alias = "memfd_create")]
    #[inline]
    pub fn new(length: usize) -> Result<Self> {
        Self::options().create(length)
    }

    /// How to create one: called "rawipc", of ordinary pages, unless the options say otherwise.
    ///
    /// # Examples
    ///
    /// See [`MemfdOptions`].
    #[inline]
    pub const fn options() -> MemfdOptions<'static> {
        MemfdOptions { name: c"rawipc", huge_pages: None }
    }

    /// `fstat`: how many bytes it has.
    ///
    /// # Errors
    ///
    /// None, of one that was made here. [`Errno::INVAL`] or [`Errno::ISDIR`] of a descriptor that
    /// is no file, and [`Errno::OVERFLOW`] if it is longer than a `usize` says.
    ///
    /// # Examples
    ///
    /// See [`Memfd`].
    ///
    /// # References
    ///
    /// - [fstat(2)](https://man7.org/linux/man-pages/man2/fstat.2.html)
    #[doc(alias = "fstat")]
    #[allow(clippy::len_without_is_empty, reason = "never empty, of one made here")]
    #[inline]
    pub fn len(&self) -> Result<usize> {
        file::length(self.as_fd())
    }

    /// `F_GET_SEALS`: what cannot be done with it any more.
    ///
    /// Whoever is sent one by a stranger looks here, before the first access, whether it can be
    /// made shorter.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] of a descriptor that is no memory.
    ///
    /// # Examples
    ///
    /// See [`Memfd`].
    ///
    /// # References
    ///
    /// - [F_GET_SEALS(2const)](https://man7.org/linux/man-pages/man2/F_GET_SEALS.2const.html)
    #[doc(alias = "F_GET_SEALS")]
    #[inline]
    pub fn seals(&self) -> Result<Seals> {
        fcntl_get_seals(self)
    }

    /// `F_ADD_SEALS`: what shall not be done with it from now on, by anybody.
    ///
    /// # Errors
    ///
    /// [`Errno::BUSY`] for [`Seals::WRITE`] while it is mapped for writing; [`Errno::PERM`] after
    /// [`Seals::SEAL`]; [`Errno::INVAL`] for what the kernel does not know.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Errno;
    /// use rawipc::shm::{Access, Bytes, Mapping, Memfd, Seals};
    ///
    /// let memfd = Memfd::new(16)?;
    /// let bytes = Bytes::map(&memfd, Access::ReadWrite)?;
    /// bytes.copy_in(0, b"read only, now")?;
    /// drop(bytes);
    /// memfd.add_seals(Seals::WRITE)?;
    /// assert_eq!(Mapping::new(&memfd, 16, Access::ReadWrite).err(), Some(Errno::PERM));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # References
    ///
    /// - [F_ADD_SEALS(2const)](https://man7.org/linux/man-pages/man2/F_GET_SEALS.2const.html)
    #[doc(alias = "F_ADD_SEALS")]
    #[inline]
    pub fn add_seals(&self, seals: Seals) -> Result<()> {
        fcntl_add_seals(self, seals)
    }
}

impl AsFd for Memfd {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Memfd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// One that was received. Whatever the descriptor is in truth, calls on it say.
impl From<OwnedFd> for Memfd {
    #[inline]
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Memfd> for OwnedFd {
    #[inline]
    fn from(memfd: Memfd) -> Self {
        memfd.0
    }
}

/// How large its pages are, where ordinary ones will not do.
///
/// # Examples
///
/// See [`MemfdOptions::huge_pages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HugePages {
    /// As large as the system's usual huge pages (`Hugepagesize` in `/proc/meminfo`).
    Default,
    /// 2 MiB.
    #[doc(alias = "MFD_HUGE_2MB")]
    TwoMiB,
    /// 1 GiB.
    #[doc(alias = "MFD_HUGE_1GB")]
    OneGiB,
}

impl HugePages {
    const fn flags(self) -> MemfdFlags {
        match self {
            Self::Default => MemfdFlags::HUGETLB,
            Self::TwoMiB => MemfdFlags::HUGETLB.union(MemfdFlags::HUGE_2MB),
            Self::OneGiB => MemfdFlags::HUGETLB.union(MemfdFlags::HUGE_1GB),
        }
    }
}

/// How to create a [`Memfd`].
///
/// # Examples
///
/// ```
/// use rawipc::shm::Memfd;
///
/// let memfd = Memfd::options().name(c"frames").create(4096)?;
/// # use std::os::fd::AsRawFd;
/// let shown = std::fs::read_link(format!("/proc/self/fd/{}", memfd.as_raw_fd()))?;
/// assert_eq!(shown.as_os_str(), "/memfd:frames (deleted)");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct MemfdOptions<'n> {
    name: &'n CStr,
    huge_pages: Option<HugePages>,
}

impl MemfdOptions<'_> {
    /// What `/proc` calls it, in up to 249 bytes. Nothing is found by that, and many may have the
    /// same.
    ///
    /// # Examples
    ///
    /// See [`MemfdOptions`].
    #[inline]
    pub const fn name(self, name: &CStr) -> MemfdOptions<'_> {
        MemfdOptions { name, huge_pages: self.huge_pages }
    }

    /// Of huge pages, which the administrator has to have reserved; the length is a multiple of
    /// theirs.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::shm::{HugePages, Memfd};
    ///
    /// match Memfd::options().huge_pages(HugePages::TwoMiB).create(2 << 20) {
    ///     Ok(frames) => assert_eq!(frames.len(), Ok(2 << 20)),
    ///     Err(errno) => println!("none to spare: {errno}"),
    /// }
    /// ```
    ///
    /// # References
    ///
    /// - [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html),
    ///   `MFD_HUGETLB`
    #[doc(alias = "MFD_HUGETLB")]
    #[inline]
    pub const fn huge_pages(mut self, size: HugePages) -> Self {
        self.huge_pages = Some(size);
        self
    }

    /// `memfd_create`: creates it, with `length` zeros.
    ///
    /// # Errors
    ///
    /// As [`Memfd::new`]; [`Errno::INVAL`] too if the name is too long, or the length no multiple
    /// of the huge pages'; [`Errno::NOSPC`] or [`Errno::NOMEM`] if there are not so many huge pages
    /// free; [`Errno::NODEV`] or `INVAL` if the machine has none of that size.
    ///
    /// # Examples
    ///
    /// See [`MemfdOptions`].
    ///
    /// # References
    ///
    /// - [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html)
    #[doc(alias = "memfd_create")]
    pub fn create(self, length: usize) -> Result<Memfd> {
        if exceeds_the_machine(length) {
            return Err(Errno::NOMEM);
        }
        let pages = self.huge_pages.map_or(MemfdFlags::empty(), HugePages::flags);
        let flags = pages | MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = match memfd_create(self.name, flags | MemfdFlags::NOEXEC_SEAL) {
            // Before Linux 6.3, or for another reason, which the second call gives then.
            Err(Errno::INVAL) => memfd_create(self.name, flags)?,
            answer => answer?,
        };
        if self.huge_pages.is_some() && !fills_blocks(fd.as_fd(), length)? {
            return Err(Errno::INVAL);
        }
        file::allocate(fd.as_fd(), length)?;
        fcntl_add_seals(&fd, Seals::SHRINK | Seals::GROW)?;
        Ok(Memfd(fd))
    }
}

/// Whether all of the machine's memory would not be enough. The kernel, which sets such files no
/// bound, would find out by ending one process after the other.
#[allow(clippy::useless_conversion, reason = "as wide as the machine's words")]
fn exceeds_the_machine(length: usize) -> bool {
    let machine = sysinfo();
    let units = u64::from(machine.totalram).saturating_add(u64::from(machine.totalswap));
    u64::try_from(length).unwrap_or(u64::MAX) > units.saturating_mul(machine.mem_unit.into())
}

fn fills_blocks(fd: BorrowedFd<'_>, length: usize) -> Result<bool> {
    let block = usize::try_from(fstat(fd)?.st_blksize).map_err(|_| Errno::OVERFLOW)?;
    Ok(length.checked_rem(block) == Some(0))
}
