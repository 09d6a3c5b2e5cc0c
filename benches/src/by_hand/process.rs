use std::io::Result;
use std::os::fd::{AsRawFd, OwnedFd};

use super::{done, number, own};

/// The child's pid; zero in the child.
///
/// # Safety
///
/// In the child, nothing that both processes own is used or dropped.
pub(crate) unsafe fn fork() -> Result<i32> {
    // SAFETY: the caller's promise, passed on.
    number(unsafe { libc::fork() })
}

pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: takes an integer and does not return.
    unsafe { libc::_exit(code) }
}

pub(crate) fn id() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

/// waitpid, until the child has ended.
pub(crate) fn wait(child: i32) -> Result<i32> {
    let mut status = 0;
    // SAFETY: room for the status, exclusively borrowed.
    number(unsafe { libc::waitpid(child, &raw mut status, 0) })?;
    Ok(status)
}

pub(crate) fn pidfd_open(pid: i32) -> Result<OwnedFd> {
    // SAFETY: takes integers only.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let opened = number(i32::try_from(opened).unwrap_or(-1))?;
    // SAFETY: the kernel has just opened it, for us alone.
    Ok(unsafe { own(opened) })
}

/// waitid on a pidfd: the exit code, if the child has ended.
pub(crate) fn reap(pidfd: &impl AsRawFd, options: i32) -> Result<Option<i32>> {
    // SAFETY: all zero is a valid siginfo; it is also how "not yet" is told.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let id = pidfd.as_raw_fd().unsigned_abs();
    // SAFETY: room for the answer, exclusively borrowed.
    done(unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, libc::WEXITED | options) })?;
    if info.si_signo == 0 {
        return Ok(None);
    }
    // SAFETY: waitid has filled in what it tells of a child.
    Ok(Some(unsafe { info.si_status() }))
}

pub(crate) fn kill(pidfd: &impl AsRawFd, signal: i32) -> Result<()> {
    let (number, pidfd) = (libc::SYS_pidfd_send_signal, pidfd.as_raw_fd());
    // SAFETY: without information along, it takes integers only.
    let returned = unsafe { libc::syscall(number, pidfd, signal, core::ptr::null::<u8>(), 0) };
    done(i32::try_from(returned).unwrap_or(-1))
}
