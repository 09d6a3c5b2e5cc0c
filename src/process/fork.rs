#![allow(unsafe_code, reason = "fork is unsafe to call; see SAFETY.md")]

use super::Child;
#[cfg(doc)]
use crate::Errno;
use crate::Result;
use crate::sys::process::{self as sys, Forked};

/// On which side of a [`fork()`] one is.
#[derive(Debug)]
pub enum Fork {
    /// In the process that called; holds the new one.
    Parent(Child),
    /// In the new process.
    Child,
}

/// `fork`: goes on twice, as parent and as child.
///
/// The child is a copy: of the memory (shared mappings stay shared), of the calling thread and no
/// other, and of all open descriptors, close-on-exec ones too. To run a function in a child and be
/// sure that the child ends there, use [`spawn`].
///
/// # Errors
///
/// [`Errno::AGAIN`] at the limit of processes; [`Errno::MFILE`] at the limit of descriptors. With
/// the feature `std`, two cases are left in which the child has begun to run although there is an
/// error: another thread took the last descriptor meanwhile (`MFILE`; the child was killed and
/// reaped), or the child has ended already and was reaped by somebody else, or by the kernel as
/// `SIGCHLD` is ignored ([`Errno::SRCH`]).
///
/// # Safety
///
/// - If this process has other threads, the child does only what is async-signal-safe: see the
///   [module](crate::process).
/// - Without the feature `std`, this is a bare `clone`: if the process has a C library all the
///   same, the child calls nothing of it.
/// - What was exclusively one owner's and can be reached from both processes has two owners now: a
///   guard of a lock in shared memory, a `&mut` into a shared mapping. One of the two processes
///   never uses or drops its copy.
/// - If the child is in another PID namespace (after `unshare`), the two share no
///   [`ReentrantMutex`](crate::sync::ReentrantMutex), which tells threads apart by their numbers.
///
/// # Examples
///
/// ```
/// use rawipc::process::{self, ExitStatus, Fork};
///
/// // SAFETY: the child only exits.
/// match unsafe { process::fork()? } {
///     Fork::Child => process::exit(7),
///     Fork::Parent(mut child) => assert_eq!(child.wait()?, ExitStatus::Exited(7)),
/// }
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// # References
///
/// - [fork(2)](https://man7.org/linux/man-pages/man2/fork.2.html)
/// - [clone(2)](https://man7.org/linux/man-pages/man2/clone.2.html)
#[doc(alias = "clone")]
#[inline]
pub unsafe fn fork() -> Result<Fork> {
    // SAFETY: the caller's promise, passed on.
    Ok(match unsafe { sys::fork()? } {
        Forked::Parent { child, pidfd } => Fork::Parent(Child::new(child, pidfd)),
        Forked::Child => Fork::Child,
    })
}

/// Forks a child that runs `task` and exits with the code that it returns.
///
/// Whatever `task` does, the child ends there, without running the parent's `atexit` handlers and
/// without unwinding into what the parent's callers own. Where panics unwind, a panic ends it with
/// 101, after the panic's message; that is printed by whatever hook is set, which is not
/// async-signal-safe.
///
/// What `task` has captured by value is dropped in both: in the parent at once, in the child at the
/// end of `task`. So a descriptor moved into it is open in the child only: what a pipe needs, whose
/// writer must be closed in the reading process for the end of file to arrive. Something whose drop
/// has an effect outside of the process, such as a temporary directory, is better lent.
///
/// # Errors
///
/// As [`fork()`].
///
/// # Safety
///
/// As [`fork()`], for all that `task` does and can reach.
///
/// # Examples
///
/// ```
/// use rawipc::{pipe::Pipe, process};
///
/// let Pipe { reader, writer } = Pipe::new()?;
/// let task = move || match writer.write(b"from the child") {
///     Ok(14) => 0,
///     _ => 1,
/// };
/// // SAFETY: the child makes one system call and exits; nothing is owned twice.
/// let mut child = unsafe { process::spawn(task)? };
///
/// let mut buffer = [0; 32];
/// assert_eq!(reader.read(&mut buffer)?, b"from the child");
/// assert_eq!(reader.read(&mut buffer)?, b"", "the parent's own copy of the writer is closed");
/// assert!(child.wait()?.success());
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// # References
///
/// - [fork(2)](https://man7.org/linux/man-pages/man2/fork.2.html)
/// - [_exit(2)](https://man7.org/linux/man-pages/man2/_exit.2.html)
pub unsafe fn spawn(task: impl FnOnce() -> u8) -> Result<Child> {
    // SAFETY: the caller's promise, passed on.
    match unsafe { fork()? } {
        Fork::Parent(child) => Ok(child),
        Fork::Child => {
            let _never_unwinds_out = ExitOnUnwind;
            exit(task())
        }
    }
}

/// `_exit`: ends this process with `code`, at once.
///
/// No destructor, no `atexit` handler, no flush of buffered output: what the child of a [`fork()`]
/// must use, as those belong to the parent. Every thread of the process ends.
///
/// # Examples
///
/// See [`fork()`].
///
/// # References
///
/// - [_exit(2)](https://man7.org/linux/man-pages/man2/_exit.2.html)
#[doc(alias = "_exit")]
#[doc(alias = "exit_group")]
#[inline]
pub fn exit(code: u8) -> ! {
    sys::exit(code)
}

/// What Rust's own runtime exits with after a panic.
const PANICKED: u8 = 101;

/// Keeps a panic in the child from unwinding into what the child only has as a copy.
struct ExitOnUnwind;

impl Drop for ExitOnUnwind {
    fn drop(&mut self) {
        exit(PANICKED)
    }
}
