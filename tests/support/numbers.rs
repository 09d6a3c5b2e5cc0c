//! The numbers of System V's calls. 32-bit x86 and s390x have had them as calls of their own only
//! since Linux 5.1, and `libc` not.

use libc::c_long;

#[cfg(not(any(target_arch = "x86", target_arch = "s390x")))]
mod of_the_call {
    use libc::c_long;

    pub(crate) const SEMGET: c_long = libc::SYS_semget;
    pub(crate) const SEMCTL: c_long = libc::SYS_semctl;
    pub(crate) const SHMGET: c_long = libc::SYS_shmget;
    pub(crate) const SHMCTL: c_long = libc::SYS_shmctl;
    pub(crate) const MSGSND: c_long = libc::SYS_msgsnd;
    pub(crate) const MSGRCV: c_long = libc::SYS_msgrcv;
}

#[cfg(any(target_arch = "x86", target_arch = "s390x"))]
mod of_the_call {
    use libc::c_long;

    pub(crate) const SEMGET: c_long = 393;
    pub(crate) const SEMCTL: c_long = 394;
    pub(crate) const SHMGET: c_long = 395;
    pub(crate) const SHMCTL: c_long = 396;
    pub(crate) const MSGSND: c_long = 400;
    pub(crate) const MSGRCV: c_long = 401;
}

#[allow(unused_imports, reason = "each test file uses its own part")]
pub(crate) use of_the_call::*;

#[cfg(all(target_pointer_width = "64", not(target_arch = "s390x")))]
pub(crate) const SEMTIMEDOP: c_long = libc::SYS_semtimedop;
#[cfg(target_arch = "s390x")]
pub(crate) const SEMTIMEDOP: c_long = 392;
#[cfg(target_pointer_width = "32")]
pub(crate) const SEMTIMEDOP: c_long = 420;

/// By which `SemSet::open` sleeps between one look and the next.
#[cfg(target_arch = "x86_64")]
pub(crate) const POLL: &[c_long] = &[libc::SYS_poll, libc::SYS_ppoll];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const POLL: &[c_long] = &[libc::SYS_ppoll];
