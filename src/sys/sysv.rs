//! System V message queues, semaphore sets and segments: `msgget`, `semget`, `shmget` and kin.

#![allow(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "words are words here")]

use core::ffi::c_long;
use core::mem::MaybeUninit;

use rustix::event::Timespec;

use super::arch::syscall;
use super::decode;
use crate::buffer::assume_filled;
use crate::{Errno, Result};

/// The calls' numbers. 32-bit x86 and s390x have had them as calls of their own only since Linux
/// 5.1, and `libc` not on every C library.
mod numbers {
    #[cfg(not(any(target_arch = "x86", target_arch = "s390x")))]
    mod of {
        use crate::sys::number;

        pub(in super::super) const SEMGET: usize = number(libc::SYS_semget);
        pub(in super::super) const SEMCTL: usize = number(libc::SYS_semctl);
        pub(in super::super) const MSGGET: usize = number(libc::SYS_msgget);
        pub(in super::super) const MSGSND: usize = number(libc::SYS_msgsnd);
        pub(in super::super) const MSGRCV: usize = number(libc::SYS_msgrcv);
        pub(in super::super) const MSGCTL: usize = number(libc::SYS_msgctl);
        pub(in super::super) const SHMGET: usize = number(libc::SYS_shmget);
        pub(in super::super) const SHMCTL: usize = number(libc::SYS_shmctl);
        pub(in super::super) const SHMAT: usize = number(libc::SYS_shmat);
        pub(in super::super) const SHMDT: usize = number(libc::SYS_shmdt);
    }
    #[cfg(any(target_arch = "x86", target_arch = "s390x"))]
    mod of {
        pub(in super::super) const SEMGET: usize = 393;
        pub(in super::super) const SEMCTL: usize = 394;
        pub(in super::super) const MSGGET: usize = 399;
        pub(in super::super) const MSGSND: usize = 400;
        pub(in super::super) const MSGRCV: usize = 401;
        pub(in super::super) const MSGCTL: usize = 402;
        pub(in super::super) const SHMGET: usize = 395;
        pub(in super::super) const SHMCTL: usize = 396;
        pub(in super::super) const SHMAT: usize = 397;
        pub(in super::super) const SHMDT: usize = 398;
    }
    pub(super) use of::*;

    #[cfg(all(target_pointer_width = "64", not(target_arch = "s390x")))]
    pub(super) const SEMTIMEDOP: usize = crate::sys::number(libc::SYS_semtimedop);
    #[cfg(target_arch = "s390x")]
    pub(super) const SEMTIMEDOP: usize = 392;
    /// With times of 64 bits, and the same number on every 32-bit architecture.
    #[cfg(target_pointer_width = "32")]
    pub(super) const SEMTIMEDOP: usize = 420;
}

/// Asks for the structures below rather than those of before 1995, where both are understood.
#[cfg(target_arch = "arm")]
const IPC_64: i32 = 0x100;
#[cfg(not(target_arch = "arm"))]
const IPC_64: i32 = 0;

/// `struct ipc64_perm`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Permissions {
    pub(crate) key: i32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) creator_uid: u32,
    pub(crate) creator_gid: u32,
    #[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
    pub(crate) mode: u32,
    #[cfg(any(target_arch = "x86", target_arch = "arm"))]
    pub(crate) mode: u16,
    #[cfg(any(target_arch = "x86", target_arch = "arm"))]
    mode_padding: u16,
    sequence: u16,
    padding: u16,
    unused: [usize; 2],
}
#[cfg(target_env = "gnu")]
static_assertions::assert_eq_size!(Permissions, libc::ipc_perm);

impl Permissions {
    /// The nine bits of permission, of a field that is 16 bits wide here and 32 there.
    #[allow(clippy::useless_conversion, reason = "a conversion on 32-bit x86 and Arm")]
    pub(crate) fn mode(&self) -> u32 {
        u32::from(self.mode) & 0o777
    }

    /// Whether that bit of a segment's is set, which stands beside the nine.
    #[allow(clippy::useless_conversion, reason = "a conversion on 32-bit x86 and Arm")]
    pub(crate) fn is_set(&self, bit: u32) -> bool {
        u32::from(self.mode) & bit != 0
    }

    pub(crate) fn set_mode(&mut self, mode: u32) {
        #[allow(clippy::cast_possible_truncation, reason = "nine bits, and no cast on most")]
        {
            self.mode = (mode & 0o777) as _;
        }
    }
}

/// A time in seconds: one word of 64 bits, or the low and the high of two words.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Seconds {
    low: usize,
    #[cfg(target_pointer_width = "32")]
    high: usize,
}

impl Seconds {
    pub(crate) fn get(self) -> i64 {
        #[cfg(target_pointer_width = "64")]
        let seconds = self.low as u64;
        #[cfg(target_pointer_width = "32")]
        let seconds = (self.high as u64) << 32 | self.low as u64;
        seconds as i64
    }
}

/// `struct msqid64_ds`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct QueueStatus {
    pub(crate) permissions: Permissions,
    pub(crate) send_time: Seconds,
    pub(crate) receive_time: Seconds,
    pub(crate) change_time: Seconds,
    pub(crate) bytes: usize,
    pub(crate) messages: usize,
    pub(crate) max_bytes: usize,
    pub(crate) last_sender: i32,
    pub(crate) last_receiver: i32,
    unused: [usize; 2],
}
#[cfg(target_env = "gnu")]
static_assertions::assert_eq_size!(QueueStatus, libc::msqid_ds);

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

#[doc(alias = "msgget")]
pub(crate) fn get_queue(key: i32, flags: i32) -> Result<i32> {
    // SAFETY: takes integers only.
    let returned = unsafe { syscall(numbers::MSGGET, [int(key), int(flags), 0, 0, 0, 0]) };
    decode(returned).map(id)
}

/// Sends what stands in `frame`: the type, in as many bytes as a word has, and behind it the text.
#[doc(alias = "msgsnd")]
pub(crate) fn send(queue: i32, frame: &[u8], flags: i32) -> Result<()> {
    let text = frame.len().checked_sub(size_of::<c_long>()).ok_or(Errno::INVAL)?;
    let arguments = [int(queue), frame.as_ptr().expose_provenance(), text, int(flags), 0, 0];
    // SAFETY: the frame is borrowed for the length of the call, and only read by it: a word, and as
    // many bytes of text as follow it.
    let returned = unsafe { syscall(numbers::MSGSND, arguments) };
    decode(returned).map(drop)
}

/// Receives type and text into `space`; returns the part of it that they fill.
#[doc(alias = "msgrcv")]
pub(crate) fn receive(
    queue: i32,
    space: &mut [MaybeUninit<u8>],
    which: c_long,
    flags: i32,
) -> Result<&mut [u8]> {
    let text = space.len().checked_sub(size_of::<c_long>()).ok_or(Errno::INVAL)?;
    let arguments =
        [int(queue), space.as_mut_ptr().expose_provenance(), text, which as usize, int(flags), 0];
    // SAFETY: the space is borrowed exclusively for the length of the call, which writes a word and
    // at most as many bytes of text as follow it.
    let returned = unsafe { syscall(numbers::MSGRCV, arguments) };
    let received = decode(returned)?.saturating_add(size_of::<c_long>());
    // SAFETY: the kernel has initialised the word and that many bytes behind it.
    Ok(unsafe { assume_filled(space, received) })
}

#[doc(alias = "msgctl")]
pub(crate) fn queue_status(queue: i32) -> Result<QueueStatus> {
    let mut status = QueueStatus::default();
    let to = (&raw mut status).expose_provenance();
    let arguments = [int(queue), int(libc::IPC_STAT | IPC_64), to, 0, 0, 0];
    // SAFETY: the status is exclusive for the length of the call, and of the layout it writes.
    let returned = unsafe { syscall(numbers::MSGCTL, arguments) };
    decode(returned)?;
    Ok(status)
}

#[doc(alias = "msgctl")]
pub(crate) fn set_queue(queue: i32, status: &QueueStatus) -> Result<()> {
    let from = core::ptr::from_ref(status).expose_provenance();
    let arguments = [int(queue), int(libc::IPC_SET | IPC_64), from, 0, 0, 0];
    // SAFETY: the status is borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(numbers::MSGCTL, arguments) };
    decode(returned).map(drop)
}

#[doc(alias = "msgctl")]
pub(crate) fn remove_queue(queue: i32) -> Result<()> {
    // SAFETY: takes integers only.
    let returned =
        unsafe { syscall(numbers::MSGCTL, [int(queue), int(libc::IPC_RMID | IPC_64), 0, 0, 0, 0]) };
    decode(returned).map(drop)
}

#[doc(alias = "semget")]
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
pub(crate) fn control(set: i32, index: usize, command: i32, value: i32) -> Result<usize> {
    let arguments = [int(set), index, int(command | IPC_64), int(value), 0, 0];
    // SAFETY: the callers' commands (GETVAL, SETVAL, GETPID, GETNCNT, GETZCNT, IPC_RMID) take
    // integers only.
    let returned = unsafe { syscall(numbers::SEMCTL, arguments) };
    decode(returned)
}

/// All values of a set, into exactly as many places as it has semaphores, else `INVAL`.
#[doc(alias = "GETALL")]
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
pub(crate) fn set_permissions(set: i32, status: &SetStatus) -> Result<()> {
    let from = core::ptr::from_ref(status).expose_provenance();
    let arguments = [int(set), 0, int(libc::IPC_SET | IPC_64), from, 0, 0];
    // SAFETY: the status is borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(numbers::SEMCTL, arguments) };
    decode(returned).map(drop)
}

#[doc(alias = "shmget")]
pub(crate) fn get_segment(key: i32, length: usize, flags: i32) -> Result<i32> {
    // SAFETY: takes integers only.
    let returned = unsafe { syscall(numbers::SHMGET, [int(key), length, int(flags), 0, 0, 0]) };
    decode(returned).map(id)
}

/// Attaches a segment at an address of the kernel's choice, which is returned.
#[doc(alias = "shmat")]
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
pub(crate) unsafe fn detach(start: *mut u8) -> Result<()> {
    // SAFETY: the caller's promise, passed on.
    let returned = unsafe { syscall(numbers::SHMDT, [start.expose_provenance(), 0, 0, 0, 0, 0]) };
    decode(returned).map(drop)
}

#[doc(alias = "shmctl")]
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
pub(crate) fn set_segment(segment: i32, status: &SegmentStatus) -> Result<()> {
    let from = core::ptr::from_ref(status).expose_provenance();
    let arguments = [int(segment), int(libc::IPC_SET | IPC_64), from, 0, 0, 0];
    // SAFETY: the status is borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(numbers::SHMCTL, arguments) };
    decode(returned).map(drop)
}

/// One of the commands that take nothing: `IPC_RMID`, `SHM_LOCK`, `SHM_UNLOCK`.
#[doc(alias = "shmctl")]
pub(crate) fn control_segment(segment: i32, command: i32) -> Result<()> {
    let arguments = [int(segment), int(command | IPC_64), 0, 0, 0, 0];
    // SAFETY: the callers' commands take integers only.
    let returned = unsafe { syscall(numbers::SHMCTL, arguments) };
    decode(returned).map(drop)
}

/// An `int` as an argument.
fn int(value: i32) -> usize {
    value as usize
}

/// An identifier as it is returned: never negative.
fn id(returned: usize) -> i32 {
    i32::try_from(returned).unwrap_or_default()
}
