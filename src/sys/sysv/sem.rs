//! Semaphore sets: `semget`, `semtimedop`, `semctl`.

use rustix::event::Timespec;

use super::{IPC_64, Permissions, Seconds, id, int, numbers};
use crate::sys::arch::syscall;
use crate::sys::decode;
use crate::{Errno, Result};

/// `struct semid64_ds`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct SetStatus {
    pub(crate) permissions: Permissions,
    pub(crate) operation_time: Seconds,
    #[cfg(target_arch = "x86_64")]
    operation_time_unused: usize,
    pub(crate) change_time: Seconds,
    #[cfg(target_arch = "x86_64")]
    change_time_unused: usize,
    pub(crate) semaphores: usize,
    unused: [usize; 2],
}
#[cfg(target_env = "gnu")]
static_assertions::assert_eq_size!(SetStatus, libc::semid_ds);

/// One change to one semaphore, to be made together with others (`struct sembuf`).
///
/// # Examples
///
/// See [`SemSet`](crate::sysv::SemSet).
#[doc(alias = "sembuf")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Operation {
    pub(crate) index: u16,
    pub(crate) change: i16,
    pub(crate) flags: i16,
}
static_assertions::assert_eq_size!(Operation, [u16; 3]);

#[doc(alias = "semget")]
#[inline]
pub(crate) fn get_set(key: i32, semaphores: usize, flags: i32) -> Result<i32> {
    // The kernel takes an int, and would not look at the rest.
    let semaphores = i32::try_from(semaphores).map_err(|_| Errno::INVAL)?;
    let arguments = [int(key), int(semaphores), int(flags), 0, 0, 0];
    // SAFETY: takes integers only.
    let returned = unsafe { syscall(numbers::SEMGET, arguments) };
    decode(returned).map(id)
}

/// With a timeout, `AGAIN` when it is over.
#[doc(alias = "semtimedop")]
#[inline]
pub(crate) fn operate(
    set: i32,
    operations: &[Operation],
    timeout: Option<&Timespec>,
) -> Result<()> {
    // The kernel takes an unsigned int, and would not look at the rest.
    let count = u32::try_from(operations.len()).map_err(|_| Errno::TOOBIG)?;
    let arguments = [
        int(set),
        operations.as_ptr().expose_provenance(),
        count as usize,
        timeout.map_or(core::ptr::null(), core::ptr::from_ref).expose_provenance(),
        0,
        0,
    ];
    // SAFETY: operations and timeout are borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(numbers::SEMTIMEDOP, arguments) };
    decode(returned).map(drop)
}

/// One of the commands that take an integer, or nothing, and return an integer.
#[doc(alias = "semctl")]
#[inline]
pub(crate) fn control(set: i32, index: usize, command: i32, value: i32) -> Result<usize> {
    let arguments = [int(set), index, int(command | IPC_64), int(value), 0, 0];
    // SAFETY: the callers' commands (GETVAL, SETVAL, GETPID, GETNCNT, GETZCNT, IPC_RMID) take
    // integers only.
    let returned = unsafe { syscall(numbers::SEMCTL, arguments) };
    decode(returned)
}

/// All values of a set, into exactly as many places as it has semaphores, else `INVAL`.
#[doc(alias = "GETALL")]
#[inline]
pub(crate) fn get_all(set: i32, values: &mut [u16]) -> Result<()> {
    has_exactly(set, values.len())?;
    let to = values.as_mut_ptr().expose_provenance();
    let arguments = [int(set), 0, int(libc::GETALL | IPC_64), to, 0, 0];
    // SAFETY: the places are exclusive for the length of the call, and enough, as just asked.
    let returned = unsafe { syscall(numbers::SEMCTL, arguments) };
    decode(returned).map(drop)
}

/// Sets all values of a set, from exactly as many as it has semaphores, else `INVAL`.
#[doc(alias = "SETALL")]
#[inline]
pub(crate) fn set_all(set: i32, values: &[u16]) -> Result<()> {
    has_exactly(set, values.len())?;
    let from = values.as_ptr().expose_provenance();
    let arguments = [int(set), 0, int(libc::SETALL | IPC_64), from, 0, 0];
    // SAFETY: the values are borrowed for the length of the call, which only reads them, and they
    // are enough, as just asked.
    let returned = unsafe { syscall(numbers::SEMCTL, arguments) };
    decode(returned).map(drop)
}

/// Whether a set has so many semaphores. The two calls that need it are not told how many places
/// there are.
///
/// The answer stays true: a set never changes how many it has, and the kernel gives its identifier
/// to no other before it has given out millions, which takes it seconds (a sequence number of 16
/// bits, counted up each time that the lower 15 bits have gone round).
fn has_exactly(set: i32, semaphores: usize) -> Result<()> {
    match set_status(set)?.semaphores {
        it_has if it_has == semaphores => Ok(()),
        _ => Err(Errno::INVAL),
    }
}

#[doc(alias = "semctl")]
#[inline]
pub(crate) fn set_status(set: i32) -> Result<SetStatus> {
    let mut status = SetStatus::default();
    let to = (&raw mut status).expose_provenance();
    let arguments = [int(set), 0, int(libc::IPC_STAT | IPC_64), to, 0, 0];
    // SAFETY: the status is exclusive for the length of the call, and of the layout it writes.
    let returned = unsafe { syscall(numbers::SEMCTL, arguments) };
    decode(returned)?;
    Ok(status)
}

#[doc(alias = "semctl")]
#[inline]
pub(crate) fn set_permissions(set: i32, status: &SetStatus) -> Result<()> {
    let from = core::ptr::from_ref(status).expose_provenance();
    let arguments = [int(set), 0, int(libc::IPC_SET | IPC_64), from, 0, 0];
    // SAFETY: the status is borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(numbers::SEMCTL, arguments) };
    decode(returned).map(drop)
}
