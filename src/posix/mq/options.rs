use rustix::fs::Mode;

use super::{Limits, Mq};
#[cfg(doc)]
use crate::Errno;
use crate::sys::mq as sys;
use crate::{Name, Result};

/// How to open or create a queue.
///
/// # Examples
///
/// ```
/// use rawipc::Name;
/// use rawipc::posix::mq::{Mode, Mq};
///
/// let name = Name::format(format_args!("/rawipc-doc-options-{}", std::process::id()))?;
/// let options = Mq::options().max_messages(4).message_size(64);
/// let queue = options.create_new(&name, Mode::RUSR | Mode::WUSR)?;
/// let sender = Mq::options().write_only().nonblocking(true).open(&name)?;
/// # Mq::unlink(&name)?;
/// assert_eq!(queue.attributes()?.max_messages, 4);
/// assert!(sender.attributes()?.nonblocking);
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Options {
    access: i32,
    nonblocking: bool,
    max_messages: Option<usize>,
    message_size: Option<usize>,
}

impl Options {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { access: libc::O_RDWR, nonblocking: false, max_messages: None, message_size: None }
    }

    /// For receiving only; else for both.
    #[doc(alias = "O_RDONLY")]
    #[inline]
    pub const fn read_only(mut self) -> Self {
        self.access = libc::O_RDONLY;
        self
    }

    /// For sending only; else for both.
    #[doc(alias = "O_WRONLY")]
    #[inline]
    pub const fn write_only(mut self) -> Self {
        self.access = libc::O_WRONLY;
        self
    }

    /// Whether the blocking forms return [`Errno::AGAIN`] instead of waiting; else they wait.
    #[doc(alias = "O_NONBLOCK")]
    #[inline]
    pub const fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = nonblocking;
        self
    }

    /// How many messages a queue holds that is created. Without this, what the system says
    /// ([`Limits::default_messages`](super::Limits::default_messages)).
    #[doc(alias = "mq_maxmsg")]
    #[inline]
    pub const fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = Some(messages);
        self
    }

    /// How many bytes a message may have, in a queue that is created. Without this, what the system
    /// says ([`Limits::default_message_size`](super::Limits::default_message_size)).
    #[doc(alias = "mq_msgsize")]
    #[inline]
    pub const fn message_size(mut self, bytes: usize) -> Self {
        self.message_size = Some(bytes);
        self
    }

    /// `mq_open`: opens a queue that exists.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is none of that name; [`Errno::ACCESS`] without permission;
    /// [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// # References
    ///
    /// - [mq_open(3)](https://man7.org/linux/man-pages/man3/mq_open.3.html)
    #[doc(alias = "mq_open")]
    #[inline]
    pub fn open(&self, name: &Name) -> Result<Mq> {
        sys::open(name, self.flags(), 0, None).map(Mq::from)
    }

    /// `mq_open` with `O_CREAT`: opens the queue of that name, and creates it if there is none.
    ///
    /// A new one has the permissions `mode` less the process's umask. One that was there keeps its
    /// own permissions and sizes, whatever the options say: look at
    /// [`attributes`](Mq::attributes).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and as [`create_new`](Self::create_new), but for `EXIST`; `NOENT`
    /// only for want of `/proc`.
    ///
    /// # References
    ///
    /// - [mq_open(3)](https://man7.org/linux/man-pages/man3/mq_open.3.html)
    #[inline]
    pub fn create(&self, name: &Name, mode: Mode) -> Result<Mq> {
        self.make(name, mode, libc::O_CREAT)
    }

    /// `mq_open` with `O_CREAT` and `O_EXCL`: creates a queue.
    ///
    /// # Errors
    ///
    /// [`Errno::EXIST`] if the name is taken; [`Errno::INVAL`] if a size is zero or, for an
    /// unprivileged process, beyond the system's [`Limits`], and whatever the privilege, with more
    /// than 65,536 messages or 16 MiB a message; [`Errno::NOENT`] if only one size is given, and
    /// there is no `/proc` to read the other's default from; [`Errno::NOSPC`] if there are as many
    /// queues as the system allows the unprivileged; [`Errno::MFILE`] at the limit of descriptors,
    /// and of the bytes that this user's queues may take (`RLIMIT_MSGQUEUE`).
    ///
    /// # References
    ///
    /// - [mq_open(3)](https://man7.org/linux/man-pages/man3/mq_open.3.html)
    #[inline]
    pub fn create_new(&self, name: &Name, mode: Mode) -> Result<Mq> {
        self.make(name, mode, libc::O_CREAT | libc::O_EXCL)
    }

    #[inline]
    fn make(&self, name: &Name, mode: Mode, how: i32) -> Result<Mq> {
        let attributes = match (self.max_messages, self.message_size) {
            (None, None) => None,
            (messages, size) => Some(Self::sizes(messages, size)?),
        };
        let flags = self.flags() | how;
        sys::open(name, flags, mode.as_raw_mode(), attributes.as_ref()).map(Mq::from)
    }

    /// Both sizes, as the kernel takes both or none: of one that is not given, the system's
    /// default.
    #[inline]
    fn sizes(messages: Option<usize>, size: Option<usize>) -> Result<sys::Attributes> {
        let default = |which: fn(&Limits) -> usize| Limits::get().map(|limits| which(&limits));
        let messages = messages.map_or_else(|| default(|limits| limits.default_messages), Ok)?;
        let size = size.map_or_else(|| default(|limits| limits.default_message_size), Ok)?;
        // What no long can say is negative there: only a queue that is new finds that wrong.
        Ok(sys::Attributes {
            max_messages: messages,
            message_size: size,
            ..sys::Attributes::default()
        })
    }

    #[inline]
    fn flags(&self) -> i32 {
        let nonblocking = if self.nonblocking { libc::O_NONBLOCK } else { 0 };
        self.access | nonblocking | libc::O_CLOEXEC
    }
}
