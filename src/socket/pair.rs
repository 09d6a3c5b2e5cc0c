use core::marker::PhantomData;

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, socketpair, sockopt};

use super::Credentials;
use crate::{Errno, Result, sys};

/// What a [`Socket`] carries, as types without values.
pub mod kind {
    use super::SocketType;

    /// Bytes (`SOCK_STREAM`).
    #[derive(Debug)]
    pub enum Stream {}

    /// Messages, with an end (`SOCK_SEQPACKET`).
    #[derive(Debug)]
    pub enum SeqPacket {}

    /// Messages, without an end (`SOCK_DGRAM`).
    #[derive(Debug)]
    pub enum Datagram {}

    /// One of the three.
    pub trait Kind: sealed::Kind {}

    /// A kind that carries messages.
    pub trait Packet: Kind {}

    pub(in crate::socket) mod sealed {
        use super::SocketType;

        pub trait Kind {
            const TYPE: SocketType;
        }
    }

    impl Kind for Stream {}
    impl Kind for SeqPacket {}
    impl Kind for Datagram {}
    impl Packet for SeqPacket {}
    impl Packet for Datagram {}

    impl sealed::Kind for Stream {
        const TYPE: SocketType = SocketType::STREAM;
    }
    impl sealed::Kind for SeqPacket {
        const TYPE: SocketType = SocketType::SEQPACKET;
    }
    impl sealed::Kind for Datagram {
        const TYPE: SocketType = SocketType::DGRAM;
    }
}

/// One end of a socket pair: a [`Stream`](super::Stream), [`SeqPacket`](super::SeqPacket) or
/// [`Datagram`](super::Datagram).
///
/// Can be shared between threads and processes. Dropping it closes this copy of the end.
///
/// # Examples
///
/// ```
/// use rawipc::socket::SeqPacket;
///
/// let (here, there) = SeqPacket::pair()?;
/// here.send(b"ping")?;
/// let mut buffer = [0; 64];
/// assert_eq!(there.receive(&mut buffer)?.whole()?, b"ping");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Socket<K: kind::Kind> {
    fd: OwnedFd,
    kind: PhantomData<K>,
}

impl<K: kind::Kind> Socket<K> {
    const fn checked(fd: OwnedFd) -> Self {
        Self { fd, kind: PhantomData }
    }

    /// `socketpair`: two connected ends, blocking and close-on-exec.
    ///
    /// # Errors
    ///
    /// [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// # Examples
    ///
    /// See [`Socket`].
    ///
    /// # References
    ///
    /// - [socketpair(2)](https://man7.org/linux/man-pages/man2/socketpair.2.html)
    #[doc(alias = "socketpair")]
    #[inline]
    pub fn pair() -> Result<(Self, Self)> {
        Self::pair_with(SocketFlags::empty())
    }

    /// As [`pair`](Self::pair), with flags: [`SocketFlags::NONBLOCK`] for both ends. `CLOEXEC` is
    /// always set.
    ///
    /// # Errors
    ///
    /// As [`pair`](Self::pair).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Errno;
    /// use rawipc::socket::{SocketFlags, Stream};
    ///
    /// let (here, _there) = Stream::pair_with(SocketFlags::NONBLOCK)?;
    /// assert_eq!(here.read(&mut [0]), Err(Errno::AGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    #[inline]
    pub fn pair_with(flags: SocketFlags) -> Result<(Self, Self)> {
        let flags = flags | SocketFlags::CLOEXEC;
        let (one, other) = socketpair(AddressFamily::UNIX, K::TYPE, flags, None)?;
        Ok((Self::checked(one), Self::checked(other)))
    }

    /// `F_DUPFD_CLOEXEC`: another descriptor of this end, close-on-exec.
    ///
    /// Both refer to one open file description: its flags are common, and the end is closed when
    /// the last of them is.
    ///
    /// # Errors
    ///
    /// [`Errno::MFILE`] at the limit of descriptors.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::socket::Stream;
    ///
    /// let (here, there) = Stream::pair()?;
    /// let another = here.try_clone()?;
    /// drop(here);
    /// another.write(b"still open")?;
    /// assert_eq!(there.read(&mut [0; 16])?, b"still open");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [F_DUPFD_CLOEXEC(2const)](https://man7.org/linux/man-pages/man2/F_DUPFD.2const.html)
    #[doc(alias = "dup")]
    #[inline]
    pub fn try_clone(&self) -> Result<Self> {
        rustix::io::fcntl_dupfd_cloexec(&self.fd, 0).map(Self::checked)
    }

    /// `shutdown`: ends one direction or both, for every copy of this end in every process.
    ///
    /// What was sent before still arrives; then the other side finds the end of file, or
    /// [`Errno::PIPE`] where it sends. (On a [`Datagram`](super::Datagram), whose
    /// receiver then still sleeps, only the latter. Where it has shut down its own reading,
    /// `receive` returns an empty message at once.)
    ///
    /// # Errors
    ///
    /// None that a socket of this kind could give.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::socket::{Shutdown, Stream};
    ///
    /// let (here, there) = Stream::pair()?;
    /// here.write_all(b"that was all")?;
    /// here.shutdown(Shutdown::Write)?;
    ///
    /// let mut buffer = [0; 64];
    /// assert_eq!(there.read_all(&mut buffer)?, b"that was all");
    /// there.write_all(b"but I can still answer")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # References
    ///
    /// - [shutdown(2)](https://man7.org/linux/man-pages/man2/shutdown.2.html)
    #[inline]
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        rustix::net::shutdown(&self.fd, how)
    }

    /// `SO_PEERCRED`: who made this pair, as the kernel recorded it then.
    ///
    /// That is the process that called [`pair`](Self::pair), on both ends, wherever they are now.
    /// For who sent a message, see [`pass_credentials`](Self::pass_credentials).
    ///
    /// # Errors
    ///
    /// None that a socket of this kind could give.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{process, socket::SeqPacket};
    ///
    /// let (here, _there) = SeqPacket::pair()?;
    /// assert_eq!(here.peer_credentials()?.pid, Some(process::id()));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
    #[doc(alias = "SO_PEERCRED")]
    #[inline]
    pub fn peer_credentials(&self) -> Result<Credentials> {
        sys::socket::peer_credentials(self.as_fd()).map(Credentials::from_bytes)
    }

    /// `SO_PASSCRED`: whether what is sent here from now on comes with its sender's
    /// [`Credentials`], vouched for by the kernel.
    ///
    /// What was sent before comes as from nobody: without a pid, and with the user and group that
    /// stand for unknown ones (65534). So ask before the other end can send.
    ///
    /// # Errors
    ///
    /// None that a socket of this kind could give.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{process, socket::SeqPacket};
    ///
    /// let (here, there) = SeqPacket::pair()?;
    /// there.pass_credentials(true)?;
    /// here.send(b"it is me")?;
    /// let credentials = there.receive(&mut [0; 64])?.credentials();
    /// assert_eq!(credentials.and_then(|of_sender| of_sender.pid), Some(process::id()));
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
    #[doc(alias = "SO_PASSCRED")]
    #[inline]
    pub fn pass_credentials(&self, pass: bool) -> Result<()> {
        sockopt::set_socket_passcred(&self.fd, pass)
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
        Ok(rustix::fs::fcntl_getfl(&self.fd)?.contains(rustix::fs::OFlags::NONBLOCK))
    }

    /// Sets whether the blocking forms return [`Errno::AGAIN`] instead of waiting.
    ///
    /// The flag belongs to the open file description: it changes for every process that inherited
    /// or was handed this end.
    ///
    /// # Errors
    ///
    /// None that an open descriptor could give.
    ///
    /// # References
    ///
    /// - [ioctl(2)](https://man7.org/linux/man-pages/man2/ioctl.2.html)
    #[doc(alias = "FIONBIO")]
    #[doc(alias = "O_NONBLOCK")]
    #[inline]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
        rustix::io::ioctl_fionbio(&self.fd, nonblocking)
    }
}

impl<K: kind::Kind> AsFd for Socket<K> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl<K: kind::Kind> AsRawFd for Socket<K> {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// Takes a descriptor that is a Unix domain socket of this kind.
///
/// [`Errno::PROTOTYPE`] if it is a socket of another kind or family, [`Errno::NOTSOCK`] if it is
/// none.
impl<K: kind::Kind> TryFrom<OwnedFd> for Socket<K> {
    type Error = Errno;

    fn try_from(fd: OwnedFd) -> Result<Self> {
        // Checked once and for all, as a socket stays what it is: receiving relies on it. (What TCP
        // says that it received may be what it threw away.)
        let is_unix = sockopt::socket_domain(&fd)? == AddressFamily::UNIX;
        if is_unix && sockopt::socket_type(&fd)? == K::TYPE {
            Ok(Self::checked(fd))
        } else {
            Err(Errno::PROTOTYPE)
        }
    }
}

impl<K: kind::Kind> From<Socket<K>> for OwnedFd {
    #[inline]
    fn from(socket: Socket<K>) -> Self {
        socket.fd
    }
}

static_assertions::assert_impl_all!(Socket<kind::Stream>: Send, Sync);
