//! [`Shared`]: a value that lies in shared memory, and is used there.

#![allow(unsafe_code, reason = "references into shared memory; see SAFETY.md")]

mod slice;
mod zeroed;

use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::Mode;

use super::header::{self, Header, Shape, Words};
use super::{Access, LayoutError, Mapping, Memfd, OpenError, ShmSafe, directory, file};
use crate::{Errno, Name, Result};

/// A value in memory that processes share: one [`ShmSafe`] `T`, or a slice of them.
///
/// In front of it lies a header of one cache line, which says what it is; whoever opens it is
/// refused, before the first access, if that is not what they think.
///
/// Dropping it only unmaps the memory: the value is not dropped, as others may be using it, and
/// its name stays until it is [unlinked](super::Object::unlink). A child has it after a fork, and
/// drops its own.
///
/// | made by | reached by |
/// |---|---|
/// | [`anonymous`](Self::anonymous) | children |
/// | [`create_new`](Self::create_new) | who [opens](Self::open) its name |
/// | [`create_in`](Self::create_in) | who has the [descriptor](Self::from_fd) of a [`Memfd`] or a file |
/// | [`create_in_mapping`](Self::create_in_mapping) | who has [mapped](Self::from_mapping) the same memory |
///
/// # Examples
///
/// ```
/// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use rawipc::Name;
/// use rawipc::shm::{Mode, Object, Shared};
///
/// let name = Name::format(format_args!("/rawipc-doc-shared-{}", std::process::id()))?;
///
/// // One process:
/// let counter = Shared::create_new(&name, Mode::RUSR | Mode::WUSR, AtomicU64::new(41))?;
///
/// // Another:
/// // SAFETY: only programs that are built like this one know the name, and none cuts it short.
/// let same = unsafe { Shared::<AtomicU64>::open(&name)? };
/// same.fetch_add(1, Relaxed);
///
/// assert_eq!(counter.load(Relaxed), 42);
/// Object::unlink(&name)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
///
/// - [shm_overview(7)](https://man7.org/linux/man-pages/man7/shm_overview.7.html)
/// - [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)
pub struct Shared<T: ?Sized + ShmSafe> {
    value: NonNull<T>,
    /// Where `value` points to.
    _mapping: Mapping,
}

/// What [`Shared`] can hold: a [`ShmSafe`] `T`, or a slice of such.
///
/// # Examples
///
/// See [`Shared`].
pub trait InPlace: ShmSafe + sealed::InPlace {}

impl<T: ?Sized + ShmSafe + sealed::InPlace> InPlace for T {}

mod sealed {
    use super::{LayoutError, NonNull, Result, ShmSafe};

    pub trait InPlace {
        /// What there are one or several of.
        type Element;

        /// The value that begins at `first`, if it can have `count` elements.
        #[doc(hidden)]
        fn at(first: NonNull<Self::Element>, count: usize) -> Result<NonNull<Self>, LayoutError>;
    }

    impl<T: ShmSafe> InPlace for T {
        type Element = T;

        fn at(first: NonNull<T>, count: usize) -> Result<NonNull<T>, LayoutError> {
            if count == 1 { Ok(first) } else { Err(LayoutError::Count { found: count as u64 }) }
        }
    }

    impl<T: ShmSafe> InPlace for [T] {
        type Element = T;

        fn at(first: NonNull<T>, count: usize) -> Result<NonNull<[T]>, LayoutError> {
            Ok(NonNull::slice_from_raw_parts(first, count))
        }
    }
}

impl<T: ShmSafe> Shared<T> {
    /// How many bytes it takes, with what lies in front of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::AtomicU64;
    /// use rawipc::shm::Shared;
    ///
    /// assert_eq!(Shared::<AtomicU64>::SIZE, 64 + 8);
    /// ```
    pub const SIZE: usize = match size_of_values::<T>(1) {
        Ok(size) => size,
        Err(_) => usize::MAX,
    };

    /// `memfd_create` and `mmap`: for this process and the children that it forks from now on.
    ///
    /// # Errors
    ///
    /// [`Errno::NOMEM`] or [`Errno::NOSPC`] if there is not so much memory; [`Errno::MFILE`] at the
    /// limit of descriptors, of which it needs one for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use rawipc::process;
    /// use rawipc::shm::Shared;
    ///
    /// let counter = Shared::anonymous(AtomicU64::new(0))?;
    /// let task = || {
    ///     counter.fetch_add(1, Relaxed);
    ///     0
    /// };
    /// // SAFETY: the child counts, and exits; nothing is owned twice.
    /// let mut child = unsafe { process::spawn(task)? };
    /// child.wait()?;
    /// assert_eq!(counter.load(Relaxed), 1);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html)
    #[doc(alias = "memfd_create")]
    pub fn anonymous(init: T) -> Result<Self> {
        let memfd = Memfd::new(Self::SIZE)?;
        let mapping = Mapping::new(memfd, Self::SIZE, Access::ReadWrite)?;
        // SAFETY: just made, and nobody else has had the descriptor.
        unsafe { Self::create_in_mapping(mapping, init) }
    }

    /// `shm_open` and `mmap`: creates an object of that name, with the permissions `mode` less the
    /// process's umask.
    ///
    /// It gets its name when it is complete: nobody opens it sooner, and a process that is killed
    /// meanwhile leaves nothing behind.
    ///
    /// # Whom this trusts
    ///
    /// Every program that `mode` lets write to the object can change the value behind a reference,
    /// this program included: by [`Object::open`](super::Object::open) and
    /// [`Bytes`](super::Bytes), say, or by the file's path. No type keeps it from that, and this
    /// call is safe although it rests on it. So let only those write to it of whom you can promise
    /// what [`open`](Self::open) demands. (SAFETY.md, which comes with the source, says more:
    /// "What is hostile in shared memory".)
    ///
    /// # Errors
    ///
    /// As [`Object::create_new`](super::Object::create_new); [`Errno::NOMEM`] too if there are not
    /// so many addresses free in a row.
    ///
    /// # Examples
    ///
    /// See [`Shared`].
    ///
    /// # References
    ///
    /// - [shm_open(3)](https://man7.org/linux/man-pages/man3/shm_open.3.html)
    #[doc(alias = "shm_open")]
    pub fn create_new(name: &Name, mode: Mode, init: T) -> Result<Self> {
        let fd = directory::unnamed(mode, Self::SIZE)?;
        let mapping = Mapping::new(&fd, Self::SIZE, Access::ReadWrite)?;
        // SAFETY: just made, and nobody else has it before it has its name.
        let shared = unsafe { Self::create_in_mapping(mapping, init) }?;
        directory::link(fd.as_fd(), name)?;
        Ok(shared)
    }

    /// `fallocate` and `mmap`: puts it at the beginning of a file that is open for reading and
    /// writing, a [`Memfd`] say, which is made longer if it has to be.
    ///
    /// The descriptor can be closed then, or handed on to those who shall reach the value.
    ///
    /// # Safety
    ///
    /// Nobody else uses the first bytes of the file before this returns, nor ever but by
    /// [`from_fd`](Self::from_fd), whose promises hold for all of them; nor does anybody make the
    /// file shorter.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] or [`Errno::ISDIR`] if it is no file; [`Errno::BADF`] or [`Errno::ACCESS`]
    /// if it is not open for both; [`Errno::PERM`] if it is sealed and too short, or sealed against
    /// writing; [`Errno::NOSPC`], [`Errno::NOMEM`] or [`Errno::FBIG`] if there is not so much room;
    /// [`Errno::OPNOTSUPP`] if the file system cannot set it aside.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use rawipc::shm::{Memfd, Shared};
    ///
    /// let memfd = Memfd::new(Shared::<AtomicU64>::SIZE)?;
    /// // SAFETY: nobody else has the descriptor yet.
    /// let counter = unsafe { Shared::create_in(&memfd, AtomicU64::new(6))? };
    ///
    /// // Whoever was sent it:
    /// // SAFETY: it comes from above, and cannot be made shorter.
    /// let same = unsafe { Shared::<AtomicU64>::from_fd(&memfd)? };
    /// assert_eq!(same.load(Relaxed), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn create_in(fd: impl AsFd, init: T) -> Result<Self> {
        let mapping = map_at_least(fd.as_fd(), Self::SIZE)?;
        // SAFETY: the caller's promise, for all mappings of the file.
        unsafe { Self::create_in_mapping(mapping, init) }
    }

    /// Puts it at the beginning of memory that is mapped already, a System V segment say.
    ///
    /// # Safety
    ///
    /// Nobody else uses that memory before this returns, nor ever but by
    /// [`from_mapping`](Self::from_mapping) and the like, whose promises hold for all of them; and
    /// it does not lie in a file that somebody makes shorter.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if that is shorter than [`SIZE`](Self::SIZE); [`Errno::ACCESS`] if it is
    /// mapped for reading only.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use rawipc::shm::{Access, Mapping, Memfd, Shared};
    ///
    /// let memfd = Memfd::new(4096)?;
    /// let mapping = Mapping::new(&memfd, 4096, Access::ReadWrite)?;
    /// // SAFETY: nobody else has the descriptor.
    /// let counter = unsafe { Shared::create_in_mapping(mapping, AtomicU64::new(6))? };
    /// assert_eq!(counter.load(Relaxed), 6);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    pub unsafe fn create_in_mapping(mapping: Mapping, init: T) -> Result<Self> {
        let value = room(&mapping, 1)?;
        // SAFETY: within the mapping and aligned, as `room` says; nobody else uses it, as the
        // caller promises.
        unsafe { value.write(init) };
        publish::<T>(&mapping, 1);
        Ok(Self { value, _mapping: mapping })
    }
}

impl<T: ?Sized + InPlace> Shared<T> {
    /// `shm_open` and `mmap`: opens what another process has [created](Shared::create_new).
    ///
    /// # Safety
    ///
    /// Whoever writes to the object, before or later, and in whatever process,
    ///
    /// - does so through `Shared` only, as the same `T`, of the same source: two types that have
    ///   name, size and alignment in common are not told apart;
    /// - keeps the promises of that `T` (who unlocks a mutex has locked it);
    /// - does not make the object shorter.
    ///
    /// Where there is a [`sync::ReentrantMutex`](crate::sync) in it, all are in one PID namespace.
    ///
    /// # Errors
    ///
    /// [`OpenError::Os`] as [`Object::open`](super::Object::open), and [`Errno::NOMEM`] if there
    /// are not so many addresses free in a row; [`OpenError::Layout`] if something else lies there.
    ///
    /// # Examples
    ///
    /// See [`Shared`] and [`OpenError`].
    ///
    /// # References
    ///
    /// - [shm_open(3)](https://man7.org/linux/man-pages/man3/shm_open.3.html)
    #[doc(alias = "shm_open")]
    pub unsafe fn open(name: &Name) -> Result<Self, OpenError> {
        let fd = directory::open(name, Access::ReadWrite)?;
        // SAFETY: the caller's promise.
        unsafe { Self::from_fd(fd) }
    }

    /// `mmap`: what another process has [put](Shared::create_in) into a file that is open for
    /// reading and writing. The descriptor can be closed then.
    ///
    /// # Safety
    ///
    /// As [`open`](Self::open).
    ///
    /// # Errors
    ///
    /// [`OpenError::Os`]: [`Errno::INVAL`] or [`Errno::ISDIR`] if it is no file; [`Errno::BADF`] or
    /// [`Errno::ACCESS`] if it is not open for both; [`Errno::PERM`] if it is sealed against
    /// writing; [`Errno::NOMEM`] if there are not so many addresses free in a row.
    /// [`OpenError::Layout`] if something else lies there.
    ///
    /// # Examples
    ///
    /// See [`create_in`](Shared::create_in).
    ///
    /// # References
    ///
    /// - [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)
    #[doc(alias = "mmap")]
    pub unsafe fn from_fd(fd: impl AsFd) -> Result<Self, OpenError> {
        let fd = fd.as_fd();
        let length = file::length(fd)?;
        // Read before it is mapped: that says how long the file is, where to touch it would end the
        // process.
        read_header(fd)?.check(length as u64, shape::<T>())?;
        let mapping = Mapping::new(fd, length, Access::ReadWrite)?;
        // SAFETY: the caller's promise.
        unsafe { Self::from_mapping(mapping) }
    }

    /// What another process has [put](Shared::create_in_mapping) into the same memory.
    ///
    /// # Safety
    ///
    /// As [`open`](Self::open).
    ///
    /// # Errors
    ///
    /// [`OpenError::Os`]: [`Errno::ACCESS`] if it is mapped for reading only.
    /// [`OpenError::Layout`] if something else lies there.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use rawipc::shm::{Access, Mapping, Memfd, Shared};
    ///
    /// let memfd = Memfd::new(4096)?;
    /// // SAFETY: nobody else has the descriptor.
    /// let counter = unsafe { Shared::create_in(&memfd, AtomicU64::new(6))? };
    ///
    /// let mapping = Mapping::new(&memfd, 4096, Access::ReadWrite)?;
    /// // SAFETY: it comes from above, and cannot be made shorter.
    /// let same = unsafe { Shared::<AtomicU64>::from_mapping(mapping)? };
    /// assert_eq!(same.load(Relaxed), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn from_mapping(mapping: Mapping) -> Result<Self, OpenError> {
        if mapping.access() == Access::ReadOnly {
            return Err(OpenError::Os(Errno::ACCESS));
        }
        let length = mapping.len() as u64;
        let words = words(&mapping).ok_or(header::truncated(length))?;
        let count = Header::load(words).check(length, shape::<T>())?;
        let count = usize::try_from(count).map_err(|_| Errno::NOMEM)?;
        let value = T::at(room(&mapping, count)?, count)?;
        Ok(Self { value, _mapping: mapping })
    }
}

/// What lies in front of a value of type `T`.
fn shape<T: ?Sized + InPlace>() -> Shape {
    Shape::of::<T::Element>(core::any::type_name::<T>())
}

/// How many bytes so many values take, with what lies in front of them.
#[allow(clippy::cast_possible_truncation, reason = "was a usize that is not too large")]
const fn size_of_values<T>(count: usize) -> Result<usize> {
    let alignment = const { header::alignment::<T>() };
    match header::end_of_values(size_of::<T>() as u64, alignment, count as u64) {
        // What is longer, no reference reaches.
        Some(end) if end <= isize::MAX.unsigned_abs() as u64 => Ok(end as usize),
        _ => Err(Errno::NOMEM),
    }
}

/// Maps a file, all of it, after it has been made so long.
fn map_at_least(fd: BorrowedFd<'_>, size: usize) -> Result<Mapping> {
    file::length(fd)?;
    file::allocate(fd, size)?;
    Mapping::new(fd, file::length(fd)?, Access::ReadWrite)
}

/// `pread`: the header of a file, which may be anything.
fn read_header(fd: BorrowedFd<'_>) -> Result<Header, OpenError> {
    let mut bytes = [0; header::SIZE];
    match rustix::io::pread(fd, &mut bytes, 0)? {
        header::SIZE => Ok(zerocopy::transmute!(bytes)),
        0 => Err(LayoutError::Empty.into()),
        found => Err(header::truncated(found as u64).into()),
    }
}

/// The header of what is mapped there, if that is long enough for one.
#[allow(clippy::cast_ptr_alignment, reason = "page-aligned")]
fn words(mapping: &Mapping) -> Option<&Words> {
    let words = mapping.as_ptr().cast::<Words>();
    // SAFETY: mapped for as long as the borrow of the mapping lasts, for reading and writing or,
    // where it is only loaded from, at least for reading; page-aligned. All who reach these bytes
    // through this crate do so by atomics of this width.
    (mapping.len() >= header::SIZE).then(|| unsafe { &*words })
}

/// Where the first of so many values lies, if they all fit, and can be written to.
fn room<T>(mapping: &Mapping, count: usize) -> Result<NonNull<T>> {
    if mapping.access() == Access::ReadOnly {
        return Err(Errno::ACCESS);
    }
    if mapping.len() < size_of_values::<T>(count)? {
        return Err(Errno::INVAL);
    }
    // Aligned: the mapping is to a page, and no `T` more than that.
    let offset = header::offset(const { header::alignment::<T>() });
    NonNull::new(mapping.as_ptr().wrapping_add(offset).cast()).ok_or(Errno::INVAL)
}

/// Says that `count` values lie there, which do.
fn publish<T: ?Sized + InPlace>(mapping: &Mapping, count: usize) {
    if let Some(words) = words(mapping) {
        Header::new(shape::<T>(), count as u64).publish(words);
    }
}

impl<T: ?Sized + ShmSafe> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: within the mapping and aligned, as `room` has checked; mapped until `self` goes,
        // which outlives the borrow. Any bytes are a `T` (`FromBytes`), what changes meanwhile does
        // so as `ShmSafe` has it: whoever made or opened it has promised so for all others.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized + ShmSafe + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// SAFETY: it gives `&T` only and never drops the `T`; and `ShmSafe` is `Sync`. The mapping may be
// dropped by any thread.
unsafe impl<T: ?Sized + ShmSafe> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + ShmSafe> Sync for Shared<T> {}
