//! Pipes: a one-way stream of bytes between processes.
//!
//! [`Pipe::new`] makes an unnamed one, whose ends are inherited over `fork` or handed over a
//! [`socket`](crate::socket); a [`Fifo`](crate::fifo::Fifo) gives it a name that any process can
//! open.
//!
//! # What holds for both ends
//!
//! - **Atomic up to [`PIPE_BUF`].** A write of so many bytes at most is never mixed with those of
//!   other writers, nor cut in two. A longer one may be both.
//! - **End of file.** Reading returns nothing once the pipe is empty and every copy of the writer,
//!   in every process, is closed. A process that reads and still holds a writer waits for itself.
//! - **Broken pipe.** Writing when every reader is closed is [`Errno::PIPE`], *and the kernel sends
//!   `SIGPIPE`*, which ends a process that has not ignored it. A Rust program's runtime ignores it
//!   before `main`; a `no_main` program, or one with another runtime, does so itself.
//! - **Interrupted.** A call that waits and has moved nothing yet returns [`Errno::INTR`] when a
//!   signal handler ran (unless it was installed with `SA_RESTART`, and never is restarted in the
//!   `_until` forms). The `_all` calls go on.
//! - **Never waiting.** `try_` calls do not wait, whatever the flags of the descriptor. For a FIFO,
//!   and for a pipe that was spliced or on kernels before 6.5, this takes `/proc` and a few system
//!   calls more, unless the description is non-blocking itself: see [`Reader::try_read`].
//!
//! # References
//!
//! - [pipe(7)](https://man7.org/linux/man-pages/man7/pipe.7.html)
//! - [pipe(2)](https://man7.org/linux/man-pages/man2/pipe.2.html)

mod nowait;
mod reader;
mod splice;
mod writer;

pub use reader::Reader;
pub use rustix::pipe::{PIPE_BUF, PipeFlags};
pub use writer::Writer;

#[cfg(doc)]
use crate::Errno;
use crate::Result;

/// The two ends of a new pipe.
///
/// # Examples
///
/// ```
/// use rawipc::pipe::Pipe;
///
/// let Pipe { reader, writer } = Pipe::new()?;
/// writer.write_all(b"hello")?;
/// drop(writer);
///
/// let mut buffer = [0; 16];
/// assert_eq!(reader.read_all(&mut buffer)?, b"hello");
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Debug)]
pub struct Pipe {
    /// Where the bytes come out.
    pub reader: Reader,
    /// Where they go in.
    pub writer: Writer,
}

impl Pipe {
    /// `pipe2`: a new pipe, blocking and close-on-exec.
    ///
    /// # Errors
    ///
    /// [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// # References
    ///
    /// - [pipe(2)](https://man7.org/linux/man-pages/man2/pipe.2.html)
    #[doc(alias = "pipe2")]
    #[inline]
    pub fn new() -> Result<Self> {
        Self::with(PipeFlags::empty())
    }

    /// As [`new`](Self::new), with flags: [`PipeFlags::NONBLOCK`] for both ends,
    /// [`PipeFlags::DIRECT`] for packets. `CLOEXEC` is always set.
    ///
    /// In packet mode each write of up to [`PIPE_BUF`] bytes is one packet, and each read takes
    /// one: what does not fit the buffer is **dropped by the kernel without a word**, so read
    /// into [`PIPE_BUF`] bytes. A longer write becomes several packets; an empty write none.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::pipe::{PIPE_BUF, Pipe, PipeFlags};
    ///
    /// let Pipe { reader, writer } = Pipe::with(PipeFlags::DIRECT | PipeFlags::NONBLOCK)?;
    /// writer.write(b"one")?;
    /// writer.write(b"two")?;
    ///
    /// let mut packet = [0; PIPE_BUF];
    /// assert_eq!(reader.read(&mut packet)?, b"one");
    /// assert_eq!(reader.read(&mut packet)?, b"two");
    /// assert_eq!(reader.read(&mut packet), Err(rawipc::Errno::AGAIN));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [pipe(2)](https://man7.org/linux/man-pages/man2/pipe.2.html)
    #[doc(alias = "O_DIRECT")]
    #[doc(alias = "O_NONBLOCK")]
    #[inline]
    pub fn with(flags: PipeFlags) -> Result<Self> {
        let (reader, writer) = rustix::pipe::pipe_with(flags | PipeFlags::CLOEXEC)?;
        Ok(Self { reader: reader.into(), writer: writer.into() })
    }
}

/// What can be asked and set at either end alike.
macro_rules! either_end {
    ($End:ident) => {
        impl $End {
            /// `F_DUPFD_CLOEXEC`: another descriptor of this end, close-on-exec.
            ///
            /// Both refer to one open file description: its flags are common, and the end is closed
            /// when the last of them is.
            ///
            /// # Errors
            ///
            /// [`Errno::MFILE`] at the limit of descriptors.
            ///
            /// # Examples
            ///
            /// ```
            /// use rawipc::pipe::Pipe;
            ///
            /// let Pipe { reader, writer } = Pipe::new()?;
            /// let another = writer.try_clone()?;
            /// drop(writer);
            /// another.write(b"still open")?;
            /// assert_eq!(reader.try_clone()?.read(&mut [0; 16])?, b"still open");
            /// # Ok::<(), rawipc::Errno>(())
            /// ```
            ///
            /// # References
            ///
            /// - [F_DUPFD_CLOEXEC(2const)](https://man7.org/linux/man-pages/man2/F_DUPFD.2const.html)
            #[doc(alias = "dup")]
            #[inline]
            pub fn try_clone(&self) -> Result<Self> {
                rustix::io::fcntl_dupfd_cloexec(&self.0, 0).map(Self)
            }

            /// `F_GETPIPE_SZ`: how many bytes the pipe has room for.
            ///
            /// Counted in pages: many small writes can fill it with less. Either end, in any
            /// process, may change it at any time.
            ///
            /// # Errors
            ///
            /// [`Errno::BADF`] if this was made from something that is no pipe.
            ///
            /// # References
            ///
            /// - [F_GETPIPE_SZ(2const)](https://man7.org/linux/man-pages/man2/F_GETPIPE_SZ.2const.html)
            #[doc(alias = "F_GETPIPE_SZ")]
            #[inline]
            pub fn capacity(&self) -> Result<usize> {
                rustix::pipe::fcntl_getpipe_size(&self.0)
            }

            /// `F_SETPIPE_SZ`: makes room for at least `bytes` and returns how many it became: a
            /// power of two of pages.
            ///
            /// # Errors
            ///
            /// [`Errno::BUSY`] if it holds more than that;
            /// [`Errno::PERM`] if it is more than the system allows
            /// (`/proc/sys/fs/pipe-max-size`, 1 MiB unless set) and the process has not
            /// `CAP_SYS_RESOURCE`; [`Errno::INVAL`] above 2 GiB;
            /// [`Errno::BADF`] if this was made from something that is no pipe.
            ///
            /// # Examples
            ///
            /// ```
            /// use rawipc::pipe::Pipe;
            ///
            /// let Pipe { reader, writer } = Pipe::new()?;
            /// assert_eq!(writer.set_capacity(100_000)?, 131_072);
            /// assert_eq!(reader.capacity()?, 131_072);
            /// # Ok::<(), rawipc::Errno>(())
            /// ```
            ///
            /// # References
            ///
            /// - [F_SETPIPE_SZ(2const)](https://man7.org/linux/man-pages/man2/F_GETPIPE_SZ.2const.html)
            #[doc(alias = "F_SETPIPE_SZ")]
            pub fn set_capacity(&self, bytes: usize) -> Result<usize> {
                // An int, in the call; for what is larger, the kernel's answer to too much.
                if i32::try_from(bytes).is_err() {
                    return Err($crate::Errno::INVAL);
                }
                rustix::pipe::fcntl_setpipe_size(&self.0, bytes)?;
                self.capacity()
            }

            /// `FIONREAD`: how many bytes wait in the pipe to be read.
            ///
            /// Other readers and writers may have changed it by the time it is returned.
            ///
            /// # Errors
            ///
            /// [`Errno::NOTTY`] if this was made from something that cannot tell.
            ///
            /// # Examples
            ///
            /// ```
            /// use rawipc::pipe::Pipe;
            ///
            /// let Pipe { reader, writer } = Pipe::new()?;
            /// writer.write(b"four")?;
            /// assert_eq!(reader.bytes_waiting()?, 4);
            /// # Ok::<(), rawipc::Errno>(())
            /// ```
            ///
            /// # References
            ///
            /// - [pipe(7)](https://man7.org/linux/man-pages/man7/pipe.7.html)
            #[doc(alias = "FIONREAD")]
            #[inline]
            pub fn bytes_waiting(&self) -> Result<usize> {
                let bytes = rustix::io::ioctl_fionread(&self.0)?;
                usize::try_from(bytes).map_err(|_| crate::Errno::OVERFLOW)
            }

            /// Whether the blocking forms return [`Errno::AGAIN`] instead of waiting
            /// (`O_NONBLOCK`).
            ///
            /// # Errors
            ///
            /// None that an open descriptor could give.
            ///
            /// # References
            ///
            /// - [F_GETFL(2const)](https://man7.org/linux/man-pages/man2/F_GETFL.2const.html)
            #[doc(alias = "O_NONBLOCK")]
            #[inline]
            pub fn is_nonblocking(&self) -> Result<bool> {
                let flags = rustix::fs::fcntl_getfl(&self.0)?;
                Ok(flags.contains(rustix::fs::OFlags::NONBLOCK))
            }

            /// Sets whether the blocking forms return [`Errno::AGAIN`] instead of
            /// waiting.
            ///
            /// The flag belongs to the open file description: it changes for every process that
            /// inherited or was handed this end.
            ///
            /// # Errors
            ///
            /// None that an open descriptor could give.
            ///
            /// # Examples
            ///
            /// ```
            /// use rawipc::{Errno, pipe::Pipe};
            ///
            /// let Pipe { reader, writer: _writer } = Pipe::new()?;
            /// reader.set_nonblocking(true)?;
            /// assert!(reader.is_nonblocking()?);
            /// assert_eq!(reader.read(&mut [0]), Err(Errno::AGAIN));
            /// # Ok::<(), Errno>(())
            /// ```
            ///
            /// # References
            ///
            /// - [ioctl(2)](https://man7.org/linux/man-pages/man2/ioctl.2.html)
            #[doc(alias = "FIONBIO")]
            #[doc(alias = "O_NONBLOCK")]
            #[inline]
            pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
                rustix::io::ioctl_fionbio(&self.0, nonblocking)
            }
        }

        impl rustix::fd::AsFd for $End {
            #[inline]
            fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl rustix::fd::AsRawFd for $End {
            fn as_raw_fd(&self) -> rustix::fd::RawFd {
                self.0.as_raw_fd()
            }
        }

        /// Takes the descriptor as it is. What is not this end of a pipe or FIFO answers each call
        /// with an error.
        impl From<rustix::fd::OwnedFd> for $End {
            fn from(fd: rustix::fd::OwnedFd) -> Self {
                Self(fd)
            }
        }

        impl From<$End> for rustix::fd::OwnedFd {
            #[inline]
            fn from(end: $End) -> Self {
                end.0
            }
        }

        static_assertions::assert_impl_all!($End: Send, Sync);
    };
}
use either_end;
