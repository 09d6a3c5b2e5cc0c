//! System V message queues: messages with types, which the receiver chooses by.
//!
//! # Where the bytes stand
//!
//! The kernel wants a message's type in the word in front of its text, in one piece. So that
//! nothing is copied but by the kernel, a caller's buffer has [`HEADER`] bytes more than the text:
//! [`receive`](MsgQueue::receive) returns the text as the part behind them, and
//! [`send_in_place`](MsgQueue::send_in_place) sends it from there, so that a message can be passed
//! on from queue to queue without being touched. [`send`](MsgQueue::send) takes the text from
//! anywhere, and copies it, up to [`COPIED`] bytes, behind its type on the stack: the usual limit
//! of a message (`msgmax`), and little beside the system call.
//!
//! # Time
//!
//! The kernel has no timed form, and a queue cannot be polled. Where a deadline is wanted, use
//! [`posix::Mq`](crate::posix::Mq).
//!
//! # References
//!
//! - [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html)
//! - [msgop(2)](https://man7.org/linux/man-pages/man2/msgop.2.html)

use core::ffi::c_long;

use rustix::fs::Mode;
use rustix::process::{Gid, Pid, Uid};

use super::{Key, Permissions};
use crate::buffer::Filling;
use crate::sys::sysv::msg as sys;
use crate::{Buffer, Errno, Result};

/// How many bytes a buffer has in front of the text.
pub const HEADER: usize = size_of::<c_long>();

/// How many bytes of text [`MsgQueue::send`] can copy.
pub const COPIED: usize = 8192;

/// A System V message queue, by its identifier.
///
/// Only a number: dropping it changes nothing. The queue stays until it is
/// [removed](Self::remove).
///
/// # Examples
///
/// ```
/// use rawipc::sysv::msg::{HEADER, Which};
/// use rawipc::sysv::{Mode, MsgQueue};
///
/// let (queue, _key) = MsgQueue::create_unique(Mode::RUSR | Mode::WUSR)?;
/// queue.send(1, b"first")?;
/// queue.send(2, b"second")?;
///
/// let mut buffer = [0; HEADER + 64];
/// let message = queue.receive(&mut buffer, Which::exactly(2))?;
/// assert_eq!((message.kind, &*message.text), (2, &b"second"[..]));
/// queue.remove()?;
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MsgQueue(i32);

/// A message that was received.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// Its type.
    pub kind: c_long,
    /// Its text, in the buffer that was lent.
    pub text: &'b mut [u8],
}

/// Which message to receive.
///
/// # Examples
///
/// See [`MsgQueue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Which {
    kind: c_long,
    flags: i32,
}

impl Which {
    /// The oldest.
    #[inline]
    pub const fn any() -> Self {
        Self { kind: 0, flags: 0 }
    }

    /// The oldest of that type. `INVAL` on receiving if it is not positive.
    #[inline]
    pub const fn exactly(kind: c_long) -> Self {
        Self { kind: if kind > 0 { kind } else { c_long::MIN }, flags: 0 }
    }

    /// The oldest of the lowest type there is, up to `kind`. `INVAL` on receiving if it is not
    /// positive.
    #[inline]
    pub const fn lowest_up_to(kind: c_long) -> Self {
        Self { kind: if kind > 0 { kind.wrapping_neg() } else { c_long::MIN }, flags: 0 }
    }

    /// The oldest of any other type (`MSG_EXCEPT`). `INVAL` on receiving if it is not positive.
    #[doc(alias = "MSG_EXCEPT")]
    #[inline]
    pub const fn any_but(kind: c_long) -> Self {
        Self { flags: libc::MSG_EXCEPT, ..Self::exactly(kind) }
    }

    /// Lets what is too long for the buffer be cut off and lost, without a word (`MSG_NOERROR`).
    #[doc(alias = "MSG_NOERROR")]
    #[inline]
    pub const fn truncating(mut self) -> Self {
        self.flags |= libc::MSG_NOERROR;
        self
    }
}

/// What a queue is like, and what is in it.
#[doc(alias = "msqid_ds")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whose it is.
    pub permissions: Permissions,
    /// How many messages are in it.
    pub messages: usize,
    /// How many bytes of text they have together.
    pub bytes: usize,
    /// How many bytes of text it holds at most.
    pub max_bytes: usize,
    /// Who sent last, if anybody did.
    pub last_sender: Option<Pid>,
    /// Who received last, if anybody did.
    pub last_receiver: Option<Pid>,
    /// When something was last sent, in seconds since 1970; zero if never.
    pub send_time: i64,
    /// When something was last received, in seconds since 1970; zero if never.
    pub receive_time: i64,
    /// When it was created or last [set](MsgQueue::set_mode), in seconds since 1970.
    pub change_time: i64,
}

impl MsgQueue {
    /// `msgget`: finds the queue of that key.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] if there is none. It takes no permission: every use of the queue does.
    ///
    /// # References
    ///
    /// - [msgget(2)](https://man7.org/linux/man-pages/man2/msgget.2.html)
    #[doc(alias = "msgget")]
    #[inline]
    pub fn open(key: Key) -> Result<Self> {
        // Without O_CREAT, the private key would still create.
        if key == Key::PRIVATE {
            return Err(Errno::NOENT);
        }
        sys::get_queue(key.as_raw(), 0).map(Self)
    }

    /// `msgget` with `IPC_CREAT`: finds the queue of that key, and creates it if there is none.
    ///
    /// A new one has the permissions `mode`; the umask does not count. One that was there keeps its
    /// own.
    ///
    /// # Errors
    ///
    /// [`Errno::ACCESS`] if there is one and it does not permit all that `mode` asks;
    /// [`Errno::NOSPC`] if there are as many queues as the system allows (`msgmni`).
    ///
    /// # References
    ///
    /// - [msgget(2)](https://man7.org/linux/man-pages/man2/msgget.2.html)
    #[doc(alias = "IPC_CREAT")]
    #[inline]
    pub fn create(key: Key, mode: Mode) -> Result<Self> {
        sys::get_queue(key.as_raw(), flags(mode) | libc::IPC_CREAT).map(Self)
    }

    /// `msgget` with `IPC_CREAT` and `IPC_EXCL`: creates a queue; under [`Key::PRIVATE`], one that
    /// no key finds.
    ///
    /// # Errors
    ///
    /// [`Errno::EXIST`] if the key is taken; [`Errno::NOSPC`] if there are as many queues as the
    /// system allows (`msgmni`).
    ///
    /// # References
    ///
    /// - [msgget(2)](https://man7.org/linux/man-pages/man2/msgget.2.html)
    #[doc(alias = "IPC_EXCL")]
    #[inline]
    pub fn create_new(key: Key, mode: Mode) -> Result<Self> {
        sys::get_queue(key.as_raw(), flags(mode) | libc::IPC_CREAT | libc::IPC_EXCL).map(Self)
    }

    /// Creates a queue under a key that was not in use, and says which.
    ///
    /// # Errors
    ///
    /// As [`create_new`](Self::create_new), but for `EXIST`.
    ///
    /// # Examples
    ///
    /// See [`MsgQueue`].
    #[inline]
    pub fn create_unique(mode: Mode) -> Result<(Self, Key)> {
        Key::unused(|key| Self::create_new(key, mode))
    }

    /// The queue with that identifier, which another process may have told.
    #[must_use]
    #[inline]
    pub const fn from_id(id: i32) -> Self {
        Self(id)
    }

    /// The identifier, by which every process that may use the queue can, key or no key.
    #[must_use]
    #[inline]
    pub const fn id(self) -> i32 {
        self.0
    }

    /// `msgsnd`: adds a message of that type, sleeping while there is no room.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if the type is not positive, if the text is longer than the system allows
    /// (`msgmax`), or longer than [`COPIED`]: then use [`send_in_place`](Self::send_in_place).
    /// `INVAL` too, or [`Errno::IDRM`] if it happens while this sleeps, if the queue has been
    /// removed. [`Errno::ACCESS`] without permission to write. [`Errno::INTR`] if a signal
    /// handler ran before there was room; never restarted by `SA_RESTART`.
    ///
    /// # Examples
    ///
    /// See [`MsgQueue`].
    ///
    /// # References
    ///
    /// - [msgop(2)](https://man7.org/linux/man-pages/man2/msgop.2.html)
    #[doc(alias = "msgsnd")]
    #[inline]
    pub fn send(self, kind: c_long, text: &[u8]) -> Result<()> {
        self.copy_and_send(kind, text, 0)
    }

    /// As [`send`](Self::send), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `send`; [`Errno::AGAIN`] if there is no room, and `INTR` and `IDRM` never.
    #[doc(alias = "IPC_NOWAIT")]
    #[inline]
    pub fn try_send(self, kind: c_long, text: &[u8]) -> Result<()> {
        self.copy_and_send(kind, text, libc::IPC_NOWAIT)
    }

    /// As [`send`](Self::send), without a copy: the text stands in `buffer` behind its first
    /// [`HEADER`] bytes, which are overwritten.
    ///
    /// # Errors
    ///
    /// As `send`, for texts of any length; [`Errno::INVAL`] if the buffer is shorter than `HEADER`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sysv::msg::{HEADER, Which};
    /// use rawipc::sysv::{Key, Mode, MsgQueue};
    ///
    /// let inbox = MsgQueue::create_new(Key::PRIVATE, Mode::RUSR | Mode::WUSR)?;
    /// let outbox = MsgQueue::create_new(Key::PRIVATE, Mode::RUSR | Mode::WUSR)?;
    /// inbox.send(1, b"pass it on")?;
    ///
    /// let mut buffer = [0; HEADER + 64];
    /// let len = inbox.receive(&mut buffer, Which::any())?.text.len();
    /// outbox.send_in_place(2, &mut buffer[..HEADER + len])?;
    ///
    /// let message = outbox.receive(&mut buffer, Which::any())?;
    /// assert_eq!((message.kind, &*message.text), (2, &b"pass it on"[..]));
    /// inbox.remove()?;
    /// outbox.remove()?;
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[inline]
    pub fn send_in_place(self, kind: c_long, buffer: &mut [u8]) -> Result<()> {
        put_kind(kind, buffer)?;
        sys::send(self.0, buffer, 0)
    }

    /// As [`send_in_place`](Self::send_in_place), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `send_in_place`; [`Errno::AGAIN`] if there is no room, and `INTR` and `IDRM` never.
    #[doc(alias = "IPC_NOWAIT")]
    #[inline]
    pub fn try_send_in_place(self, kind: c_long, buffer: &mut [u8]) -> Result<()> {
        put_kind(kind, buffer)?;
        sys::send(self.0, buffer, libc::IPC_NOWAIT)
    }

    /// `msgrcv`: takes a message, sleeping while there is none of those wanted.
    ///
    /// The text comes in `buffer` behind its first [`HEADER`] bytes.
    ///
    /// # Errors
    ///
    /// [`Errno::TOOBIG`] if the text is longer than the buffer has room for: the message stays,
    /// unless [truncation](Which::truncating) was asked for. [`Errno::INVAL`] if the buffer is
    /// shorter than `HEADER`, if the type wanted is not positive, or if the queue has been
    /// removed; [`Errno::IDRM`] if it is while this sleeps. [`Errno::ACCESS`] without
    /// permission to read. [`Errno::INTR`] if a signal handler ran before one came; never
    /// restarted by `SA_RESTART`.
    ///
    /// # Examples
    ///
    /// See [`MsgQueue`].
    ///
    /// # References
    ///
    /// - [msgop(2)](https://man7.org/linux/man-pages/man2/msgop.2.html)
    #[doc(alias = "msgrcv")]
    #[inline]
    pub fn receive<'b>(self, buffer: impl Buffer<'b>, which: Which) -> Result<Message<'b>> {
        self.take(buffer, which, 0)
    }

    /// As [`receive`](Self::receive), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `receive`; [`Errno::NOMSG`] if there is none of those wanted, and `INTR` and `IDRM`
    /// never.
    #[doc(alias = "IPC_NOWAIT")]
    #[inline]
    pub fn try_receive<'b>(self, buffer: impl Buffer<'b>, which: Which) -> Result<Message<'b>> {
        self.take(buffer, which, libc::IPC_NOWAIT)
    }

    /// `msgrcv` with `MSG_COPY`: copies the message at that place in the queue, from zero, which
    /// stays in it. Never sleeps.
    ///
    /// # Errors
    ///
    /// [`Errno::NOMSG`] if there are not so many; [`Errno::NOSYS`] in a kernel without
    /// `CONFIG_CHECKPOINT_RESTORE`; [`Errno::TOOBIG`], [`Errno::INVAL`] and [`Errno::ACCESS`] as
    /// [`receive`](Self::receive).
    ///
    /// # References
    ///
    /// - [msgop(2)](https://man7.org/linux/man-pages/man2/msgop.2.html)
    #[doc(alias = "MSG_COPY")]
    #[inline]
    pub fn copy_at<'b>(self, buffer: impl Buffer<'b>, index: usize) -> Result<Message<'b>> {
        let index = c_long::try_from(index).map_err(|_| Errno::NOMSG)?;
        let which = Which { kind: index, flags: libc::MSG_COPY };
        self.take(buffer, which, libc::IPC_NOWAIT)
    }

    /// `msgctl` with `IPC_STAT`.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if the queue has been removed; [`Errno::ACCESS`] without permission to
    /// read.
    ///
    /// # References
    ///
    /// - [msgctl(2)](https://man7.org/linux/man-pages/man2/msgctl.2.html)
    #[doc(alias = "msgctl")]
    #[doc(alias = "IPC_STAT")]
    pub fn status(self) -> Result<Status> {
        let told = sys::queue_status(self.0)?;
        Ok(Status {
            permissions: Permissions::from_kernel(&told.permissions),
            messages: told.messages,
            bytes: told.bytes,
            max_bytes: told.max_bytes,
            last_sender: Pid::from_raw(told.last_sender.max(0)),
            last_receiver: Pid::from_raw(told.last_receiver.max(0)),
            send_time: told.send_time.get(),
            receive_time: told.receive_time.get(),
            change_time: told.change_time.get(),
        })
    }

    /// `msgctl` with `IPC_SET`: gives it to another owner and group.
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator; [`Errno::ACCESS`] without
    /// permission to read; [`Errno::INVAL`] if the queue has been removed.
    ///
    /// # References
    ///
    /// - [msgctl(2)](https://man7.org/linux/man-pages/man2/msgctl.2.html)
    #[doc(alias = "IPC_SET")]
    #[inline]
    pub fn set_owner(self, uid: Uid, gid: Gid) -> Result<()> {
        self.set(|status| {
            (status.permissions.uid, status.permissions.gid) = (uid.as_raw(), gid.as_raw());
        })
    }

    /// `msgctl` with `IPC_SET`: sets who may read and write.
    ///
    /// # Errors
    ///
    /// As [`set_owner`](Self::set_owner).
    #[doc(alias = "IPC_SET")]
    #[inline]
    pub fn set_mode(self, mode: Mode) -> Result<()> {
        self.set(|status| status.permissions.set_mode(mode.as_raw_mode()))
    }

    /// `msgctl` with `IPC_SET`: sets how many bytes of text it holds at most.
    ///
    /// # Errors
    ///
    /// As [`set_owner`](Self::set_owner); [`Errno::PERM`] too if it is more than the system allows
    /// (`msgmnb`) and the process has not `CAP_SYS_RESOURCE`.
    #[doc(alias = "IPC_SET")]
    #[doc(alias = "msg_qbytes")]
    #[inline]
    pub fn set_max_bytes(self, bytes: usize) -> Result<()> {
        self.set(|status| status.max_bytes = bytes)
    }

    /// `msgctl` with `IPC_RMID`: removes it, with all that is in it. Those who sleep in it get
    /// [`Errno::IDRM`].
    ///
    /// # Errors
    ///
    /// [`Errno::PERM`] for those who are neither owner nor creator; [`Errno::INVAL`] if it has been
    /// removed already.
    ///
    /// # References
    ///
    /// - [msgctl(2)](https://man7.org/linux/man-pages/man2/msgctl.2.html)
    #[doc(alias = "IPC_RMID")]
    #[inline]
    pub fn remove(self) -> Result<()> {
        sys::remove_queue(self.0)
    }

    #[inline]
    fn copy_and_send(self, kind: c_long, text: &[u8], flags: i32) -> Result<()> {
        if text.len() <= SHORT {
            sys::send_copy::<SHORT>(self.0, kind, text, flags)
        } else {
            send_long(self.0, kind, text, flags)
        }
    }

    #[inline]
    fn take<'b>(self, buffer: impl Buffer<'b>, which: Which, flags: i32) -> Result<Message<'b>> {
        if which.kind == c_long::MIN {
            return Err(Errno::INVAL);
        }
        let mut filling = Filling::new(buffer);
        filling.fill(|space| sys::receive(self.0, space, which.kind, which.flags | flags))?;
        let (kind, text) = filling.into_filled().split_first_chunk_mut().ok_or(Errno::INVAL)?;
        Ok(Message { kind: c_long::from_ne_bytes(*kind), text })
    }

    /// Reads the status, changes it, and sets what can be set. Two who do so at once may undo each
    /// other's change, as everywhere with System V.
    fn set(self, change: impl FnOnce(&mut sys::QueueStatus)) -> Result<()> {
        let mut status = sys::queue_status(self.0)?;
        change(&mut status);
        sys::set_queue(self.0, &status)
    }
}

/// The permissions as `msgget` takes them among its flags.
#[inline]
fn flags(mode: Mode) -> i32 {
    i32::try_from(mode.as_raw_mode() & 0o777).unwrap_or_default()
}

#[inline]
fn put_kind(kind: c_long, buffer: &mut [u8]) -> Result<()> {
    *buffer.first_chunk_mut().ok_or(Errno::INVAL)? = kind.to_ne_bytes();
    Ok(())
}

/// Text up to this length is spared a large stack frame, and a call.
const SHORT: usize = 256;

/// Not inlined: so the stack is as large as that only where it has to be.
#[inline(never)]
fn send_long(queue: i32, kind: c_long, text: &[u8], flags: i32) -> Result<()> {
    sys::send_copy::<COPIED>(queue, kind, text, flags)
}
