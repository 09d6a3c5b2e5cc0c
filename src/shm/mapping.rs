//! [`Mapping`]: a range of this process's addresses behind which lies memory that others have too.

#![allow(unsafe_code, reason = "maps and unmaps; see SAFETY.md")]

use core::ptr::{self, NonNull};

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::fstatfs;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::sys;
use crate::{Errno, Result};

/// What may be done with a mapping.
///
/// # Examples
///
/// See [`Mapping`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Reading only: a write to it ends the process (`SIGSEGV`).
    ReadOnly,
    /// Reading and writing.
    ReadWrite,
}

/// A range of memory that this process shares with others: where it begins, how long it is.
///
/// It gives out no reference: what lies there may change at any time. One of the views does that
/// takes a mapping for itself: [`Bytes`](super::Bytes) or [`Shared`](super::Shared); two of them on
/// the same range would not know of each other.
///
/// Dropping it unmaps (or, of a System V segment, detaches). A child has a copy of it after a fork,
/// of the same memory, and drops its own.
///
/// # Examples
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// use rawipc::shm::{Access, Mapping, Memfd};
///
/// let memfd = Memfd::new(4096)?;
/// let mapping = Mapping::new(&memfd, 4096, Access::ReadWrite)?;
/// drop(memfd); // the mapping stays
/// assert_eq!((mapping.len(), mapping.access()), (4096, Access::ReadWrite));
///
/// // SAFETY: aligned as pages are, in bounds, and used by atomics only.
/// let first = unsafe { AtomicU32::from_ptr(mapping.as_ptr().cast()) };
/// assert_eq!(first.fetch_add(1, Relaxed), 0);
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// # References
///
/// - [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
    access: Access,
    release: Release,
}

/// How it goes.
#[derive(Clone, Copy, Debug)]
enum Release {
    Unmap,
    Detach,
}

impl Mapping {
    /// `mmap` with `MAP_SHARED`: maps the first `length` bytes of what `fd` stands for.
    ///
    /// Bytes that lie behind the end of the file end the process when they are touched (`SIGBUS`),
    /// also if the file is made shorter later. The rest of the page in which it ends can be used.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if `length` is zero, or no multiple of the size of its huge pages;
    /// [`Errno::ACCESS`] if `fd` is not open for reading, or
    /// for writing where `access` asks for that; [`Errno::PERM`] if it is sealed against writing;
    /// [`Errno::NODEV`] if it cannot be mapped; [`Errno::NOMEM`] if there are not so many free
    /// addresses in a row, or not so many huge pages; [`Errno::AGAIN`] if this process keeps all of
    /// its memory out of the swap (`mlockall`), and may not do so with so much.
    ///
    /// # Examples
    ///
    /// See [`Mapping`].
    ///
    /// # References
    ///
    /// - [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)
    #[doc(alias = "mmap")]
    #[inline]
    pub fn new(fd: impl AsFd, length: usize, access: Access) -> Result<Self> {
        let protection = match access {
            Access::ReadOnly => ProtFlags::READ,
            Access::ReadWrite => ProtFlags::READ.union(ProtFlags::WRITE),
        };
        let fd = fd.as_fd();
        if !is_whole_pages(fd, length) {
            return Err(Errno::INVAL);
        }
        // SAFETY: at an address that the kernel chooses, so that it replaces no other mapping.
        let start = unsafe { mmap(ptr::null_mut(), length, protection, MapFlags::SHARED, fd, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(Errno::NOMEM)?;
        Ok(Self { start, length, access, release: Release::Unmap })
    }

    /// A segment that has just been attached at `start`.
    ///
    /// # Safety
    ///
    /// `shmat` has returned `start` for a segment of `length` bytes, with that access, and nobody
    /// else detaches it.
    #[inline]
    pub(crate) unsafe fn of_segment(start: NonNull<u8>, length: usize, access: Access) -> Self {
        Self { start, length, access, release: Release::Detach }
    }

    /// Where it begins. To be read and written, as far as [`access`](Self::access) goes, for as
    /// long as the mapping lives, by raw pointers or atomics: others do so at the same time.
    ///
    /// # Examples
    ///
    /// See [`Mapping`].
    #[must_use]
    #[inline]
    pub const fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// How many bytes it has; never zero.
    ///
    /// # Examples
    ///
    /// See [`Mapping`].
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    #[inline]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// What may be done with it.
    ///
    /// # Examples
    ///
    /// See [`Mapping`].
    #[must_use]
    #[inline]
    pub const fn access(&self) -> Access {
        self.access
    }
}

/// Whether what is mapped of huge pages can be unmapped again: of a part of one the kernel maps
/// all, and does not unmap all.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "magic, and a size")]
fn is_whole_pages(fd: BorrowedFd<'_>, length: usize) -> bool {
    /// As `statfs(2)` has it.
    const HUGETLBFS_MAGIC: u32 = 0x9584_58f6;

    // What does not say is not that: the kernel's own huge pages do.
    let Ok(system) = fstatfs(fd) else { return true };
    // Words of various widths and signs, as architectures have them.
    let is_huge = system.f_type as u32 == HUGETLBFS_MAGIC;
    !is_huge || length.checked_rem(system.f_bsize as usize) == Some(0)
}

impl Drop for Mapping {
    #[inline]
    fn drop(&mut self) {
        let released = match self.release {
            // SAFETY: mapped by `new` with this length, and by nobody unmapped since, as only this
            // does. Who was lent an address of it has given it back: it was borrowed from `self`.
            Release::Unmap => unsafe { munmap(self.start.as_ptr().cast(), self.length) },
            // SAFETY: as `of_segment` was promised; the rest as above.
            Release::Detach => unsafe { sys::sysv::shm::detach(self.start.as_ptr()) },
        };
        debug_assert!(released.is_ok(), "was mapped");
    }
}

// SAFETY: an address and a length; they mean the same in every thread of the process.
unsafe impl Send for Mapping {}
// SAFETY: as above; through `&Mapping` nothing is read or written.
unsafe impl Sync for Mapping {}
