//! FIFOs: pipes with a path, for processes that have nothing else in common.
//!
//! The path is only where the two sides meet: the bytes never touch the disk. All that
//! [`pipe`](crate::pipe) says of the two ends holds.
//!
//! # References
//!
//! - [fifo(7)](https://man7.org/linux/man-pages/man7/fifo.7.html)

use core::time::Duration;

use rustix::event::PollFlags;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, OFlags, fstat};
use rustix::pipe::{SpliceFlags, tee};

use crate::pipe::{Pipe, Reader, Writer};
use crate::{Deadline, Errno, PathArg, Result, wait};

pub use rustix::fs::Mode;

/// A place in the file system for a FIFO: what it is created, opened and removed by.
///
/// Only a name. It holds nothing open, and dropping it removes nothing.
///
/// # Examples
///
/// ```
/// use rawipc::fifo::{Fifo, Mode};
///
/// # let directory = std::env::temp_dir().join(format!("rawipc-doc-fifo-{}", std::process::id()));
/// # std::fs::create_dir(&directory)?;
/// # let path = directory.join("requests");
/// # let path = path.to_str().ok_or("no text")?;
/// let fifo = Fifo::new(path);
/// fifo.create(Mode::RUSR | Mode::WUSR)?;
///
/// // One process:                      // Another:
/// let reader = fifo.try_open_reader()?; let writer = fifo.open_writer()?;
/// writer.write_all(b"by name")?;
/// assert_eq!(reader.read(&mut [0; 16])?, b"by name");
///
/// fifo.unlink()?;
/// # std::fs::remove_dir(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fifo<'d, P> {
    directory: BorrowedFd<'d>,
    path: P,
}

impl<P: PathArg> Fifo<'static, P> {
    /// The FIFO at `path`, which is relative to the working directory unless it starts with a
    /// slash.
    #[inline]
    pub const fn new(path: P) -> Self {
        Self { directory: CWD, path }
    }
}

impl<'d, P: PathArg> Fifo<'d, P> {
    /// The FIFO at `path`, which is relative to `directory` unless it starts with a slash.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Errno;
    /// use rawipc::fifo::Fifo;
    /// use std::os::fd::AsFd;
    ///
    /// let source = std::fs::File::open("src")?;
    /// let nowhere = Fifo::at(source.as_fd(), "no-such-fifo");
    /// assert_eq!(nowhere.open_reader().unwrap_err(), Errno::NOENT);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub const fn at(directory: BorrowedFd<'d>, path: P) -> Self {
        Self { directory, path }
    }

    /// `mkfifoat`: creates it, with the permissions `mode` less the process's umask.
    ///
    /// # Errors
    ///
    /// [`Errno::EXIST`] if the path is taken, by whatever, a dangling symbolic link too;
    /// [`Errno::NOENT`] or [`Errno::NOTDIR`] if its directory does not exist or is none;
    /// [`Errno::ACCESS`] without permission to write to the directory; and as [`PathArg`].
    ///
    /// # Examples
    ///
    /// See [`Fifo`].
    ///
    /// # References
    ///
    /// - [mkfifo(3)](https://man7.org/linux/man-pages/man3/mkfifo.3.html)
    /// - [mknod(2)](https://man7.org/linux/man-pages/man2/mknod.2.html)
    #[doc(alias = "mkfifo")]
    #[doc(alias = "mkfifoat")]
    #[inline]
    pub fn create(&self, mode: Mode) -> Result<()> {
        self.path.with_c_str(|path| rustix::fs::mkfifoat(self.directory, path, mode))
    }

    /// `unlinkat`: removes the path. Ends that are open stay so.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if nothing is there; [`Errno::ISDIR`] if a directory is;
    /// [`Errno::ACCESS`] without permission to write to the directory, and [`Errno::PERM`] if it is
    /// sticky and the FIFO another's; and as [`PathArg`].
    ///
    /// # Examples
    ///
    /// See [`Fifo`].
    ///
    /// # References
    ///
    /// - [unlink(2)](https://man7.org/linux/man-pages/man2/unlink.2.html)
    #[doc(alias = "unlinkat")]
    #[inline]
    pub fn unlink(&self) -> Result<()> {
        self.path.with_c_str(|path| rustix::fs::unlinkat(self.directory, path, AtFlags::empty()))
    }

    /// `open` for reading: sleeps until some process has it open for writing.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if nothing is at the path; [`Errno::INVAL`] if something is that is no
    /// FIFO; [`Errno::LOOP`] if it is a symbolic link (links on the way there are followed);
    /// [`Errno::ACCESS`] without permission; [`Errno::INTR`] if a signal handler ran;
    /// [`Errno::MFILE`] at the limit of descriptors; and as [`PathArg`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::fifo::{Fifo, Mode};
    /// use rawipc::process;
    ///
    /// # let directory = format!("rawipc-doc-open-{}", std::process::id());
    /// # let directory = std::env::temp_dir().join(directory);
    /// # std::fs::create_dir(&directory)?;
    /// # let path = directory.join("fifo");
    /// # let path = path.to_str().ok_or("no text")?;
    /// let fifo = Fifo::new(path);
    /// fifo.create(Mode::RUSR | Mode::WUSR)?;
    /// let task = || match fifo.open_writer() {
    ///     Ok(writer) => writer.write_all(b"from the other side").is_err().into(),
    ///     Err(_) => 1,
    /// };
    /// // SAFETY: the child makes system calls only, and nothing is owned twice.
    /// let mut child = unsafe { process::spawn(task)? };
    ///
    /// let reader = fifo.open_reader()?;
    /// assert_eq!(reader.read_all(&mut [0; 64])?, b"from the other side");
    /// assert!(child.wait()?.success());
    /// # fifo.unlink()?;
    /// # std::fs::remove_dir(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # References
    ///
    /// - [fifo(7)](https://man7.org/linux/man-pages/man7/fifo.7.html)
    /// - [open(2)](https://man7.org/linux/man-pages/man2/open.2.html)
    #[doc(alias = "open")]
    #[inline]
    pub fn open_reader(&self) -> Result<Reader> {
        Ok(self.open(OFlags::RDONLY)?.into())
    }

    /// As [`open_reader`](Self::open_reader), but does not wait for a writer.
    ///
    /// Until one has come, reading finds the end of file at once; `_until` forms too. The
    /// description is blocking, as that of `open_reader`.
    ///
    /// # Errors
    ///
    /// As `open_reader`, but for `INTR`.
    ///
    /// # Examples
    ///
    /// See [`Fifo`].
    #[doc(alias = "O_NONBLOCK")]
    #[inline]
    pub fn try_open_reader(&self) -> Result<Reader> {
        blocking(self.open(OFlags::RDONLY | OFlags::NONBLOCK)?).map(Reader::from)
    }

    /// As [`open_reader`](Self::open_reader), but gives up at a deadline.
    ///
    /// The kernel has no such call, and nothing that announces a writer before it writes. So this
    /// opens without waiting, sleeps until there is something to read, and looks every 10
    /// milliseconds whether a writer has come that has not written yet. Writers see a reader
    /// from the start. It takes two descriptors more while it waits.
    ///
    /// Where something is to be read at once, as another reader is there and has left it, it does
    /// not matter whether the writer still is.
    ///
    /// # Errors
    ///
    /// As `open_reader`; [`Errno::TIMEDOUT`] if nobody has opened it for writing by then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::fifo::{Fifo, Mode};
    /// use rawipc::{Deadline, Errno};
    ///
    /// # let path = std::env::temp_dir().join(format!("rawipc-doc-until-{}", std::process::id()));
    /// # let path = path.to_str().ok_or(Errno::INVAL)?;
    /// let fifo = Fifo::new(path);
    /// fifo.create(Mode::RUSR | Mode::WUSR)?;
    /// let soon = Deadline::after(Duration::from_millis(5));
    /// assert_eq!(fifo.open_reader_until(soon).unwrap_err(), Errno::TIMEDOUT);
    /// assert_eq!(fifo.open_writer_until(soon).unwrap_err(), Errno::TIMEDOUT);
    /// # fifo.unlink()?;
    /// # Ok::<(), Errno>(())
    /// ```
    pub fn open_reader_until(&self, by: Deadline) -> Result<Reader> {
        let opened = self.open(OFlags::RDONLY | OFlags::NONBLOCK)?;
        let scratch = Pipe::new()?;
        loop {
            // What `tee` copies stays to be read; whether it could tells whether somebody writes.
            match tee(&opened, &scratch.writer, 1, SpliceFlags::NONBLOCK) {
                Ok(0) => {}
                Ok(_) | Err(Errno::AGAIN) => break,
                Err(errno) => return Err(errno),
            }
            match wait::ready(opened.as_fd(), PollFlags::IN, by.min(Deadline::after(LOOK_EVERY))) {
                // Also when a writer has come, written nothing and gone: open_reader would have
                // returned.
                Ok(()) => break,
                Err(Errno::TIMEDOUT) if !by.has_passed() => {}
                Err(errno) => return Err(errno),
            }
        }
        blocking(opened).map(Reader::from)
    }

    /// `open` for writing: sleeps until some process has it open for reading.
    ///
    /// # Errors
    ///
    /// As [`open_reader`](Self::open_reader).
    ///
    /// # Examples
    ///
    /// See [`open_reader`](Self::open_reader).
    ///
    /// # References
    ///
    /// - [fifo(7)](https://man7.org/linux/man-pages/man7/fifo.7.html)
    /// - [open(2)](https://man7.org/linux/man-pages/man2/open.2.html)
    #[doc(alias = "open")]
    #[inline]
    pub fn open_writer(&self) -> Result<Writer> {
        Ok(self.open(OFlags::WRONLY)?.into())
    }

    /// As [`open_writer`](Self::open_writer), but does not wait for a reader. The description is
    /// blocking, as that of `open_writer`.
    ///
    /// # Errors
    ///
    /// As `open_writer`, but for `INTR`; [`Errno::NXIO`] if nobody has it open for reading.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Errno;
    /// use rawipc::fifo::{Fifo, Mode};
    ///
    /// # let path = std::env::temp_dir().join(format!("rawipc-doc-nxio-{}", std::process::id()));
    /// # let path = path.to_str().ok_or(Errno::INVAL)?;
    /// let fifo = Fifo::new(path);
    /// fifo.create(Mode::RUSR | Mode::WUSR)?;
    /// assert_eq!(fifo.try_open_writer().unwrap_err(), Errno::NXIO);
    /// # fifo.unlink()?;
    /// # Ok::<(), Errno>(())
    /// ```
    #[doc(alias = "O_NONBLOCK")]
    #[inline]
    pub fn try_open_writer(&self) -> Result<Writer> {
        blocking(self.open(OFlags::WRONLY | OFlags::NONBLOCK)?).map(Writer::from)
    }

    /// As [`open_writer`](Self::open_writer), but gives up at a deadline.
    ///
    /// The kernel has no such call, and nothing that announces a reader. So this tries, and tries
    /// again after a millisecond, two, four and then every 10.
    ///
    /// # Errors
    ///
    /// As `open_writer`; [`Errno::TIMEDOUT`] if nobody has opened it for reading by then.
    ///
    /// # Examples
    ///
    /// See [`open_reader_until`](Self::open_reader_until).
    pub fn open_writer_until(&self, by: Deadline) -> Result<Writer> {
        let mut pause = Duration::from_millis(1);
        loop {
            match self.try_open_writer() {
                Err(Errno::NXIO) if by.has_passed() => return Err(Errno::TIMEDOUT),
                Err(Errno::NXIO) => {}
                answer => return answer,
            }
            wait::pause(by.min(Deadline::after(pause)))?;
            pause = pause.saturating_mul(2).min(LOOK_EVERY);
        }
    }

    /// Opens what must be a FIFO, not through a symbolic link.
    fn open(&self, flags: OFlags) -> Result<OwnedFd> {
        // NOCTTY: a terminal in its place shall not become ours before it is refused.
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NOCTTY;
        let opened = self
            .path
            .with_c_str(|path| rustix::fs::openat(self.directory, path, flags, Mode::empty()));
        let found = match &opened {
            Ok(opened) => fstat(opened)?,
            // What the kernel also says of a directory and of a socket.
            Err(Errno::ISDIR | Errno::NXIO) => self.path.with_c_str(|path| {
                rustix::fs::statat(self.directory, path, AtFlags::SYMLINK_NOFOLLOW)
            })?,
            Err(errno) => return Err(*errno),
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Fifo => opened,
            _ => Err(Errno::INVAL),
        }
    }
}

/// How often to look for what the kernel does not announce.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The description of a fresh descriptor, made blocking.
fn blocking(opened: OwnedFd) -> Result<OwnedFd> {
    rustix::io::ioctl_fionbio(&opened, false)?;
    Ok(opened)
}
