//! System V segments: memory that unrelated processes attach by a number.
//!
//! # This, or `Shared`
//!
//! For memory of your own, [`shm::Shared`](crate::shm::Shared) is the better choice: it is found by
//! a name, not before its contents are complete, and only by those who agree on what lies there;
//! and it is a descriptor, which can be handed over a socket. A segment is found by a [`Key`] from
//! the moment it is made, when all its bytes are zero, and knows nothing of them but how many they
//! are. It is for two things that the other has not got:
//!
//! - to share memory with programs that speak System V: databases, X11's clients, C, Python;
//! - to know how many mappings [there are](Status::attached), and to have the kernel free it with
//!   the last of them, however that goes: [remove](Shm::remove) it as soon as all have it.
//!
//! # Who frees it
//!
//! A segment stays, attached or not, until it is removed or the machine is restarted, and takes
//! memory as far as its pages have been touched. `ipcs -m` lists what was forgotten, `ipcrm -m`
//! removes it.
//!
//! # References
//!
//! - [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html)
//! - [shmop(2)](https://man7.org/linux/man-pages/man2/shmop.2.html)

#![allow(unsafe_code, reason = "attaches and detaches; see SAFETY.md")]

use core::ptr::NonNull;

use rustix::fs::Mode;
use rustix::process::{Gid, Pid, Uid};

use super::{Key, Permissions};
use crate::shm::{Access, Mapping};
use crate::sys::sysv::{self as kernel, shm as sys};
use crate::{Errno, Result};

/// A System V shared memory segment, by its identifier.
///
/// Only a number: dropping it changes nothing. The segment stays until it is
/// [removed](Self::remove); the memory is used through the [`Mapping`] that
/// [`attach`](Self::attach) returns.
///
/// # Examples
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// use rawipc::sysv::{Mode, Shm};
///
/// let (segment, key) = Shm::create_unique(Mode::RUSR | Mode::WUSR, 4096)?;
/// let mine = segment.attach()?;
/// let same = Shm::open(key)?.attach()?; // as another process would
/// assert_eq!(segment.status()?.attached, 2);
/// segment.remove()?; // goes with the last mapping, whatever happens to us
///
/// // SAFETY: aligned as pages are, in bounds, and used only by atomics as long as both live.
/// let counter = unsafe { AtomicU32::from_ptr(mine.as_ptr().cast()) };
/// // SAFETY: as above.
/// let theirs = unsafe { AtomicU32::from_ptr(same.as_ptr().cast()) };
/// counter.store(7, Relaxed);
/// assert_eq!(theirs.load(Relaxed), 7);
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shm(i32);

/// What a segment is like, and who has it.
///
/// # Examples
///
/// See [`Shm::status`].
#[doc(alias = "shmid_ds")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whose it is. The key is [`Key::PRIVATE`] once it has been [removed](Shm::remove).
    pub permissions: Permissions,
    /// How many bytes it has; never changes.
    pub size: usize,
    /// How many mappings there are of it, in all processes. Others may have changed that.
    pub attached: usize,
    /// Whether it has been [removed](Shm::remove), and goes with its last mapping (`SHM_DEST`).
    #[doc(alias = "SHM_DEST")]
    pub removed: bool,
    /// Whether it is [locked](Shm::lock) into memory.
    #[doc(alias = "SHM_LOCKED")]
    pub locked: bool,
    /// Who created it; `None` if that one cannot be seen from this pid namespace.
    pub creator: Option<Pid>,
    /// Who attached or detached it last, or got or gave up a mapping by fork, exec or its end;
    /// `None` if nobody did, or nobody who can be seen from this pid namespace.
    pub last_operator: Option<Pid>,
    /// When it was last attached, in seconds since 1970; zero if never.
    pub attach_time: i64,
    /// When it was last detached, in seconds since 1970; zero if never.
    pub detach_time: i64,
    /// When it was created or last [set](Shm::set_mode), in seconds since 1970.
    pub change_time: i64,
}

impl Shm {
    /// `shmget` with `IPC_CREAT` and `IPC_EXCL`: creates a segment of `len` bytes, all zero; under
    /// [`Key::PRIVATE`], one that no key finds.
    ///
    /// It has the permissions `mode`; the umask does not count.
    ///
    /// # Errors
    ///
    /// [`Errno::EXIST`] if the key is taken; [`Errno::INVAL`] if `len` is zero, or more than the
    /// system allows (`shmmax`) or can ever have; [`Errno::NOSPC`] if there are as many segments
    /// (`shmmni`) or pages in them (`shmall`) as the system allows; [`Errno::NOMEM`] if the system
    /// would not have so much memory.
    ///
    /// # Examples
    ///
    /// See [`Shm`].
    ///
    /// # References
    ///
    /// - [shmget(2)](https://man7.org/linux/man-pages/man2/shmget.2.html)
    #[doc(alias = "shmget")]
    #[doc(alias = "IPC_EXCL")]
    #[inline]
    pub fn create_new(key: Key, mode: Mode, len: usize) -> Result<Self> {
        let flags = flags(mode) | libc::IPC_CREAT | libc::IPC_EXCL;
        sys::get_segment(key.as_raw(), len, flags).map(Self)
    }

    /// Creates a segment under a key that was not in use, and says which.
    ///
    /// # Errors
    ///
    /// As [`create_new`](Self::create_new), but for `EXIST`.
    ///
    /// # Examples
    ///
    /// See [`Shm`].
    #[inline]
    pub fn create_unique(mode: Mode, len: usize) -> Result<(Self, Key)> {
        Key::unused(|key| Self::create_new(key, mode, len))
    }

    /// `shmget` with `IPC_CREAT`: finds the segment of that key, and creates it if there is none.
    ///
    /// One that was there keeps its permissions, and its size, which may be more than `len`.
    ///
    /// # Errors
    ///
    /// As [`create_new`](Self::create_new), but for `EXIST`; [`Errno::INVAL`] too if the one that
    /// is there has fewer bytes; [`Errno::ACCESS`] if it does not permit all that `mode` asks.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sysv::{Mode, Shm};
    ///
    /// let (segment, key) = Shm::create_unique(Mode::RUSR | Mode::WUSR, 100)?;
    /// let same = Shm::create(key, Mode::RUSR | Mode::WUSR, 50);
    /// segment.remove()?;
    /// assert_eq!(same, Ok(segment));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [shmget(2)](https://man7.org/linux/man-pages/man2/shmget.2.html)
    #[doc(alias = "IPC_CREAT")]
    #[inline]
    pub fn create(key: Key, mode: Mode, len: usize) -> Result<Self> {
        sys::get_segment(key.as_raw(), len, flags(mode) | libc::IPC_CREAT).map(Self)
    }

    /// `shmget`: finds the segment of that key, of whatever size.
    ///
    /// Takes no permission; what is done with it does.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is none.
    ///
    /// # Examples
    ///
    /// See [`Shm`].
    ///
    /// # References
    ///
    /// - [shmget(2)](https://man7.org/linux/man-pages/man2/shmget.2.html)
    #[doc(alias = "shmget")]
    #[inline]
    pub fn open(key: Key) -> Result<Self> {
        // Even without IPC_CREAT, the private key would create.
        if key == Key::PRIVATE {
            return Err(Errno::NOENT);
        }
        sys::get_segment(key.as_raw(), 0, 0).map(Self)
    }

    /// The segment with that identifier, which another process may have told.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sysv::{Key, Mode, Shm};
    ///
    /// let segment = Shm::create_new(Key::PRIVATE, Mode::RUSR, 100)?;
    /// let id = segment.id(); // to be told in a message, say
    /// let mapping = Shm::from_id(id).attach_read_only();
    /// segment.remove()?;
    /// assert_eq!(mapping?.len(), 100);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn from_id(id: i32) -> Self {
        Self(id)
    }

    /// The identifier, by which every process that may use the segment can, key or no key.
    ///
    /// # Examples
    ///
    /// See [`from_id`](Self::from_id).
    #[must_use]
    #[inline]
    pub const fn id(self) -> i32 {
        self.0
    }

    /// `shmat`: maps the segment, for reading and writing, where the kernel finds room.
    ///
    /// The mapping is as long as the segment, and keeps it in being; dropping it detaches
    /// (`shmdt`). A child inherits it; exec and exit detach. A segment that was
    /// [removed](Self::remove) can be attached as long as there is another mapping of it.
    ///
    /// # Errors
    ///
    /// [`Errno::ACCESS`] without permission to read and write; [`Errno::INVAL`], or
    /// [`Errno::IDRM`] if it happens at this moment, if there is no segment of that identifier any
    /// more; [`Errno::NOMEM`] if there are not so many free addresses in a row, or as many mappings
    /// as a process may have.
    ///
    /// # Examples
    ///
    /// See [`Shm`].
    ///
    /// # References
    ///
    /// - [shmop(2)](https://man7.org/linux/man-pages/man2/shmop.2.html)
    #[doc(alias = "shmat")]
    #[doc(alias = "shmdt")]
    #[inline]
    pub fn attach(self) -> Result<Mapping> {
        self.map(Access::ReadWrite)
    }

    /// As [`attach`](Self::attach), for reading only: a write to it ends the process (`SIGSEGV`).
    ///
    /// # Errors
    ///
    /// As `attach`; permission to read is enough.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::shm::Access;
    /// use rawipc::sysv::{Key, Mode, Shm};
    ///
    /// let segment = Shm::create_new(Key::PRIVATE, Mode::RUSR, 100)?;
    /// let mapping = segment.attach_read_only();
    /// segment.remove()?;
    /// let mapping = mapping?;
    /// assert_eq!((mapping.len(), mapping.access()), (100, Access::ReadOnly));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [shmop(2)](https://man7.org/linux/man-pages/man2/shmop.2.html)
    #[doc(alias = "SHM_RDONLY")]
    #[inline]
    pub fn attach_read_only(self) -> Result<Mapping> {
        self.map(Access::ReadOnly)
    }

    /// `shmctl` with `IPC_STAT`.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] (or [`Errno::IDRM`], as [`attach`](Self::attach)) if there is no segment of
    /// that identifier any more; [`Errno::ACCESS`] without permission to read.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sysv::{Key, Mode, Shm};
    ///
    /// let segment = Shm::create_new(Key::PRIVATE, Mode::RUSR, 100)?;
    /// let status = segment.status();
    /// segment.remove()?;
    /// let status = status?;
    /// assert_eq!((status.size, status.attached, status.removed), (100, 0, false));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html)
    #[doc(alias = "shmctl")]
    #[doc(alias = "IPC_STAT")]
    pub fn status(self) -> Result<Status> {
        let told = sys::segment_status(self.0)?;
        Ok(Status {
            permissions: Permissions::from_kernel(&told.permissions),
            size: told.bytes,
            attached: told.attached,
            removed: told.permissions.is_set(sys::SHM_DEST),
            locked: told.permissions.is_set(sys::SHM_LOCKED),
            creator: Pid::from_raw(told.creator.max(0)),
            last_operator: Pid::from_raw(told.last_operator.max(0)),
            attach_time: told.attach_time.get(),
            detach_time: told.detach_time.get(),
            change_time: told.change_time.get(),
        })
    }

    /// `shmctl` with `IPC_SET`: gives it to another owner and group.
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator; [`Errno::ACCESS`] without
    /// permission to read; [`Errno::INVAL`] (or [`Errno::IDRM`]) if there is no segment of that
    /// identifier any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sysv::{Key, Mode, Shm};
    ///
    /// let segment = Shm::create_new(Key::PRIVATE, Mode::RUSR, 100)?;
    /// let given = segment.status().and_then(|status| {
    ///     // To whom it belongs already: another takes privilege.
    ///     segment.set_owner(status.permissions.uid, status.permissions.gid)
    /// });
    /// segment.remove()?;
    /// given?;
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html)
    #[doc(alias = "IPC_SET")]
    #[inline]
    pub fn set_owner(self, uid: Uid, gid: Gid) -> Result<()> {
        self.set(|permissions| {
            (permissions.uid, permissions.gid) = (uid.as_raw(), gid.as_raw());
        })
    }

    /// `shmctl` with `IPC_SET`: sets who may attach it for reading and for writing. Mappings that
    /// there are stay as they are.
    ///
    /// # Errors
    ///
    /// As [`set_owner`](Self::set_owner).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sysv::{Key, Mode, Shm};
    ///
    /// let segment = Shm::create_new(Key::PRIVATE, Mode::RUSR | Mode::WUSR, 100)?;
    /// let status = segment.set_mode(Mode::RUSR).and_then(|()| segment.status());
    /// segment.remove()?;
    /// assert_eq!(status?.permissions.mode, Mode::RUSR);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html)
    #[doc(alias = "IPC_SET")]
    #[inline]
    pub fn set_mode(self, mode: Mode) -> Result<()> {
        self.set(|permissions| permissions.set_mode(mode.as_raw_mode()))
    }

    /// `shmctl` with `SHM_LOCK`: keeps in memory, out of the swap, each page of it from when it is
    /// first touched. (It does not keep others away: that is what [`sync`](crate::sync) is for.)
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator nor have `CAP_IPC_LOCK`, and
    /// where nothing may be locked; [`Errno::NOMEM`] if it is more than may be
    /// (`RLIMIT_MEMLOCK`); [`Errno::INVAL`] (or [`Errno::IDRM`]) if there is no segment of that
    /// identifier any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Errno;
    /// use rawipc::sysv::{Key, Mode, Shm};
    ///
    /// let segment = Shm::create_new(Key::PRIVATE, Mode::RUSR, 100)?;
    /// let status = segment.lock().and_then(|()| segment.status());
    /// let unlocked = segment.unlock();
    /// segment.remove()?;
    /// match status {
    ///     Ok(status) => assert!(status.locked),
    ///     Err(errno) => assert!(matches!(errno, Errno::PERM | Errno::NOMEM), "more than it may"),
    /// }
    /// unlocked?;
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html)
    #[doc(alias = "SHM_LOCK")]
    #[inline]
    pub fn lock(self) -> Result<()> {
        sys::control_segment(self.0, libc::SHM_LOCK)
    }

    /// `shmctl` with `SHM_UNLOCK`: lets it be swapped out again. It need not have been locked.
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator nor have `CAP_IPC_LOCK`;
    /// [`Errno::INVAL`] (or [`Errno::IDRM`]) if there is no segment of that identifier any more.
    ///
    /// # Examples
    ///
    /// See [`lock`](Self::lock).
    ///
    /// # References
    ///
    /// - [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html)
    #[doc(alias = "SHM_UNLOCK")]
    #[inline]
    pub fn unlock(self) -> Result<()> {
        sys::control_segment(self.0, libc::SHM_UNLOCK)
    }

    /// `shmctl` with `IPC_RMID`: takes its key from it at once, and the segment goes with the last
    /// mapping of it.
    ///
    /// Until then those who have it attached go on; Linux, unlike others, also lets it be attached
    /// by its identifier. Removing it again does nothing more.
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator; [`Errno::INVAL`] (or
    /// [`Errno::IDRM`]) if there is no segment of that identifier any more.
    ///
    /// # Examples
    ///
    /// See [`Shm`].
    ///
    /// # References
    ///
    /// - [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html)
    #[doc(alias = "IPC_RMID")]
    #[inline]
    pub fn remove(self) -> Result<()> {
        sys::control_segment(self.0, libc::IPC_RMID)
    }

    #[inline]
    fn map(self, access: Access) -> Result<Mapping> {
        let flags = match access {
            Access::ReadOnly => libc::SHM_RDONLY,
            Access::ReadWrite => 0,
        };
        let start = sys::attach(self.0, flags)?;
        // Asked only now, when the segment cannot go and no other can get its identifier; and by
        // the same thread, so of the same namespace.
        let status = sys::segment_status(self.0).inspect_err(|_| {
            // SAFETY: attached above, and nobody has been told.
            let _as_before = unsafe { sys::detach(start) };
        })?;
        let start = NonNull::new(start).ok_or(Errno::NOMEM)?;
        // SAFETY: `shmat` has just returned `start`, with that access. The length is that of the
        // same segment, as just argued; a segment never changes it. Nobody else knows of it.
        Ok(unsafe { Mapping::of_segment(start, status.bytes, access) })
    }

    /// Reads the permissions, changes them, and sets them. Two who do so at once may undo each
    /// other's change, as everywhere with System V.
    fn set(self, change: impl FnOnce(&mut kernel::Permissions)) -> Result<()> {
        let mut status = sys::segment_status(self.0)?;
        change(&mut status.permissions);
        sys::set_segment(self.0, &status)
    }
}

/// The permissions as `shmget` takes them among its flags.
#[inline]
fn flags(mode: Mode) -> i32 {
    i32::try_from(mode.as_raw_mode() & 0o777).unwrap_or_default()
}
