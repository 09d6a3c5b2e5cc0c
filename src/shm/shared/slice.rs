//! Making a [`Shared`] slice: as many values of zeros as are asked for.

use core::ptr::NonNull;

use rustix::fd::AsFd;
use rustix::fs::Mode;

use super::{Shared, map_at_least, publish, room, size_of_values};
#[cfg(doc)]
use crate::Errno;
use crate::shm::{Access, Mapping, Memfd, ShmSafe, directory};
use crate::{Name, Result};

impl<T: ShmSafe> Shared<[T]> {
    /// How many bytes so many elements take, with what lies in front of them.
    ///
    /// # Errors
    ///
    /// [`Errno::NOMEM`] if no address space holds so many.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::AtomicU64;
    /// use rawipc::shm::Shared;
    ///
    /// assert_eq!(Shared::<[AtomicU64]>::size_of(4), Ok(64 + 4 * 8));
    /// ```
    pub const fn size_of(len: usize) -> Result<usize> {
        size_of_values::<T>(len)
    }

    /// As [`anonymous`](Shared::anonymous): `len` elements of zeros.
    ///
    /// # Errors
    ///
    /// As [`anonymous`](Shared::anonymous).
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use rawipc::shm::Shared;
    ///
    /// let lanes = Shared::<[AtomicU64]>::anonymous_slice(10)?;
    /// assert_eq!(lanes.len(), 10);
    /// assert!(lanes.iter().all(|lane| lane.load(Relaxed) == 0));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[doc(alias = "memfd_create")]
    pub fn anonymous_slice(len: usize) -> Result<Self> {
        let size = Self::size_of(len)?;
        let mapping = Mapping::new(Memfd::new(size)?, size, Access::ReadWrite)?;
        // SAFETY: just made, and nobody else has had the descriptor.
        unsafe { Self::create_slice_in_mapping(mapping, len) }
    }

    /// As [`create_new`](Shared::create_new): `len` elements of zeros.
    ///
    /// # Whom this trusts
    ///
    /// As [`create_new`](Shared::create_new) does: every program that `mode` lets write to the
    /// object, this one included, to keep to what [`open`](Self::open) demands. (SAFETY.md, "What
    /// is hostile in shared memory".)
    ///
    /// # Errors
    ///
    /// As [`create_new`](Shared::create_new).
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use rawipc::Name;
    /// use rawipc::shm::{Mode, Object, Shared};
    ///
    /// let name = Name::format(format_args!("/rawipc-doc-slice-{}", std::process::id()))?;
    /// let lanes = Shared::create_new_slice(&name, Mode::RUSR | Mode::WUSR, 10)?;
    /// lanes.iter().for_each(|lane: &AtomicU64| lane.store(7, Relaxed));
    ///
    /// // SAFETY: only programs that are built like this one know the name, and none cuts it short.
    /// let same = unsafe { Shared::<[AtomicU64]>::open(&name)? };
    /// assert_eq!(same.iter().map(|lane| lane.load(Relaxed)).sum::<u64>(), 70);
    /// Object::unlink(&name)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "shm_open")]
    pub fn create_new_slice(name: &Name, mode: Mode, len: usize) -> Result<Self> {
        let size = Self::size_of(len)?;
        let fd = directory::unnamed(mode, size)?;
        let mapping = Mapping::new(&fd, size, Access::ReadWrite)?;
        // SAFETY: just made, and nobody else has it before it has its name.
        let shared = unsafe { Self::create_slice_in_mapping(mapping, len) }?;
        directory::link(fd.as_fd(), name)?;
        Ok(shared)
    }

    /// As [`create_in`](Shared::create_in): `len` elements, of whatever lies there; of zeros, in a
    /// new file.
    ///
    /// # Safety
    ///
    /// As [`create_in`](Shared::create_in).
    ///
    /// # Errors
    ///
    /// As [`create_in`](Shared::create_in).
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::AtomicU64;
    /// use rawipc::shm::{Memfd, Shared};
    ///
    /// let memfd = Memfd::new(Shared::<[AtomicU64]>::size_of(10)?)?;
    /// // SAFETY: nobody else has the descriptor.
    /// let lanes = unsafe { Shared::<[AtomicU64]>::create_slice_in(&memfd, 10)? };
    /// assert_eq!(lanes.len(), 10);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    pub unsafe fn create_slice_in(fd: impl AsFd, len: usize) -> Result<Self> {
        let mapping = map_at_least(fd.as_fd(), Self::size_of(len)?)?;
        // SAFETY: the caller's promise, for all mappings of the file.
        unsafe { Self::create_slice_in_mapping(mapping, len) }
    }

    /// As [`create_in_mapping`](Shared::create_in_mapping): `len` elements, of whatever lies there;
    /// of zeros, in a new segment.
    ///
    /// # Safety
    ///
    /// As [`create_in_mapping`](Shared::create_in_mapping).
    ///
    /// # Errors
    ///
    /// As [`create_in_mapping`](Shared::create_in_mapping), for what [`size_of`](Self::size_of)
    /// says; and as that.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::AtomicU64;
    /// use rawipc::shm::{Access, Mapping, Memfd, Shared};
    ///
    /// let memfd = Memfd::new(4096)?;
    /// let mapping = Mapping::new(&memfd, 4096, Access::ReadWrite)?;
    /// // SAFETY: nobody else has the descriptor.
    /// let lanes = unsafe { Shared::<[AtomicU64]>::create_slice_in_mapping(mapping, 10)? };
    /// assert_eq!(lanes.len(), 10);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    pub unsafe fn create_slice_in_mapping(mapping: Mapping, len: usize) -> Result<Self> {
        let value = NonNull::slice_from_raw_parts(room(&mapping, len)?, len);
        publish::<[T]>(&mapping, len);
        Ok(Self { value, _mapping: mapping })
    }
}
