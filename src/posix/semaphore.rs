//! [`Semaphore`]: a [`sync::Semaphore`] that has a name, in a file of `/dev/shm`.

#![allow(unsafe_code, reason = "a semaphore in mapped memory; see SAFETY.md")]

use core::ffi::c_void;
use core::fmt;
use core::ops::Deref;

use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::Mode;
use rustix::io::pread;
use zerocopy::FromBytes as _;

use crate::shm::{Access, LayoutError, Mapping, OpenError, directory, file};
use crate::{Errno, Name, Result, sync};

/// A counting semaphore of POSIX, which has a name and outlives whoever uses it, until it is
/// [unlinked](Self::unlink) or the machine is restarted.
///
/// What one does with it is done by the [`sync::Semaphore`] that it derefs to:
/// [`post`](sync::Semaphore::post), [`wait`](sync::Semaphore::wait),
/// [`try_wait`](sync::Semaphore::try_wait), [`wait_until`](sync::Semaphore::wait_until),
/// [`value`](sync::Semaphore::value).
///
/// It is the same that C's `sem_open`, with glibc on a 64-bit machine, and Python's `posix_ipc`
/// open by that name: the file `/dev/shm/sem.NAME`, of 32 bytes. All may wait for it and post it at
/// the same time. With glibc on a 32-bit machine, it has another layout: there, this type is
/// missing, and what a 32-bit program has made is refused by [`open`](Self::open). The semaphores
/// of musl's `sem_open` have other files and another layout.
///
/// Dropping it unmaps it, and leaves the semaphore as it is. A child has it too, after a fork. It
/// keeps no descriptor open.
///
/// # Examples
///
/// ```
/// use rawipc::Name;
/// use rawipc::posix::{Mode, Semaphore};
///
/// let name = Name::format(format_args!("/rawipc-doc-semaphore-{}", std::process::id()))?;
///
/// // One process:
/// let tickets = Semaphore::create_new(&name, Mode::RUSR | Mode::WUSR, 0)?;
/// tickets.post()?;
///
/// // Another:
/// let tickets = Semaphore::open(&name)?;
/// tickets.wait();
/// assert!(!tickets.try_wait());
///
/// Semaphore::unlink(&name)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Names
///
/// A name has at most 251 bytes, not counting the slash, as the file's has four more.
///
/// # Who is killed
///
/// while it waits takes nothing. One that was just being woken may have been the only one that was
/// told of a token; whoever waits here looks again each second, and so gets it. (In glibc, those
/// who wait sleep on until the next post.) Who is killed between its `wait` and its `post` keeps
/// the token: nobody knows whose it was.
///
/// # Whom it trusts
///
/// Nobody. Whoever may write to it can give it any value, let others wait until their deadline, or
/// make the file shorter, which ends the process that touches it next (`SIGBUS`); that is what
/// permissions are for. Nothing of that is undefined behaviour.
///
/// # References
///
/// - [sem_overview(7)](https://man7.org/linux/man-pages/man7/sem_overview.7.html)
#[doc(alias = "sem_open")]
#[doc(alias = "sem_close")]
pub struct Semaphore {
    /// For reading and writing, and at least as long as a `sync::Semaphore`.
    mapping: Mapping,
}

/// How long the file is.
const SIZE: usize = size_of::<sync::Semaphore>();

impl Semaphore {
    /// The highest value (`SEM_VALUE_MAX`).
    #[doc(alias = "SEM_VALUE_MAX")]
    pub const MAX: u32 = sync::Semaphore::MAX;

    /// `sem_open` with `O_CREAT | O_EXCL`: creates one of that value, with the permissions `mode`
    /// less the process's umask.
    ///
    /// To open it takes permission to read and to write. It gets its name when it is complete:
    /// nobody opens it sooner, and a process that is killed meanwhile leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`Errno::EXIST`] if the name is taken; [`Errno::INVAL`] if it has more than 251 bytes, or if
    /// `value` is more than [`MAX`](Self::MAX); [`Errno::NOSPC`] if there is no memory for such
    /// objects; [`Errno::ACCESS`] without permission to write to `/dev/shm`; [`Errno::NOENT`] or
    /// [`Errno::OPNOTSUPP`] if that is not there, or no `tmpfs`; [`Errno::MFILE`] at the limit of
    /// descriptors.
    ///
    /// # Examples
    ///
    /// See [`Semaphore`].
    ///
    /// # References
    ///
    /// - [sem_open(3)](https://man7.org/linux/man-pages/man3/sem_open.3.html)
    #[doc(alias = "sem_open")]
    pub fn create_new(name: &Name, mode: Mode, value: u32) -> Result<Self> {
        if value > Self::MAX {
            return Err(Errno::INVAL);
        }
        let file = file_of(name)?;
        let fd = directory::unnamed(mode, SIZE)?;
        let semaphore = Self { mapping: Mapping::new(&fd, SIZE, Access::ReadWrite)? };
        // SAFETY: mapped for writing, in that length, as long as `mapping` lives; page-aligned.
        // Nobody else has it yet, as it has no name.
        unsafe { semaphore.place().write(sync::Semaphore::new(value)) };
        directory::link(fd.as_fd(), &file)?;
        Ok(semaphore)
    }

    /// `sem_open`: opens one that exists.
    ///
    /// What has that name and is no semaphore is refused before it is touched.
    ///
    /// # Errors
    ///
    /// [`OpenError::Os`]: [`Errno::NOENT`] if there is none of that name; [`Errno::ACCESS`] without
    /// permission to read and to write; [`Errno::INVAL`] if the name has more than 251 bytes;
    /// [`Errno::ISDIR`], [`Errno::LOOP`], or [`Errno::INVAL`] ([`Errno::NXIO`] if it is a socket)
    /// if a directory, a symbolic link, or something else that is no file has the name;
    /// [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// [`OpenError::Layout`] if a file has the name in which there is something else:
    /// [`LayoutError::Empty`]; [`LayoutError::Size`] if it is not 32 bytes long, as a 32-bit
    /// program's is not; [`LayoutError::Unfinished`] if it is only zeros; [`LayoutError::Foreign`]
    /// if nothing says that it is a semaphore, and one for several processes.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Name;
    /// use rawipc::posix::Semaphore;
    /// use rawipc::shm::{LayoutError, Mode, Object, OpenError};
    ///
    /// # let id = std::process::id();
    /// # let file = Name::format(format_args!("/sem.rawipc-doc-open-{id}"))?;
    /// # let name = Name::format(format_args!("/rawipc-doc-open-{id}"))?;
    /// // What a 32-bit program makes, `file` being `/dev/shm/sem.NAME`:
    /// Object::create_new(&file, Mode::RUSR | Mode::WUSR, 16)?;
    ///
    /// let narrow = Semaphore::open(&name).unwrap_err();
    /// # Semaphore::unlink(&name)?;
    /// assert_eq!(narrow, OpenError::Layout(LayoutError::Size { expected: 32, found: 16 }));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [sem_open(3)](https://man7.org/linux/man-pages/man3/sem_open.3.html)
    #[doc(alias = "sem_open")]
    #[inline]
    pub fn open(name: &Name) -> Result<Self, OpenError> {
        let fd = directory::open(&file_of(name)?, Access::ReadWrite)?;
        check(fd.as_fd())?;
        Ok(Self { mapping: Mapping::new(&fd, SIZE, Access::ReadWrite)? })
    }

    /// `sem_open` with `O_CREAT`: opens one that exists, as it is, or else creates it.
    ///
    /// Of those who do this at once, one creates it, and all open the same.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), other than [`Errno::NOENT`]; and as
    /// [`create_new`](Self::create_new), other than [`Errno::EXIST`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Name;
    /// use rawipc::posix::{Mode, Semaphore};
    ///
    /// # let name = Name::format(format_args!("/rawipc-doc-create-{}", std::process::id()))?;
    /// let created = Semaphore::create(&name, Mode::RUSR | Mode::WUSR, 3)?;
    /// let opened = Semaphore::create(&name, Mode::RUSR | Mode::WUSR, 7)?;
    /// # Semaphore::unlink(&name)?;
    /// created.post()?;
    /// assert_eq!(opened.value(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # References
    ///
    /// - [sem_open(3)](https://man7.org/linux/man-pages/man3/sem_open.3.html)
    #[doc(alias = "sem_open")]
    #[doc(alias = "O_CREAT")]
    pub fn create(name: &Name, mode: Mode, value: u32) -> Result<Self, OpenError> {
        loop {
            match Self::open(name) {
                Err(OpenError::Os(Errno::NOENT)) => {}
                answer => return answer,
            }
            match Self::create_new(name, mode, value) {
                // Somebody was faster.
                Err(Errno::EXIST) => {}
                answer => return Ok(answer?),
            }
        }
    }

    /// `sem_unlink`: removes the name. Those who have it open go on as before.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is none of that name; [`Errno::ACCESS`] or [`Errno::PERM`] if it
    /// is another's; [`Errno::INVAL`] if the name has more than 251 bytes; [`Errno::ISDIR`] if it
    /// is a directory's.
    ///
    /// # Examples
    ///
    /// See [`Semaphore`].
    ///
    /// # References
    ///
    /// - [sem_unlink(3)](https://man7.org/linux/man-pages/man3/sem_unlink.3.html)
    #[doc(alias = "sem_unlink")]
    #[inline]
    pub fn unlink(name: &Name) -> Result<()> {
        directory::unlink(&file_of(name)?)
    }

    /// The `sem_t *` for the functions of a C library, glibc's or one that lays it out alike. To be
    /// used as long as this lives, and not for `sem_close` or `sem_destroy`, as it is neither
    /// `sem_open`'s nor `sem_init`'s.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Name;
    /// use rawipc::posix::{Mode, Semaphore};
    ///
    /// # let name = Name::format(format_args!("/rawipc-doc-pointer-{}", std::process::id()))?;
    /// let semaphore = Semaphore::create_new(&name, Mode::RUSR | Mode::WUSR, 0)?;
    /// # Semaphore::unlink(&name)?;
    /// # #[cfg(target_env = "gnu")]
    /// // SAFETY: a semaphore that lives.
    /// assert_eq!(unsafe { libc::sem_post(semaphore.as_ptr().cast()) }, 0);
    /// # #[cfg(target_env = "gnu")]
    /// assert!(semaphore.try_wait());
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[doc(alias = "sem_t")]
    #[must_use]
    #[inline]
    pub const fn as_ptr(&self) -> *mut c_void {
        self.mapping.as_ptr().cast()
    }

    const fn place(&self) -> *mut sync::Semaphore {
        self.as_ptr().cast()
    }
}

/// The name of its file, as that of an object of shared memory.
fn file_of(name: &Name) -> Result<Name> {
    const PREFIX: &[u8] = b"sem.";

    let mut file = [0; Name::MAX_LEN];
    for (place, byte) in file.iter_mut().zip(PREFIX.iter().chain(name.as_bytes())) {
        *place = *byte;
    }
    let length = PREFIX.len().saturating_add(name.as_bytes().len());
    Name::new(file.get(..length).ok_or(Errno::INVAL)?)
}

/// Whether there is a semaphore in this file. Reads a copy: that there is less of the file than
/// there was a moment ago does not end the process here.
fn check(fd: BorrowedFd<'_>) -> Result<(), OpenError> {
    let length = file::length(fd)?;
    if length != SIZE {
        let wrong = LayoutError::Size { expected: SIZE as u64, found: length as u64 };
        return Err(if length == 0 { LayoutError::Empty } else { wrong }.into());
    }
    let mut copy = [0; SIZE];
    pread(fd, &mut copy, 0)?;
    let is_shared = sync::Semaphore::read_from_bytes(&copy).is_ok_and(|copy| copy.is_shared());
    if !is_shared {
        let is_blank = copy == [0; SIZE];
        let wrong = if is_blank { LayoutError::Unfinished } else { LayoutError::Foreign };
        return Err(wrong.into());
    }
    Ok(())
}

impl Deref for Semaphore {
    type Target = sync::Semaphore;

    #[inline]
    fn deref(&self) -> &sync::Semaphore {
        // SAFETY: mapped for reading and writing, in that length, and page-aligned: so both
        // constructors do it. The mapping lives as long as the borrow of `self`. Any bytes are a
        // value, and each of them is changed by atomic operations only, here and in the C library;
        // `ShmSafe`, whose place is memory that others share.
        unsafe { &*self.place() }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
