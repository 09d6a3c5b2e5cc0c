//! Segments: `shmget`, `shmat`, `shmdt`, `shmctl`.

use super::{IPC_64, Permissions, Seconds, id, int, numbers};
use crate::Result;
use crate::sys::arch::syscall;
use crate::sys::decode;

/// `struct shmid64_ds`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct SegmentStatus {
    pub(crate) permissions: Permissions,
    #[cfg(not(any(target_arch = "powerpc64", target_arch = "sparc64")))]
    pub(crate) bytes: usize,
    pub(crate) attach_time: Seconds,
    pub(crate) detach_time: Seconds,
    pub(crate) change_time: Seconds,
    #[cfg(any(target_arch = "powerpc64", target_arch = "sparc64"))]
    pub(crate) bytes: usize,
    pub(crate) creator: i32,
    pub(crate) last_operator: i32,
    pub(crate) attached: usize,
    unused: [usize; 2],
}
#[cfg(target_env = "gnu")]
static_assertions::assert_eq_size!(SegmentStatus, libc::shmid_ds);
// Mappings are as long as this field says.
#[cfg(target_env = "gnu")]
static_assertions::const_assert_eq!(
    core::mem::offset_of!(SegmentStatus, bytes),
    core::mem::offset_of!(libc::shmid_ds, shm_segsz)
);

/// In the mode of a segment that goes with its last mapping; `libc` has not got it.
pub(crate) const SHM_DEST: u32 = 0o1000;

/// In the mode of a segment that is kept in memory; `libc` has not got it.
pub(crate) const SHM_LOCKED: u32 = 0o2000;

#[doc(alias = "shmget")]
#[inline]
pub(crate) fn get_segment(key: i32, length: usize, flags: i32) -> Result<i32> {
    // SAFETY: takes integers only.
    let returned = unsafe { syscall(numbers::SHMGET, [int(key), length, int(flags), 0, 0, 0]) };
    decode(returned).map(id)
}

/// Attaches a segment at an address of the kernel's choice, which is returned.
#[doc(alias = "shmat")]
#[inline]
pub(crate) fn attach(segment: i32, flags: i32) -> Result<*mut u8> {
    // SAFETY: where the kernel chooses the address, no mapping is replaced.
    let returned = unsafe { syscall(numbers::SHMAT, [int(segment), 0, int(flags), 0, 0, 0]) };
    decode(returned).map(core::ptr::with_exposed_provenance_mut)
}

/// Detaches the segment that was attached at `start`.
///
/// # Safety
///
/// It was, and nothing behind these addresses is used any more.
#[doc(alias = "shmdt")]
#[inline]
pub(crate) unsafe fn detach(start: *mut u8) -> Result<()> {
    // SAFETY: the caller's promise, passed on.
    let returned = unsafe { syscall(numbers::SHMDT, [start.expose_provenance(), 0, 0, 0, 0, 0]) };
    decode(returned).map(drop)
}

#[doc(alias = "shmctl")]
#[inline]
pub(crate) fn segment_status(segment: i32) -> Result<SegmentStatus> {
    let mut status = SegmentStatus::default();
    let to = (&raw mut status).expose_provenance();
    let arguments = [int(segment), int(libc::IPC_STAT | IPC_64), to, 0, 0, 0];
    // SAFETY: the status is exclusive for the length of the call, and of the layout it writes.
    let returned = unsafe { syscall(numbers::SHMCTL, arguments) };
    decode(returned)?;
    Ok(status)
}

#[doc(alias = "shmctl")]
#[inline]
pub(crate) fn set_segment(segment: i32, status: &SegmentStatus) -> Result<()> {
    let from = core::ptr::from_ref(status).expose_provenance();
    let arguments = [int(segment), int(libc::IPC_SET | IPC_64), from, 0, 0, 0];
    // SAFETY: the status is borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(numbers::SHMCTL, arguments) };
    decode(returned).map(drop)
}

/// One of the commands that take nothing: `IPC_RMID`, `SHM_LOCK`, `SHM_UNLOCK`.
#[doc(alias = "shmctl")]
#[inline]
pub(crate) fn control_segment(segment: i32, command: i32) -> Result<()> {
    let arguments = [int(segment), int(command | IPC_64), 0, 0, 0, 0];
    // SAFETY: the callers' commands take integers only.
    let returned = unsafe { syscall(numbers::SHMCTL, arguments) };
    decode(returned).map(drop)
}
