use rustix::event::PollFlags;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::process::Signal;

use super::Options;
use crate::buffer::Filling;
use crate::sys::mq::{self as sys, Wait};
use crate::{Buffer, Deadline, Errno, Name, Result, wait};

/// An open POSIX message queue.
///
/// It is a descriptor, close-on-exec, which `poll` and its kin find readable while there is a
/// message and writable while there is room. Can be shared between threads and processes: each
/// message goes to one receiver. Dropping it closes this descriptor; the queue stays.
///
/// # Examples
///
/// ```
/// use rawipc::Name;
/// use rawipc::posix::mq::{Mode, Mq};
///
/// let name = Name::format(format_args!("/rawipc-doc-mq-{}", std::process::id()))?;
/// let options = Mq::options().max_messages(8).message_size(64);
/// let queue = options.create_new(&name, Mode::RUSR | Mode::WUSR)?;
/// let same = Mq::options().open(&name)?;
/// Mq::unlink(&name)?;
///
/// queue.send(b"by and by", 1)?;
/// queue.send(b"at once", 9)?;
/// let mut buffer = [0; 64];
/// let first = same.receive(&mut buffer)?;
/// assert_eq!((first.priority, &*first.bytes), (9, &b"at once"[..]));
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// # References
///
/// - [mq_overview(7)](https://man7.org/linux/man-pages/man7/mq_overview.7.html)
#[doc(alias = "mqd_t")]
#[derive(Debug)]
pub struct Mq(OwnedFd);

/// A message that was received.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// Its bytes, in the buffer that was lent.
    pub bytes: &'b mut [u8],
    /// Its priority.
    pub priority: u32,
}

/// What a queue is like, and what is in it.
#[doc(alias = "mq_attr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attributes {
    /// How many messages it holds at most.
    pub max_messages: usize,
    /// How many bytes a message has at most.
    pub message_size: usize,
    /// How many messages were in it. Others may have changed that.
    pub messages: usize,
    /// Whether the blocking forms return [`Errno::AGAIN`] instead of waiting.
    pub nonblocking: bool,
}

impl Mq {
    /// How to open or create one: for receiving and sending, blocking, with the system's sizes,
    /// unless the options say otherwise.
    #[inline]
    pub const fn options() -> Options {
        Options::new()
    }

    /// `mq_unlink`: removes the name. Descriptors that are open stay so; the queue goes with the
    /// last of them.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is no queue of that name; [`Errno::PERM`] if it is another user's,
    /// whatever its permissions.
    ///
    /// # References
    ///
    /// - [mq_unlink(3)](https://man7.org/linux/man-pages/man3/mq_unlink.3.html)
    #[doc(alias = "mq_unlink")]
    #[inline]
    pub fn unlink(name: &Name) -> Result<()> {
        sys::unlink(name)
    }

    /// `mq_send`: adds `message` with that priority, sleeping while the queue is full.
    ///
    /// # Errors
    ///
    /// [`Errno::MSGSIZE`] if it is longer than the queue allows; [`Errno::INVAL`] if the priority
    /// is [`PRIORITIES`](super::PRIORITIES) or more; [`Errno::BADF`] if the queue is open for
    /// receiving only; [`Errno::INTR`] if a signal handler ran before there was room, installed
    /// without `SA_RESTART`: with it, this goes on; [`Errno::AGAIN`] if there is no room and the
    /// description is [non-blocking](Self::set_nonblocking).
    ///
    /// # Examples
    ///
    /// See [`Mq`].
    ///
    /// # References
    ///
    /// - [mq_send(3)](https://man7.org/linux/man-pages/man3/mq_send.3.html)
    #[doc(alias = "mq_send")]
    #[doc(alias = "mq_timedsend")]
    #[inline]
    pub fn send(&self, message: &[u8], priority: u32) -> Result<()> {
        sys::send(self.0.as_fd(), message, priority, Wait::Forever)
    }

    /// As [`send`](Self::send), but never sleeps, even if the description is blocking.
    ///
    /// # Errors
    ///
    /// As `send`; [`Errno::AGAIN`] if there is no room, and `INTR` never.
    ///
    /// # Examples
    ///
    /// ```
    /// # use rawipc::Name;
    /// use rawipc::Errno;
    /// use rawipc::posix::mq::{Mode, Mq};
    ///
    /// # let name = Name::format(format_args!("/rawipc-doc-try-{}", std::process::id()))?;
    /// let options = Mq::options().max_messages(1).message_size(8);
    /// let queue = options.create_new(&name, Mode::RUSR | Mode::WUSR)?;
    /// # Mq::unlink(&name)?;
    /// queue.try_send(b"fits", 0)?;
    /// assert_eq!(queue.try_send(b"no more", 0), Err(Errno::AGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    #[inline]
    pub fn try_send(&self, message: &[u8], priority: u32) -> Result<()> {
        at_once(|| sys::send(self.0.as_fd(), message, priority, Wait::Never))
    }

    /// As [`send`](Self::send), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `send`; [`Errno::TIMEDOUT`] if there is no room by then, and `AGAIN` never;
    /// [`Errno::INTR`] whatever handler ran: `SA_RESTART` restarts no wait with a deadline.
    #[inline]
    pub fn send_until(&self, message: &[u8], priority: u32, by: Deadline) -> Result<()> {
        let fd = self.0.as_fd();
        wait::until(fd, PollFlags::OUT, by, || self.try_send(message, priority))
    }

    /// `mq_receive`: takes the oldest message of the highest priority, sleeping while there is
    /// none.
    ///
    /// The buffer must be at least as long as the queue's message size, however long the message
    /// is; so nothing is ever cut off.
    ///
    /// # Errors
    ///
    /// [`Errno::MSGSIZE`] if the buffer is shorter than the queue's message size: nothing was
    /// taken; [`Errno::BADF`] if the queue is open for sending only; [`Errno::INTR`] if a signal
    /// handler ran before anything came, installed without `SA_RESTART`: with it, this goes on;
    /// [`Errno::AGAIN`] if there is nothing and the description is
    /// [non-blocking](Self::set_nonblocking).
    ///
    /// # Examples
    ///
    /// See [`Mq`].
    ///
    /// # References
    ///
    /// - [mq_receive(3)](https://man7.org/linux/man-pages/man3/mq_receive.3.html)
    #[doc(alias = "mq_receive")]
    #[doc(alias = "mq_timedreceive")]
    #[inline]
    pub fn receive<'b>(&self, buffer: impl Buffer<'b>) -> Result<Message<'b>> {
        let mut filling = Filling::new(buffer);
        let priority = self.take(&mut filling, Wait::Forever)?;
        Ok(Message { bytes: filling.into_filled(), priority })
    }

    /// As [`receive`](Self::receive), but never sleeps, even if the description is blocking.
    ///
    /// # Errors
    ///
    /// As `receive`; [`Errno::AGAIN`] if there is nothing, and `INTR` never.
    #[inline]
    pub fn try_receive<'b>(&self, buffer: impl Buffer<'b>) -> Result<Message<'b>> {
        let mut filling = Filling::new(buffer);
        let priority = at_once(|| self.take(&mut filling, Wait::Never))?;
        Ok(Message { bytes: filling.into_filled(), priority })
    }

    /// As [`receive`](Self::receive), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `receive`; [`Errno::TIMEDOUT`] if there is nothing by then, and `AGAIN` never;
    /// [`Errno::INTR`] whatever handler ran: `SA_RESTART` restarts no wait with a deadline.
    pub fn receive_until<'b>(&self, buffer: impl Buffer<'b>, by: Deadline) -> Result<Message<'b>> {
        let mut filling = Filling::new(buffer);
        let priority = wait::until(self.0.as_fd(), PollFlags::IN, by, || {
            at_once(|| self.take(&mut filling, Wait::Never))
        })?;
        Ok(Message { bytes: filling.into_filled(), priority })
    }

    /// `mq_getattr`: the queue's sizes, and how many messages are in it.
    ///
    /// # Errors
    ///
    /// [`Errno::BADF`] if this was made from something that is no message queue.
    ///
    /// # References
    ///
    /// - [mq_getattr(3)](https://man7.org/linux/man-pages/man3/mq_getattr.3.html)
    #[doc(alias = "mq_getattr")]
    #[doc(alias = "mq_getsetattr")]
    #[inline]
    pub fn attributes(&self) -> Result<Attributes> {
        sys::get_and_set(self.0.as_fd(), None).map(|attributes| Attributes {
            max_messages: attributes.max_messages,
            message_size: attributes.message_size,
            messages: attributes.messages,
            nonblocking: attributes.flags & libc::c_long::from(libc::O_NONBLOCK) != 0,
        })
    }

    /// `mq_setattr`: sets whether the blocking forms return [`Errno::AGAIN`] instead of waiting.
    ///
    /// The flag belongs to the open description: it changes for every process that inherited or was
    /// handed this descriptor, and for no other that opened the queue.
    ///
    /// # Errors
    ///
    /// [`Errno::BADF`] if this was made from something that is no message queue.
    ///
    /// # References
    ///
    /// - [mq_getattr(3)](https://man7.org/linux/man-pages/man3/mq_getattr.3.html)
    #[doc(alias = "mq_setattr")]
    #[doc(alias = "mq_getsetattr")]
    #[inline]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
        let flags = if nonblocking { libc::O_NONBLOCK } else { 0 };
        let new = sys::Attributes { flags: flags.into(), ..sys::Attributes::default() };
        sys::get_and_set(self.0.as_fd(), Some(&new)).map(drop)
    }

    /// `mq_notify`: has `signal` sent to this process, once, when a message comes into the empty
    /// queue while nobody waits in `receive`.
    ///
    /// The handler finds `value` in `si_value`, and `si_code` `SI_MESGQ`. One process at a time can
    /// be registered, and stays so until the signal is sent, until
    /// [`cancel_notification`](Self::cancel_notification), or until it closes any
    /// descriptor of the queue, a clone's too. Register before emptying the queue, or the message
    /// that came in between is announced to nobody.
    ///
    /// # Errors
    ///
    /// [`Errno::BUSY`] if a process is registered already, this one included.
    ///
    /// # References
    ///
    /// - [mq_notify(3)](https://man7.org/linux/man-pages/man3/mq_notify.3.html)
    /// - [sigevent(3type)](https://man7.org/linux/man-pages/man3/sigevent.3type.html)
    #[doc(alias = "mq_notify")]
    #[doc(alias = "SIGEV_SIGNAL")]
    #[inline]
    pub fn notify_by_signal(&self, signal: Signal, value: usize) -> Result<()> {
        sys::notify_by_signal(self.0.as_fd(), signal.as_raw(), value)
    }

    /// `mq_notify` with nothing: takes this process's registration back. There need be none.
    ///
    /// # Errors
    ///
    /// [`Errno::BADF`] if this was made from something that is no message queue.
    ///
    /// # References
    ///
    /// - [mq_notify(3)](https://man7.org/linux/man-pages/man3/mq_notify.3.html)
    #[doc(alias = "mq_notify")]
    #[inline]
    pub fn cancel_notification(&self) -> Result<()> {
        sys::cancel_notification(self.0.as_fd())
    }

    /// `F_DUPFD_CLOEXEC`: another descriptor of the same open description, close-on-exec.
    ///
    /// # Errors
    ///
    /// [`Errno::MFILE`] at the limit of descriptors.
    #[doc(alias = "dup")]
    #[inline]
    pub fn try_clone(&self) -> Result<Self> {
        rustix::io::fcntl_dupfd_cloexec(&self.0, 0).map(Self)
    }

    #[inline]
    fn take(&self, filling: &mut Filling<'_>, wait: Wait) -> Result<u32> {
        let mut priority = 0;
        filling.fill(|space| {
            let (bytes, of_message) = sys::receive(self.0.as_fd(), space, wait)?;
            priority = of_message;
            Ok(bytes)
        })?;
        Ok(priority)
    }
}

/// A call that must not wait, with the kernel's answer to a time long past made what it is.
///
/// A signal can come even between the look and the answer; then it is asked again.
#[inline]
fn at_once<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Errno::TIMEDOUT) => return Err(Errno::AGAIN),
            Err(Errno::INTR) => {}
            answer => return answer,
        }
    }
}

impl AsFd for Mq {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Mq {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Takes the descriptor as it is. What is no message queue answers each call with [`Errno::BADF`].
impl From<OwnedFd> for Mq {
    #[inline]
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Mq> for OwnedFd {
    #[inline]
    fn from(queue: Mq) -> Self {
        queue.0
    }
}

static_assertions::assert_impl_all!(Mq: Send, Sync);
