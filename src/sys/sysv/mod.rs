//! System V message queues, semaphore sets and segments: `msgget`, `semget`, `shmget` and kin. Here
//! what they have in common.

#![allow(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "words are words here")]

pub(crate) mod msg;
pub(crate) mod sem;
pub(crate) mod shm;

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

/// Asks for the structures here rather than those of before 1995, where both are understood.
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
    #[inline]
    pub(crate) fn mode(&self) -> u32 {
        u32::from(self.mode) & 0o777
    }

    /// Whether that bit of a segment's is set, which stands beside the nine.
    #[allow(clippy::useless_conversion, reason = "a conversion on 32-bit x86 and Arm")]
    #[inline]
    pub(crate) fn is_set(&self, bit: u32) -> bool {
        u32::from(self.mode) & bit != 0
    }

    #[inline]
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
    #[inline]
    pub(crate) fn get(self) -> i64 {
        #[cfg(target_pointer_width = "64")]
        let seconds = self.low as u64;
        #[cfg(target_pointer_width = "32")]
        let seconds = (self.high as u64) << 32 | self.low as u64;
        seconds as i64
    }
}

/// An `int` as an argument.
#[inline]
fn int(value: i32) -> usize {
    value as usize
}

/// An identifier as it is returned: never negative.
#[inline]
fn id(returned: usize) -> i32 {
    returned as i32
}
