use rustix::event::PollFlags;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::IoSlice;

use super::{either_end, nowait};
#[cfg(doc)]
use crate::Errno;
use crate::buffer::pour_all;
use crate::error::Incomplete;
use crate::{Deadline, Result, wait};

/// The end of a pipe or FIFO that bytes go into.
///
/// Can be shared between threads and processes: writes of up to [`PIPE_BUF`](super::PIPE_BUF) bytes
/// do not mix. Dropping it closes this copy of the end; the reader sees the end of file when the
/// last copy is closed.
///
/// # Examples
///
/// See [`Pipe`](super::Pipe).
#[derive(Debug)]
pub struct Writer(pub(super) OwnedFd);

either_end!(Writer);

impl Writer {
    /// `write`: puts `bytes` into the pipe, sleeping while it is full.
    ///
    /// Returns how many were written: all, if they are at most [`PIPE_BUF`](super::PIPE_BUF) or
    /// nothing interrupts the wait for room.
    ///
    /// # Errors
    ///
    /// [`Errno::PIPE`] if every reader is closed (and `SIGPIPE`, see the [module](super));
    /// [`Errno::INTR`] if a signal handler ran before anything was written; [`Errno::AGAIN`] if
    /// there is no room and the description is [non-blocking](Self::set_nonblocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Errno, pipe::Pipe};
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// assert_eq!(writer.write(b"abc")?, 3);
    /// drop(reader);
    /// assert_eq!(writer.write(b"abc"), Err(Errno::PIPE));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [write(2)](https://man7.org/linux/man-pages/man2/write.2.html)
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> Result<usize> {
        rustix::io::write(&self.0, bytes)
    }

    /// As [`write`](Self::write), but never sleeps, even if the description is blocking.
    ///
    /// Of more than [`PIPE_BUF`](super::PIPE_BUF) bytes it writes what there is room for. What it
    /// costs: see [`Reader::try_read`](super::Reader::try_read).
    ///
    /// # Errors
    ///
    /// [`Errno::AGAIN`] if there is no room; [`Errno::PIPE`] if every reader is closed; and as
    /// `try_read` where a second description is needed.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Errno, pipe::Pipe};
    ///
    /// let Pipe { reader: _reader, writer } = Pipe::new()?;
    /// let fits = writer.capacity()?;
    /// assert_eq!(writer.try_write(&[0; 1 << 20])?, fits);
    /// assert_eq!(writer.try_write(b"more"), Err(Errno::AGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [writev(2)](https://man7.org/linux/man-pages/man2/writev.2.html)
    #[doc(alias = "pwritev2")]
    #[doc(alias = "RWF_NOWAIT")]
    #[inline]
    pub fn try_write(&self, bytes: &[u8]) -> Result<usize> {
        self.try_write_vectored(&[IoSlice::new(bytes)])
    }

    /// As [`write`](Self::write), but gives up at a deadline.
    ///
    /// Returns as soon as something is written, which may be less than `bytes` if they are more
    /// than [`PIPE_BUF`](super::PIPE_BUF).
    ///
    /// # Errors
    ///
    /// [`Errno::TIMEDOUT`] if there is no room by then; [`Errno::INTR`] if a signal handler ran
    /// before anything was written; what [`try_write`](Self::try_write) gives, but for `AGAIN`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Deadline, Errno, pipe::Pipe};
    ///
    /// let Pipe { reader: _reader, writer } = Pipe::new()?;
    /// assert_eq!(writer.write_until(b"there is room", Deadline::now())?, 13);
    /// while writer.try_write(&[0; 4096]).is_ok() {}
    /// assert_eq!(writer.write_until(&[0; 4096], Deadline::now()), Err(Errno::TIMEDOUT));
    /// # Ok::<(), Errno>(())
    /// ```
    #[inline]
    pub fn write_until(&self, bytes: &[u8], by: Deadline) -> Result<usize> {
        self.write_vectored_until(&[IoSlice::new(bytes)], by)
    }

    /// Writes all of `bytes`, sleeping as often as the pipe is full. Goes on after a signal.
    ///
    /// Beyond [`PIPE_BUF`](super::PIPE_BUF), those of other writers may come in between.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with [`Errno::PIPE`] if every reader is closed; with [`Errno::AGAIN`] if
    /// there is no more room and the description is [non-blocking](Self::set_nonblocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::pipe::Pipe;
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// writer.write_all(b"a whole message")?;
    /// assert_eq!(reader.read(&mut [0; 32])?, b"a whole message");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[doc(alias = "writen")]
    #[inline]
    pub fn write_all(&self, bytes: &[u8]) -> Result<(), Incomplete> {
        pour_all(bytes, |rest| self.write(rest))
    }

    /// As [`write_all`](Self::write_all), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with [`Errno::TIMEDOUT`] if they are not all written by then, or with what
    /// [`try_write`](Self::try_write) gives, but for `AGAIN`.
    ///
    /// # Examples
    ///
    /// See [`Incomplete`].
    #[inline]
    pub fn write_all_until(&self, bytes: &[u8], by: Deadline) -> Result<(), Incomplete> {
        pour_all(bytes, |rest| self.write_until(rest, by))
    }

    /// `writev`: as [`write`](Self::write), from several buffers in turn, as if they were one.
    ///
    /// Together they are atomic up to [`PIPE_BUF`](super::PIPE_BUF). Of more than 1024, the first
    /// 1024 are used.
    ///
    /// # Errors
    ///
    /// As `write`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{IoSlice, pipe::Pipe};
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// assert_eq!(writer.write_vectored(&[IoSlice::new(b"head"), IoSlice::new(b"body")])?, 8);
    /// assert_eq!(reader.read(&mut [0; 32])?, b"headbody");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [writev(2)](https://man7.org/linux/man-pages/man2/writev.2.html)
    #[doc(alias = "writev")]
    #[inline]
    pub fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        rustix::io::writev(&self.0, buffers)
    }

    /// As [`write_vectored`](Self::write_vectored), but never sleeps.
    ///
    /// # Errors
    ///
    /// As [`try_write`](Self::try_write).
    #[inline]
    pub fn try_write_vectored(&self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        nowait::write_vectored(self.0.as_fd(), buffers)
    }

    /// As [`write_vectored`](Self::write_vectored), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As [`write_until`](Self::write_until).
    #[inline]
    pub fn write_vectored_until(&self, buffers: &[IoSlice<'_>], by: Deadline) -> Result<usize> {
        wait::until(self.0.as_fd(), PollFlags::OUT, by, || self.try_write_vectored(buffers))
    }
}
