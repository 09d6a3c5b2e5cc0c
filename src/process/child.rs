use rustix::event::PollFlags;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::ExitStatus;
use crate::{Deadline, Errno, Result, wait};

/// A child process, held by a pidfd.
///
/// The descriptor is close-on-exec and becomes readable, for `poll` and its kin, when the child has
/// ended.
///
/// Dropping it closes the descriptor and does nothing to the process, which goes on if it still
/// runs. **A child that was never waited for stays as a zombie** when it ends, until this process
/// ends too: wait for it, or have the kernel reap all children by ignoring `SIGCHLD`.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use rawipc::process::{self, Signal};
/// use rawipc::{Deadline, Errno, pipe::Pipe};
///
/// let Pipe { reader, writer: _writer } = Pipe::new()?;
/// // SAFETY: the child makes one system call, which never returns, as both have the writer open.
/// let mut child = unsafe { process::spawn(|| reader.read(&mut [0]).is_ok().into())? };
///
/// assert_eq!(child.try_wait()?, None);
/// assert_eq!(child.wait_until(Deadline::after(Duration::from_millis(5))), Err(Errno::TIMEDOUT));
/// child.kill(Signal::TERM)?;
/// assert!(child.wait()?.is_killed_by(Signal::TERM));
/// # Ok::<(), Errno>(())
/// ```
///
/// # References
///
/// - [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html)
#[derive(Debug)]
pub struct Child {
    pidfd: OwnedFd,
    pid: Pid,
    /// How it ended, once it has been reaped: the kernel tells only once.
    status: Option<ExitStatus>,
}

impl Child {
    #[inline]
    pub(super) const fn new(pid: Pid, pidfd: OwnedFd) -> Self {
        Self { pidfd, pid, status: None }
    }

    /// The child's pid. Once it has been waited for, another process may bear that number.
    #[must_use]
    #[inline]
    pub const fn id(&self) -> Pid {
        self.pid
    }

    /// `waitid`: sleeps until the child has ended, reaps it, and says how it ended.
    ///
    /// Asked again, it says the same.
    ///
    /// # Errors
    ///
    /// [`Errno::INTR`] if a signal handler ran meanwhile; [`Errno::CHILD`] if somebody else has
    /// reaped it, or nobody could, as `SIGCHLD` is ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::process::{self, ExitStatus};
    ///
    /// // SAFETY: the child only exits.
    /// let mut child = unsafe { process::spawn(|| 3)? };
    /// assert_eq!(child.wait()?, ExitStatus::Exited(3));
    /// assert_eq!(child.wait()?, ExitStatus::Exited(3));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [waitid(2)](https://man7.org/linux/man-pages/man2/waitid.2.html)
    #[doc(alias = "waitid")]
    #[doc(alias = "waitpid")]
    #[inline]
    pub fn wait(&mut self) -> Result<ExitStatus> {
        // Without NOHANG, the answer is never "not yet".
        self.reap(WaitIdOptions::EXITED)?.ok_or(Errno::CHILD)
    }

    /// As [`wait`](Self::wait), but never sleeps: `None` while the child runs.
    ///
    /// # Errors
    ///
    /// [`Errno::CHILD`] if somebody else has reaped it, or nobody could, as `SIGCHLD` is ignored.
    ///
    /// # Examples
    ///
    /// See [`Child`].
    #[inline]
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.reap(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    /// As [`wait`](Self::wait), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`Errno::TIMEDOUT`] if the child still runs by then; [`Errno::INTR`] and [`Errno::CHILD`] as
    /// `wait`.
    ///
    /// # Examples
    ///
    /// See [`Child`].
    pub fn wait_until(&mut self, by: Deadline) -> Result<ExitStatus> {
        loop {
            match self.try_wait()? {
                Some(status) => return Ok(status),
                None => wait::ready(self.as_fd(), PollFlags::IN, by)?,
            }
        }
    }

    /// `pidfd_send_signal`: sends a signal to the child, and never to another process that has come
    /// to bear its pid.
    ///
    /// # Errors
    ///
    /// [`Errno::SRCH`] if the child has been reaped; [`Errno::PERM`] if it has changed to a user
    /// that this one may not signal.
    ///
    /// # Examples
    ///
    /// See [`Child`].
    ///
    /// # References
    ///
    /// - [pidfd_send_signal(2)](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html)
    #[doc(alias = "pidfd_send_signal")]
    #[inline]
    pub fn kill(&self, signal: Signal) -> Result<()> {
        pidfd_send_signal(&self.pidfd, signal)
    }

    #[inline]
    fn reap(&mut self, how: WaitIdOptions) -> Result<Option<ExitStatus>> {
        if self.status.is_none() {
            let ended = waitid(WaitId::PidFd(self.pidfd.as_fd()), how)?;
            self.status = ended.as_ref().map(ExitStatus::from_waitid);
        }
        Ok(self.status)
    }
}

impl AsFd for Child {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl AsRawFd for Child {
    fn as_raw_fd(&self) -> RawFd {
        self.pidfd.as_raw_fd()
    }
}

/// The pidfd alone; the child can still be waited for through it.
impl From<Child> for OwnedFd {
    #[inline]
    fn from(child: Child) -> Self {
        child.pidfd
    }
}

static_assertions::assert_impl_all!(Child: Send, Sync);
