//! System V semaphore sets: several counters, changed together or not at all.
//!
//! # Created, but not yet initialised
//!
//! `semget` makes a set, `semctl` gives it its values: between the two, another process can find it
//! with values that mean nothing, which is the classic flaw of System V semaphores. Here it does
//! not exist: [`create_new`](SemSet::create_new) sets the values and then makes one operation that
//! changes nothing but the time of the last operation; and [`open`](SemSet::open) waits until that
//! time is no longer zero. That is the protocol of Stevens (*UNIX Network Programming*, volume 2,
//! 11.6); programs in other languages that keep it can share a set with this one.
//!
//! The kernel does not announce the moment, so `open` looks again every millisecond. A creator that
//! is killed in between leaves a set that never gets ready: [`open_until`](SemSet::open_until)
//! tells.
//!
//! # Signals
//!
//! As with locks, waiting goes on after a signal handler has run.
//!
//! # References
//!
//! - [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html)
//! - [semop(2)](https://man7.org/linux/man-pages/man2/semop.2.html)

use core::time::Duration;

use rustix::fs::Mode;
use rustix::process::{Gid, Pid, Uid};

use super::{Key, Permissions};
pub use crate::sys::sysv::sem::Operation;
use crate::sys::sysv::{self as kernel, sem as sys};
use crate::{Deadline, Errno, Result, wait};

/// The highest value of a semaphore (`SEMVMX`).
#[doc(alias = "SEMVMX")]
pub const MAX_VALUE: u16 = 32_767;

/// A set of semaphores, by its identifier.
///
/// Only a number: dropping it changes nothing. The set stays until it is [removed](Self::remove).
///
/// # Examples
///
/// ```
/// use rawipc::Errno;
/// use rawipc::sysv::sem::Operation;
/// use rawipc::sysv::{Mode, SemSet};
///
/// let (set, key) = SemSet::create_unique(Mode::RUSR | Mode::WUSR, &[1, 0])?;
/// assert_eq!(SemSet::open(key)?, set);
///
/// set.wait(0)?;
/// assert_eq!(set.try_wait(0), Err(Errno::AGAIN));
/// set.post(0)?;
///
/// // From the one to the other, both or neither:
/// set.operate(&[Operation::wait(0), Operation::post(1)])?;
/// assert_eq!((set.value(0)?, set.value(1)?), (0, 1));
/// set.remove()?;
/// # Ok::<(), Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SemSet(i32);

impl Operation {
    /// Adds one to the value (V).
    #[inline]
    pub const fn post(index: u16) -> Self {
        Self::change(index, 1)
    }

    /// Waits for a value of at least one, and takes one (P).
    #[inline]
    pub const fn wait(index: u16) -> Self {
        Self::change(index, -1)
    }

    /// Adds `by`, if it is positive; waits until the value is at least as much, and takes it, if it
    /// is negative; waits until the value is zero, if it is zero.
    #[inline]
    pub const fn change(index: u16, by: i16) -> Self {
        Self { index, change: by, flags: 0 }
    }

    /// Waits until the value is zero.
    #[inline]
    pub const fn wait_for_zero(index: u16) -> Self {
        Self::change(index, 0)
    }

    /// Has the kernel take the change back when this process ends, however it ends (`SEM_UNDO`).
    ///
    /// A child does not inherit what is to be taken back.
    #[doc(alias = "SEM_UNDO")]
    #[inline]
    pub const fn undo(mut self) -> Self {
        self.flags |= SEM_UNDO;
        self
    }

    const fn without_waiting(mut self) -> Self {
        self.flags |= IPC_NOWAIT;
        self
    }
}

/// As narrow as the kernel has the flags.
const SEM_UNDO: i16 = 0x1000;
const IPC_NOWAIT: i16 = 0x800;
static_assertions::const_assert_eq!(SEM_UNDO as i32, libc::SEM_UNDO);
static_assertions::const_assert_eq!(IPC_NOWAIT as i32, libc::IPC_NOWAIT);

/// What a set is like.
#[doc(alias = "semid_ds")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whose it is.
    pub permissions: Permissions,
    /// How many semaphores it has.
    pub semaphores: usize,
    /// When it was last operated on, in seconds since 1970; zero while it is not yet initialised.
    pub operation_time: i64,
    /// When it was created or last [set](SemSet::set_mode), in seconds since 1970.
    pub change_time: i64,
}

impl SemSet {
    /// `semget` with `IPC_CREAT` and `IPC_EXCL`: creates a set with these values; under
    /// [`Key::PRIVATE`], one that no key finds.
    ///
    /// Who opens it does not get it before it has them. If this fails after the set was made, the
    /// set is removed.
    ///
    /// # Errors
    ///
    /// [`Errno::EXIST`] if the key is taken; [`Errno::INVAL`] without values, or with more than the
    /// system allows (`SEMMSL`); [`Errno::RANGE`] if one is above [`MAX_VALUE`];
    /// [`Errno::NOSPC`] if there are as many sets (`SEMMNI`) or semaphores (`SEMMNS`) as the system
    /// allows; [`Errno::ACCESS`] if `mode` does not let the owner read and write.
    ///
    /// # Examples
    ///
    /// See [`SemSet`].
    ///
    /// # References
    ///
    /// - [semget(2)](https://man7.org/linux/man-pages/man2/semget.2.html)
    /// - [semctl(2)](https://man7.org/linux/man-pages/man2/semctl.2.html)
    #[doc(alias = "semget")]
    #[doc(alias = "IPC_EXCL")]
    pub fn create_new(key: Key, mode: Mode, values: &[u16]) -> Result<Self> {
        if values.is_empty() {
            return Err(Errno::INVAL);
        }
        let flags = flags(mode) | libc::IPC_CREAT | libc::IPC_EXCL;
        let set = sys::get_set(key.as_raw(), values.len(), flags).map(Self)?;
        set.initialise(values).inspect_err(|_| {
            let _removed_by_others = set.remove();
        })?;
        Ok(set)
    }

    /// Creates a set under a key that was not in use, and says which.
    ///
    /// # Errors
    ///
    /// As [`create_new`](Self::create_new), but for `EXIST`.
    ///
    /// # Examples
    ///
    /// See [`SemSet`].
    #[inline]
    pub fn create_unique(mode: Mode, values: &[u16]) -> Result<(Self, Key)> {
        Key::unused(|key| Self::create_new(key, mode, values))
    }

    /// Creates the set of that key with these values, or finds the one that is there, whose values
    /// stay; waits until it is initialised.
    ///
    /// # Errors
    ///
    /// As [`create_new`](Self::create_new), but for `EXIST`, and as [`open`](Self::open), but for
    /// `NOENT`; [`Errno::INVAL`] if the one that is there has fewer semaphores than there are
    /// values.
    ///
    /// # References
    ///
    /// - [semget(2)](https://man7.org/linux/man-pages/man2/semget.2.html)
    #[doc(alias = "IPC_CREAT")]
    pub fn create(key: Key, mode: Mode, values: &[u16]) -> Result<Self> {
        loop {
            match Self::create_new(key, mode, values) {
                Err(Errno::EXIST) => {}
                created => return created,
            }
            match Self::find(key, values.len(), Deadline::NEVER) {
                // It was removed in between: once more from the start.
                Err(Errno::NOENT | Errno::IDRM) => {}
                found => return found,
            }
        }
    }

    /// `semget`: finds the set of that key; waits, if it has just been created, until it is
    /// initialised.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is none; [`Errno::ACCESS`] if reading is not permitted;
    /// [`Errno::IDRM`] if it is removed while this waits.
    ///
    /// # Examples
    ///
    /// See [`SemSet`].
    ///
    /// # References
    ///
    /// - [semget(2)](https://man7.org/linux/man-pages/man2/semget.2.html)
    #[doc(alias = "semget")]
    #[inline]
    pub fn open(key: Key) -> Result<Self> {
        Self::find(key, 0, Deadline::NEVER)
    }

    /// As [`open`](Self::open), but does not wait.
    ///
    /// # Errors
    ///
    /// As `open`; [`Errno::AGAIN`] if it is not yet initialised.
    #[inline]
    pub fn try_open(key: Key) -> Result<Self> {
        match Self::find(key, 0, Deadline::now()) {
            Err(Errno::TIMEDOUT) => Err(Errno::AGAIN),
            answer => answer,
        }
    }

    /// As [`open`](Self::open), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `open`; [`Errno::TIMEDOUT`] if it is not initialised by then: its creator may have been
    /// killed.
    #[inline]
    pub fn open_until(key: Key, by: Deadline) -> Result<Self> {
        Self::find(key, 0, by)
    }

    /// The set with that identifier, which another process may have told.
    #[must_use]
    #[inline]
    pub const fn from_id(id: i32) -> Self {
        Self(id)
    }

    /// The identifier, by which every process that may use the set can, key or no key.
    #[must_use]
    #[inline]
    pub const fn id(self) -> i32 {
        self.0
    }

    /// Waits until that semaphore has a value of at least one, and takes one (P).
    ///
    /// # Errors
    ///
    /// As [`operate`](Self::operate).
    ///
    /// # Examples
    ///
    /// See [`SemSet`].
    #[inline]
    pub fn wait(self, index: u16) -> Result<()> {
        self.operate(&[Operation::wait(index)])
    }

    /// As [`wait`](Self::wait), but never sleeps.
    ///
    /// # Errors
    ///
    /// As [`try_operate`](Self::try_operate).
    #[inline]
    pub fn try_wait(self, index: u16) -> Result<()> {
        self.try_operate(&[Operation::wait(index)])
    }

    /// As [`wait`](Self::wait), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As [`operate_until`](Self::operate_until).
    #[inline]
    pub fn wait_until(self, index: u16, by: Deadline) -> Result<()> {
        self.operate_until(&[Operation::wait(index)], by)
    }

    /// Adds one to that semaphore (V).
    ///
    /// # Errors
    ///
    /// As [`operate`](Self::operate).
    ///
    /// # Examples
    ///
    /// See [`SemSet`].
    #[inline]
    pub fn post(self, index: u16) -> Result<()> {
        self.operate(&[Operation::post(index)])
    }

    /// `semop`: makes all these changes at once, sleeping until none of them has to wait.
    ///
    /// They are tried in order, each on what those before it would leave. Goes on after a signal.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] without operations, or if the set has been removed; [`Errno::IDRM`] if it
    /// is while this sleeps; [`Errno::FBIG`] if there is no semaphore of that index;
    /// [`Errno::TOOBIG`] with more operations than the system allows (`SEMOPM`);
    /// [`Errno::RANGE`] if a value would exceed [`MAX_VALUE`], or what there is to
    /// [undo](Operation::undo) would, up or down; [`Errno::ACCESS`] without permission to write, or
    /// for waits for zero to read.
    ///
    /// # Examples
    ///
    /// See [`SemSet`].
    ///
    /// # References
    ///
    /// - [semop(2)](https://man7.org/linux/man-pages/man2/semop.2.html)
    #[doc(alias = "semop")]
    #[inline]
    pub fn operate(self, operations: &[Operation]) -> Result<()> {
        rustix::io::retry_on_intr(|| sys::operate(self.0, operations, None))
    }

    /// As [`operate`](Self::operate), but never sleeps: all changes or none.
    ///
    /// # Errors
    ///
    /// As `operate`; [`Errno::AGAIN`] if one of them would have to wait.
    pub fn try_operate(self, operations: &[Operation]) -> Result<()> {
        /// As many as hardly anybody needs at once; more are let time out at once, which sleeps.
        const SOME: usize = 32;

        let mut room = [Operation::wait_for_zero(0); SOME];
        let Some(copied) = room.get_mut(..operations.len()) else {
            return match self.operate_until(operations, Deadline::now()) {
                Err(Errno::TIMEDOUT) => Err(Errno::AGAIN),
                answer => answer,
            };
        };
        for (slot, operation) in copied.iter_mut().zip(operations) {
            *slot = operation.without_waiting();
        }
        sys::operate(self.0, copied, None)
    }

    /// `semtimedop`: as [`operate`](Self::operate), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `operate`; [`Errno::TIMEDOUT`] if one of them still has to wait by then.
    ///
    /// # References
    ///
    /// - [semop(2)](https://man7.org/linux/man-pages/man2/semop.2.html)
    #[doc(alias = "semtimedop")]
    pub fn operate_until(self, operations: &[Operation], by: Deadline) -> Result<()> {
        loop {
            match sys::operate(self.0, operations, by.timeout().as_ref()) {
                Err(Errno::INTR) => {}
                // The kernel's word for a time that is over.
                Err(Errno::AGAIN) => return Err(Errno::TIMEDOUT),
                answer => return answer,
            }
        }
    }

    /// `GETVAL`: the value of that semaphore, which others may have changed by now.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if there is no semaphore of that index, or the set has been removed;
    /// [`Errno::ACCESS`] without permission to read.
    ///
    /// # References
    ///
    /// - [semctl(2)](https://man7.org/linux/man-pages/man2/semctl.2.html)
    #[doc(alias = "GETVAL")]
    #[doc(alias = "semctl")]
    #[inline]
    pub fn value(self, index: u16) -> Result<u16> {
        self.ask(index, libc::GETVAL).map(|value| u16::try_from(value).unwrap_or(u16::MAX))
    }

    /// `SETVAL`: sets the value of that semaphore, and wakes those who wait for such. Forgets what
    /// was to be [undone](Operation::undo) to it, of all processes.
    ///
    /// # Errors
    ///
    /// [`Errno::RANGE`] above [`MAX_VALUE`]; [`Errno::INVAL`] if there is no semaphore of that
    /// index, or the set has been removed; [`Errno::ACCESS`] without permission to write.
    #[doc(alias = "SETVAL")]
    #[inline]
    pub fn set_value(self, index: u16, value: u16) -> Result<()> {
        sys::control(self.0, index.into(), libc::SETVAL, value.into()).map(drop)
    }

    /// `GETALL`: the values of all semaphores at one moment.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if there are not as many places as [semaphores](Status::semaphores), or the
    /// set has been removed; [`Errno::ACCESS`] without permission to read.
    #[doc(alias = "GETALL")]
    #[inline]
    pub fn values(self, values: &mut [u16]) -> Result<()> {
        sys::get_all(self.0, values)
    }

    /// `SETALL`: sets all values at once, and wakes those who wait for such. Forgets what was to be
    /// [undone](Operation::undo) to them, of all processes.
    ///
    /// # Errors
    ///
    /// [`Errno::RANGE`] if one is above [`MAX_VALUE`]: then none is set; [`Errno::INVAL`] if there
    /// are not as many values as [semaphores](Status::semaphores), or the set has been removed;
    /// [`Errno::ACCESS`] without permission to write, or to read.
    #[doc(alias = "SETALL")]
    #[inline]
    pub fn set_values(self, values: &[u16]) -> Result<()> {
        sys::set_all(self.0, values)
    }

    /// `GETNCNT`: how many sleep until that semaphore's value rises.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    #[doc(alias = "GETNCNT")]
    #[inline]
    pub fn waiting(self, index: u16) -> Result<usize> {
        self.ask(index, libc::GETNCNT)
    }

    /// `GETZCNT`: how many sleep until that semaphore's value is zero.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    #[doc(alias = "GETZCNT")]
    #[inline]
    pub fn waiting_for_zero(self, index: u16) -> Result<usize> {
        self.ask(index, libc::GETZCNT)
    }

    /// `GETPID`: who last operated on that semaphore, or gave it its value: the creator, at first.
    /// `None` if nobody has, or nobody who can be seen from this pid namespace.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    #[doc(alias = "GETPID")]
    #[inline]
    pub fn last_operator(self, index: u16) -> Result<Option<Pid>> {
        let pid = self.ask(index, libc::GETPID)?;
        Ok(Pid::from_raw(i32::try_from(pid).unwrap_or_default()))
    }

    /// `semctl` with `IPC_STAT`.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if the set has been removed; [`Errno::ACCESS`] without permission to read.
    #[doc(alias = "IPC_STAT")]
    pub fn status(self) -> Result<Status> {
        let told = sys::set_status(self.0)?;
        Ok(Status {
            permissions: Permissions::from_kernel(&told.permissions),
            semaphores: told.semaphores,
            operation_time: told.operation_time.get(),
            change_time: told.change_time.get(),
        })
    }

    /// `semctl` with `IPC_SET`: gives it to another owner and group.
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator; [`Errno::ACCESS`] without
    /// permission to read; [`Errno::INVAL`] if the set has been removed.
    #[doc(alias = "IPC_SET")]
    #[inline]
    pub fn set_owner(self, uid: Uid, gid: Gid) -> Result<()> {
        self.set(|permissions| {
            (permissions.uid, permissions.gid) = (uid.as_raw(), gid.as_raw());
        })
    }

    /// `semctl` with `IPC_SET`: sets who may read and alter.
    ///
    /// # Errors
    ///
    /// As [`set_owner`](Self::set_owner).
    #[doc(alias = "IPC_SET")]
    #[inline]
    pub fn set_mode(self, mode: Mode) -> Result<()> {
        self.set(|permissions| permissions.set_mode(mode.as_raw_mode()))
    }

    /// `semctl` with `IPC_RMID`: removes it. Those who sleep in it get [`Errno::IDRM`].
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator; [`Errno::INVAL`] if it has been
    /// removed already.
    #[doc(alias = "IPC_RMID")]
    #[inline]
    pub fn remove(self) -> Result<()> {
        sys::control(self.0, 0, libc::IPC_RMID, 0).map(drop)
    }

    /// Gives a new set its values, and then the time of an operation, which says that it has them.
    fn initialise(self, values: &[u16]) -> Result<()> {
        const UP: Operation = Operation::post(0).without_waiting();
        const DOWN: Operation = Operation::wait(0).without_waiting();

        sys::set_all(self.0, values)?;
        // Whoever knows of the set by other means may take something in between. So this waits for
        // nothing: up and down, or for what is at its highest, down and up.
        loop {
            match sys::operate(self.0, &[UP, DOWN], None) {
                Err(Errno::RANGE) => {}
                answer => return answer,
            }
            match sys::operate(self.0, &[DOWN, UP], None) {
                Err(Errno::AGAIN) => {}
                answer => return answer,
            }
        }
    }

    /// The set of that key, once it has been operated on.
    fn find(key: Key, semaphores: usize, by: Deadline) -> Result<Self> {
        /// How often to look for what the kernel does not announce.
        const LOOK_EVERY: Duration = Duration::from_millis(1);

        // Even without IPC_CREAT, the private key would create.
        if key == Key::PRIVATE {
            return Err(Errno::NOENT);
        }
        let set = sys::get_set(key.as_raw(), semaphores, 0).map(Self)?;
        loop {
            match set.status() {
                Ok(status) if status.operation_time != 0 => return Ok(set),
                Ok(_) if by.has_passed() => return Err(Errno::TIMEDOUT),
                Ok(_) => {}
                // It was there a moment ago.
                Err(Errno::INVAL) => return Err(Errno::IDRM),
                Err(errno) => return Err(errno),
            }
            match wait::pause(by.min(Deadline::after(LOOK_EVERY))) {
                Ok(()) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn ask(self, index: u16, command: i32) -> Result<usize> {
        sys::control(self.0, index.into(), command, 0)
    }

    /// Reads the permissions, changes them, and sets them. Two who do so at once may undo each
    /// other's change, as everywhere with System V.
    fn set(self, change: impl FnOnce(&mut kernel::Permissions)) -> Result<()> {
        let mut status = sys::set_status(self.0)?;
        change(&mut status.permissions);
        sys::set_permissions(self.0, &status)
    }
}

/// The permissions as `semget` takes them among its flags.
#[inline]
fn flags(mode: Mode) -> i32 {
    i32::try_from(mode.as_raw_mode() & 0o777).unwrap_or_default()
}
