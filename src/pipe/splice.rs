//! Moving bytes from descriptor to descriptor inside the kernel.

use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::pipe::{SpliceFlags, splice, tee};

use super::{Reader, Writer};
#[cfg(doc)]
use crate::Errno;
use crate::{Deadline, Result, wait};

impl Reader {
    /// `splice`: moves up to `len` bytes from this pipe into `to`, without copying them through
    /// user space: another pipe's writer, a file, a socket.
    ///
    /// Sleeps until there is something to move and room for it. Returns how many bytes were moved,
    /// possibly fewer than `len`: none at the end of file.
    ///
    /// # Errors
    ///
    /// [`Errno::INTR`] if a signal handler ran before anything moved; [`Errno::PIPE`] if `to` is a
    /// pipe that nobody reads; [`Errno::INVAL`] if `to` cannot be spliced to, is in append
    /// mode, or is this very pipe; [`Errno::AGAIN`] if one of the two is non-blocking and not
    /// ready; what writing to `to` gives.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::pipe::Pipe;
    ///
    /// let (upstream, downstream) = (Pipe::new()?, Pipe::new()?);
    /// upstream.writer.write(b"through two pipes")?;
    /// assert_eq!(upstream.reader.splice_to(&downstream.writer, 1 << 16)?, 17);
    /// assert_eq!(downstream.reader.read(&mut [0; 32])?, b"through two pipes");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [splice(2)](https://man7.org/linux/man-pages/man2/splice.2.html)
    #[doc(alias = "splice")]
    #[inline]
    pub fn splice_to(&self, to: impl AsFd, len: usize) -> Result<usize> {
        move_bytes(self.0.as_fd(), to.as_fd(), len, SpliceFlags::empty())
    }

    /// As [`splice_to`](Self::splice_to), but does not sleep for a pipe (`SPLICE_F_NONBLOCK`).
    ///
    /// Whether it sleeps for a `to` of another kind, a socket say, is for that descriptor's own
    /// flags.
    ///
    /// # Errors
    ///
    /// As `splice_to`; [`Errno::AGAIN`] if this pipe is empty, or `to` is a pipe and full.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Errno, pipe::Pipe};
    ///
    /// let (upstream, downstream) = (Pipe::new()?, Pipe::new()?);
    /// assert_eq!(upstream.reader.try_splice_to(&downstream.writer, 64), Err(Errno::AGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    #[doc(alias = "SPLICE_F_NONBLOCK")]
    #[inline]
    pub fn try_splice_to(&self, to: impl AsFd, len: usize) -> Result<usize> {
        move_bytes(self.0.as_fd(), to.as_fd(), len, SpliceFlags::NONBLOCK)
    }

    /// As [`splice_to`](Self::splice_to), but gives up at a deadline.
    ///
    /// For a `to` that is neither a pipe nor a file, this holds only if its description is
    /// non-blocking: the kernel waits for a blocking socket, say, as long as it takes.
    ///
    /// # Errors
    ///
    /// As `splice_to`; [`Errno::TIMEDOUT`] if nothing could be moved by then. `AGAIN` never.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Deadline, Errno, pipe::Pipe};
    ///
    /// let (upstream, downstream) = (Pipe::new()?, Pipe::new()?);
    /// let nothing = upstream.reader.splice_to_until(&downstream.writer, 64, Deadline::now());
    /// assert_eq!(nothing, Err(Errno::TIMEDOUT));
    /// # Ok::<(), Errno>(())
    /// ```
    #[inline]
    pub fn splice_to_until(&self, to: impl AsFd, len: usize, by: Deadline) -> Result<usize> {
        let (from, to) = (self.0.as_fd(), to.as_fd());
        both_until(from, to, by, || move_bytes(from, to, len, SpliceFlags::NONBLOCK))
    }

    /// `tee`: copies up to `len` bytes from this pipe into another and leaves them here to be read.
    ///
    /// Copies no bytes, only the kernel's references to them. Sleeps until there is something to
    /// copy and room for it. Returns how many bytes were copied, possibly fewer than `len`:
    /// none at the end of file.
    ///
    /// # Errors
    ///
    /// [`Errno::INTR`] if a signal handler ran before anything was copied; [`Errno::PIPE`] if
    /// nobody reads `to`; [`Errno::INVAL`] if it is this very pipe, or one of the two is no
    /// pipe; [`Errno::AGAIN`] if one of the two is non-blocking and not ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::pipe::Pipe;
    ///
    /// let (main, log) = (Pipe::new()?, Pipe::new()?);
    /// main.writer.write(b"seen twice")?;
    /// assert_eq!(main.reader.tee_to(&log.writer, 1 << 16)?, 10);
    /// assert_eq!(main.reader.read(&mut [0; 32])?, b"seen twice");
    /// assert_eq!(log.reader.read(&mut [0; 32])?, b"seen twice");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [tee(2)](https://man7.org/linux/man-pages/man2/tee.2.html)
    #[doc(alias = "tee")]
    #[inline]
    pub fn tee_to(&self, to: &Writer, len: usize) -> Result<usize> {
        tee(&self.0, &to.0, len, SpliceFlags::empty())
    }

    /// As [`tee_to`](Self::tee_to), but never sleeps (`SPLICE_F_NONBLOCK`).
    ///
    /// # Errors
    ///
    /// As `tee_to`; [`Errno::AGAIN`] if this pipe is empty or the other full.
    #[doc(alias = "SPLICE_F_NONBLOCK")]
    #[inline]
    pub fn try_tee_to(&self, to: &Writer, len: usize) -> Result<usize> {
        tee(&self.0, &to.0, len, SpliceFlags::NONBLOCK)
    }

    /// As [`tee_to`](Self::tee_to), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `tee_to`; [`Errno::TIMEDOUT`] if nothing could be copied by then. `AGAIN` never.
    #[inline]
    pub fn tee_to_until(&self, to: &Writer, len: usize, by: Deadline) -> Result<usize> {
        both_until(self.0.as_fd(), to.0.as_fd(), by, || self.try_tee_to(to, len))
    }
}

impl Writer {
    /// `splice`: moves up to `len` bytes from `from`, a file or socket or pipe, into this pipe,
    /// without copying them through user space. A file is read at its own position.
    ///
    /// Sleeps until there is something to move and room for it. Returns how many bytes were moved,
    /// possibly fewer than `len`: none at the end of file.
    ///
    /// # Errors
    ///
    /// [`Errno::INTR`] if a signal handler ran before anything moved; [`Errno::PIPE`] if nobody
    /// reads this pipe; [`Errno::INVAL`] if `from` cannot be spliced from, or is this very
    /// pipe; [`Errno::AGAIN`] if one of the two is non-blocking and not ready; what reading
    /// `from` gives.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::pipe::Pipe;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// let file = std::fs::File::open("Cargo.toml")?;
    /// assert_eq!(writer.splice_from(&file, 9)?, 9);
    /// assert_eq!(reader.read(&mut [0; 32])?, b"[package]");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # References
    ///
    /// - [splice(2)](https://man7.org/linux/man-pages/man2/splice.2.html)
    #[doc(alias = "splice")]
    #[inline]
    pub fn splice_from(&self, from: impl AsFd, len: usize) -> Result<usize> {
        move_bytes(from.as_fd(), self.0.as_fd(), len, SpliceFlags::empty())
    }

    /// As [`splice_from`](Self::splice_from), but does not sleep for a pipe (`SPLICE_F_NONBLOCK`).
    ///
    /// Whether it sleeps for a `from` of another kind, a socket say, is for that descriptor's own
    /// flags.
    ///
    /// # Errors
    ///
    /// As `splice_from`; [`Errno::AGAIN`] if this pipe is full, or `from` is a pipe and empty.
    #[doc(alias = "SPLICE_F_NONBLOCK")]
    #[inline]
    pub fn try_splice_from(&self, from: impl AsFd, len: usize) -> Result<usize> {
        move_bytes(from.as_fd(), self.0.as_fd(), len, SpliceFlags::NONBLOCK)
    }

    /// As [`splice_from`](Self::splice_from), but gives up at a deadline.
    ///
    /// For a `from` that is neither a pipe nor a file nor a socket, this holds only if its
    /// description is non-blocking.
    ///
    /// # Errors
    ///
    /// As `splice_from`; [`Errno::TIMEDOUT`] if nothing could be moved by then. `AGAIN` never.
    #[inline]
    pub fn splice_from_until(&self, from: impl AsFd, len: usize, by: Deadline) -> Result<usize> {
        let (from, to) = (from.as_fd(), self.0.as_fd());
        both_until(from, to, by, || move_bytes(from, to, len, SpliceFlags::NONBLOCK))
    }
}

#[inline]
fn move_bytes(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    len: usize,
    flags: SpliceFlags,
) -> Result<usize> {
    splice(from, None, to, None, len, flags)
}

/// Repeats `attempt`, sleeping in between until there is something at the one end, and then until
/// there is room at the other.
fn both_until(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    by: Deadline,
    attempt: impl FnMut() -> Result<usize>,
) -> Result<usize> {
    let sleep = |by| {
        wait::ready(from, PollFlags::IN, by)?;
        wait::ready(to, PollFlags::OUT, by)
    };
    wait::until_after(sleep, by, attempt)
}
