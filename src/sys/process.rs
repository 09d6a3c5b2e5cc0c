//! fork and _exit.

use rustix::fd::OwnedFd;
use rustix::process::Pid;

use super::arch::syscall;
use super::number;
use crate::Result;

/// On which side of the fork one is.
pub(crate) enum Forked {
    Parent { child: Pid, pidfd: OwnedFd },
    Child,
}

/// Forks.
///
/// # Safety
///
/// In the child only what is async-signal-safe may be done, if the calling process has other
/// threads; and what both processes can reach (shared memory, descriptors) is owned by only one.
#[inline]
pub(crate) unsafe fn fork() -> Result<Forked> {
    // SAFETY: the caller's promise, passed on.
    unsafe { imp::fork() }
}

/// Ends this process at once: no destructor, no `atexit` handler, no flush.
#[doc(alias = "_exit")]
#[doc(alias = "exit_group")]
#[inline]
pub(crate) fn exit(code: u8) -> ! {
    loop {
        // SAFETY: takes an integer and does not return.
        unsafe { syscall(number(libc::SYS_exit_group), [code.into(), 0, 0, 0, 0, 0]) };
    }
}

/// Through the C library, which runs the atfork handlers and renews what it knows of the thread.
#[cfg(feature = "std")]
mod imp {
    use rustix::process::{
        PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, kill_process, pidfd_open, waitid,
    };

    use super::{Forked, Pid, Result};
    use crate::Errno;

    #[inline]
    pub(super) unsafe fn fork() -> Result<Forked> {
        // Keeps a place for the child's pidfd, so that there is no child where there is none.
        let place = pidfd_open(getpid(), PidfdFlags::empty())?;
        // SAFETY: the caller's promise, passed on.
        let forked = unsafe { libc::fork() };
        drop(place);
        if forked == 0 {
            return Ok(Forked::Child);
        }
        let Some(child) = Pid::from_raw(forked.max(0)) else {
            let error = std::io::Error::last_os_error();
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN));
        };
        match pidfd_open(child, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Forked::Parent { child, pidfd }),
            Err(errno) => {
                undo(child);
                Err(errno)
            }
        }
    }

    /// Ends and reaps a child that cannot be held, as another thread was faster to take the place.
    fn undo(child: Pid) {
        // If it has been reaped (where SIGCHLD is ignored, at its end), its pid may be another's.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        if waitid(WaitId::Pid(child), look).is_ok() {
            let _ended_already = kill_process(child, Signal::KILL);
            while let Err(Errno::INTR) = waitid(WaitId::Pid(child), WaitIdOptions::EXITED) {}
        }
    }
}

/// By `clone`, in a process that has no C library. The pidfd comes with the child, or neither does.
///
/// Not by `clone3`, which could do no more here, and which container runtimes and emulators refuse.
#[cfg(not(feature = "std"))]
mod imp {
    use rustix::fd::FromRawFd as _;

    use super::{Forked, OwnedFd, Pid, Result, number, syscall};
    use crate::sys::decode;

    #[inline]
    pub(super) unsafe fn fork() -> Result<Forked> {
        let mut pidfd = -1_i32;
        let flags = (libc::CLONE_PIDFD | libc::SIGCHLD).unsigned_abs() as usize;
        let to = (&raw mut pidfd).expose_provenance();
        #[cfg(not(target_arch = "s390x"))]
        let arguments = [flags, 0, to, 0, 0, 0];
        #[cfg(target_arch = "s390x")]
        let arguments = [0, flags, to, 0, 0, 0];
        // SAFETY: `pidfd` is writable for the length of the call. No stack and no shared memory are
        // asked for: the child goes on with a copy of everything, as the caller expects of fork.
        let returned = unsafe { syscall(number(libc::SYS_clone), arguments) };
        let returned = i32::try_from(decode(returned)?).unwrap_or_default();
        let Some(child) = Pid::from_raw(returned) else {
            return Ok(Forked::Child);
        };
        // SAFETY: the kernel has just opened it for us, and told nobody else; since Linux 5.2 it
        // does so whenever it succeeds.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
        Ok(Forked::Parent { child, pidfd })
    }
}
