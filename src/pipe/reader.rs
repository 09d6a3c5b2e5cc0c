use rustix::event::PollFlags;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::IoSliceMut;

use super::{either_end, nowait};
#[cfg(doc)]
use crate::Errno;
use crate::buffer::{Buffer, Filling};
use crate::error::Incomplete;
use crate::{Deadline, Result, wait};

/// The end of a pipe or FIFO that bytes come out of.
///
/// Can be shared between threads and processes: each byte goes to one of them. Dropping it closes
/// this copy of the end.
///
/// # Examples
///
/// See [`Pipe`](super::Pipe).
#[derive(Debug)]
pub struct Reader(pub(super) OwnedFd);

either_end!(Reader);

impl Reader {
    /// `read`: takes what is there, up to the length of `buffer`, sleeping while there is nothing.
    ///
    /// Returns the bytes read, in `buffer`: none at the end of file, when the pipe is empty and
    /// every writer is closed.
    ///
    /// # Errors
    ///
    /// [`Errno::INTR`] if a signal handler ran before anything came; [`Errno::AGAIN`] if there is
    /// nothing and the description is [non-blocking](Self::set_nonblocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::pipe::Pipe;
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// writer.write(b"abc")?;
    /// drop(writer);
    ///
    /// let mut buffer = [0; 2];
    /// assert_eq!(reader.read(&mut buffer)?, b"ab");
    /// assert_eq!(reader.read(&mut buffer)?, b"c");
    /// assert_eq!(reader.read(&mut buffer)?, b"");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [read(2)](https://man7.org/linux/man-pages/man2/read.2.html)
    #[inline]
    pub fn read<'b>(&self, buffer: impl Buffer<'b>) -> Result<&'b mut [u8]> {
        let mut filling = Filling::new(buffer);
        filling.fill(|space| Ok(rustix::io::read(&self.0, space)?.0))?;
        Ok(filling.into_filled())
    }

    /// As [`read`](Self::read), but never sleeps, even if the description is blocking.
    ///
    /// Costs one system call (`preadv2` with `RWF_NOWAIT`) where the kernel can do that: on pipes
    /// since Linux 6.5, until one of these descriptions has been [spliced](Self::splice_to); not
    /// yet on FIFOs. Elsewhere, unless the description is
    /// [non-blocking](Self::set_nonblocking), it reads through a second description of the same
    /// pipe, opened for the purpose in `/proc/thread-self/fd`.
    ///
    /// # Errors
    ///
    /// [`Errno::AGAIN`] if there is nothing to read. Where the second description is needed, also
    /// what opening it gives: [`Errno::MFILE`] at the limit of
    /// descriptors, [`Errno::NOENT`] without `/proc`, [`Errno::ACCESS`] if the process has
    /// given up its right to open the pipe.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Errno, pipe::Pipe};
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// let mut buffer = [0; 8];
    /// assert_eq!(reader.try_read(&mut buffer), Err(Errno::AGAIN));
    /// writer.write(b"now")?;
    /// assert_eq!(reader.try_read(&mut buffer)?, b"now");
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
    #[doc(alias = "preadv2")]
    #[doc(alias = "RWF_NOWAIT")]
    #[inline]
    pub fn try_read<'b>(&self, buffer: impl Buffer<'b>) -> Result<&'b mut [u8]> {
        let mut filling = Filling::new(buffer);
        nowait::read(self.0.as_fd(), &mut filling)?;
        Ok(filling.into_filled())
    }

    /// As [`read`](Self::read), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`Errno::TIMEDOUT`] if there is nothing by then; [`Errno::INTR`] if a signal handler ran
    /// before anything came; what [`try_read`](Self::try_read) gives, but for `AGAIN`.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::{Deadline, Errno, pipe::Pipe};
    ///
    /// let Pipe { reader, writer: _writer } = Pipe::new()?;
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(reader.read_until(&mut [0; 8], soon), Err(Errno::TIMEDOUT));
    /// # Ok::<(), Errno>(())
    /// ```
    #[inline]
    pub fn read_until<'b>(&self, buffer: impl Buffer<'b>, by: Deadline) -> Result<&'b mut [u8]> {
        let mut filling = Filling::new(buffer);
        self.fill_until(&mut filling, by)?;
        Ok(filling.into_filled())
    }

    /// Reads until `buffer` is full or the pipe ends.
    ///
    /// Returns the bytes read: fewer than there is room for only at the end of file. Goes on after
    /// a signal.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with [`Errno::AGAIN`] if the description is
    /// [non-blocking](Self::set_nonblocking) and the bytes are not all there; those that were are
    /// in `buffer`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::pipe::Pipe;
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// writer.write(b"one after ")?;
    /// writer.write(b"another")?;
    /// drop(writer);
    ///
    /// let mut record = [0; 13];
    /// assert_eq!(reader.read_all(&mut record)?, b"one after ano");
    /// assert_eq!(reader.read_all(&mut record)?, b"ther", "and then it ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "read_exact")]
    #[doc(alias = "readn")]
    #[inline]
    pub fn read_all<'b>(&self, buffer: impl Buffer<'b>) -> Result<&'b mut [u8], Incomplete> {
        Filling::new(buffer)
            .fill_all(|filling| filling.fill(|space| Ok(rustix::io::read(&self.0, space)?.0)))
    }

    /// As [`read_all`](Self::read_all), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with [`Errno::TIMEDOUT`] if the bytes are not all there by then, or with what
    /// [`try_read`](Self::try_read) gives, but for `AGAIN`; those that came are in `buffer`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Deadline, Errno, pipe::Pipe};
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// writer.write(b"half")?;
    /// let mut record = [0; 8];
    /// let short = reader.read_all_until(&mut record, Deadline::now()).unwrap_err();
    /// assert_eq!((short.transferred(), short.errno()), (4, Errno::TIMEDOUT));
    /// assert_eq!(&record[..4], b"half");
    /// # Ok::<(), Errno>(())
    /// ```
    #[inline]
    pub fn read_all_until<'b>(
        &self,
        buffer: impl Buffer<'b>,
        by: Deadline,
    ) -> Result<&'b mut [u8], Incomplete> {
        Filling::new(buffer).fill_all(|filling| self.fill_until(filling, by))
    }

    /// `readv`: as [`read`](Self::read), into several buffers, filling each before the next.
    ///
    /// Returns how many bytes were read. Of more than 1024 buffers, the first 1024 are used.
    ///
    /// # Errors
    ///
    /// As `read`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{IoSliceMut, pipe::Pipe};
    ///
    /// let Pipe { reader, writer } = Pipe::new()?;
    /// writer.write(b"headbody")?;
    /// let (mut head, mut body) = ([0; 4], [0; 16]);
    /// let read =
    ///     reader.read_vectored(&mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)])?;
    /// assert_eq!((read, &head, &body[..4]), (8, b"head", &b"body"[..]));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
    #[doc(alias = "readv")]
    #[inline]
    pub fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        rustix::io::readv(&self.0, buffers)
    }

    /// As [`read_vectored`](Self::read_vectored), but never sleeps.
    ///
    /// # Errors
    ///
    /// As [`try_read`](Self::try_read).
    #[inline]
    pub fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        nowait::read_vectored(self.0.as_fd(), buffers)
    }

    /// As [`read_vectored`](Self::read_vectored), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As [`read_until`](Self::read_until).
    #[inline]
    pub fn read_vectored_until(
        &self,
        buffers: &mut [IoSliceMut<'_>],
        by: Deadline,
    ) -> Result<usize> {
        wait::until(self.0.as_fd(), PollFlags::IN, by, || self.try_read_vectored(buffers))
    }

    /// One read with a deadline, behind what is filled already.
    fn fill_until(&self, filling: &mut Filling<'_>, by: Deadline) -> Result<usize> {
        let fd = self.0.as_fd();
        wait::until(fd, PollFlags::IN, by, || nowait::read(fd, filling))
    }
}
