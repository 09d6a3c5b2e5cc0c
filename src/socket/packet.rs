use rustix::event::PollFlags;
use rustix::fd::AsFd as _;
use rustix::io::IoSlice;
use rustix::net::{RecvFlags, SendFlags};

use super::kind::Packet;
use super::{Ancillary, Descriptors, Received, Socket};
#[cfg(doc)]
use crate::Errno;
use crate::buffer::Filling;
use crate::{Buffer, Deadline, Result, wait};

/// Messages: for [`SeqPacket`](super::SeqPacket) and [`Datagram`](super::Datagram).
impl<K: Packet> Socket<K> {
    /// `send`: queues `message` for the other side, sleeping while its queue is full.
    ///
    /// All of it or nothing. It may be empty; but an empty message on a
    /// [`SeqPacket`](super::SeqPacket) looks to the receiver like the end.
    ///
    /// # Errors
    ///
    /// [`Errno::MSGSIZE`] if it is longer than the socket's buffer (`net.core.wmem_default`, 208
    /// KiB unless set, less the kernel's overhead). [`Errno::PIPE`] if the other side has
    /// closed or shut down; on a [`Datagram`](super::Datagram) whose other side has closed,
    /// [`Errno::CONNREFUSED`] and from then on [`Errno::NOTCONN`]. [`Errno::CONNRESET`], once,
    /// if the other side closed without having read everything. [`Errno::INTR`] if a signal
    /// handler ran before there was room; [`Errno::AGAIN`] if there is no room and
    /// the description is [non-blocking](Self::set_nonblocking).
    ///
    /// # Examples
    ///
    /// See [`Socket`].
    ///
    /// # References
    ///
    /// - [send(2)](https://man7.org/linux/man-pages/man2/send.2.html)
    #[inline]
    pub fn send(&self, message: &[u8]) -> Result<()> {
        rustix::net::send(self, message, SendFlags::NOSIGNAL).map(drop)
    }

    /// As [`send`](Self::send), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `send`; [`Errno::AGAIN`] if there is no room, and `INTR` never.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Errno, socket::SeqPacket};
    ///
    /// let (here, _there) = SeqPacket::pair()?;
    /// while here.try_send(&[0; 4096]).is_ok() {}
    /// assert_eq!(here.try_send(&[0; 4096]), Err(Errno::AGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    #[doc(alias = "MSG_DONTWAIT")]
    #[inline]
    pub fn try_send(&self, message: &[u8]) -> Result<()> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        rustix::net::send(self, message, flags).map(drop)
    }

    /// As [`send`](Self::send), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `send`; [`Errno::TIMEDOUT`] if there is no room by then, and `AGAIN` never.
    #[inline]
    pub fn send_until(&self, message: &[u8], by: Deadline) -> Result<()> {
        wait::until(self.as_fd(), PollFlags::OUT, by, || self.try_send(message))
    }

    /// `sendmsg`: as [`send`](Self::send), for one message put together from several buffers, with
    /// descriptors or credentials along.
    ///
    /// # Errors
    ///
    /// As `send`, and: [`Errno::INVAL`] with more than [`MAX_DESCRIPTORS`](super::MAX_DESCRIPTORS)
    /// descriptors; [`Errno::PERM`] with credentials that one has no right to, and [`Errno::SRCH`]
    /// with those of no process; [`Errno::TOOMANYREFS`] if this user, unprivileged, has more
    /// descriptors under way than it may have open; [`Errno::MSGSIZE`] with more than 1024 buffers.
    ///
    /// # Examples
    ///
    /// See [`Ancillary`].
    ///
    /// # References
    ///
    /// - [sendmsg(2)](https://man7.org/linux/man-pages/man2/sendmsg.2.html)
    /// - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
    #[doc(alias = "sendmsg")]
    #[inline]
    pub fn send_with(&self, data: &[IoSlice<'_>], ancillary: Ancillary<'_>) -> Result<()> {
        self.transmit(data, ancillary, SendFlags::empty()).map(drop)
    }

    /// As [`send_with`](Self::send_with), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `send_with`; [`Errno::AGAIN`] if there is no room, and `INTR` never.
    #[inline]
    pub fn try_send_with(&self, data: &[IoSlice<'_>], ancillary: Ancillary<'_>) -> Result<()> {
        self.transmit(data, ancillary, SendFlags::DONTWAIT).map(drop)
    }

    /// As [`send_with`](Self::send_with), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `send_with`; [`Errno::TIMEDOUT`] if there is no room by then, and `AGAIN`
    /// never.
    #[inline]
    pub fn send_with_until(
        &self,
        data: &[IoSlice<'_>],
        ancillary: Ancillary<'_>,
        by: Deadline,
    ) -> Result<()> {
        wait::until(self.as_fd(), PollFlags::OUT, by, || self.try_send_with(data, ancillary))
    }

    /// `recv`: takes the next message, sleeping while there is none.
    ///
    /// One message at a time, never part of one and the rest later: what does not fit `buffer` is
    /// lost, and [`Received`] knows. To find room first, ask for [`next_len`](Self::next_len).
    ///
    /// When the other side of a [`SeqPacket`](super::SeqPacket) has closed or shut down and all is
    /// read, an empty message comes, again and again. (One that was really sent brings
    /// [credentials](Self::pass_credentials), if asked for; the end does not.) A
    /// [`Datagram`](super::Datagram) has no end: use a deadline.
    ///
    /// # Errors
    ///
    /// [`Errno::INTR`] if a signal handler ran before anything came;
    /// [`Errno::AGAIN`] if there is nothing and the description is
    /// [non-blocking](Self::set_nonblocking); [`Errno::CONNRESET`], once, if the
    /// other side closed without having read everything.
    ///
    /// # Examples
    ///
    /// See [`Received`].
    ///
    /// # References
    ///
    /// - [recv(2)](https://man7.org/linux/man-pages/man2/recv.2.html)
    #[doc(alias = "recv")]
    #[inline]
    pub fn receive<'b>(&self, buffer: impl Buffer<'b>) -> Result<Received<'b>> {
        self.receive_with(buffer, &mut Descriptors::<0>::new())
    }

    /// As [`receive`](Self::receive), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `receive`; [`Errno::AGAIN`] if there is nothing, and `INTR` never.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Errno, socket::Datagram};
    ///
    /// let (here, _there) = Datagram::pair()?;
    /// assert_eq!(here.try_receive(&mut [0; 8]).unwrap_err(), Errno::AGAIN);
    /// # Ok::<(), Errno>(())
    /// ```
    #[doc(alias = "MSG_DONTWAIT")]
    #[inline]
    pub fn try_receive<'b>(&self, buffer: impl Buffer<'b>) -> Result<Received<'b>> {
        self.try_receive_with(buffer, &mut Descriptors::<0>::new())
    }

    /// As [`receive`](Self::receive), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `receive`; [`Errno::TIMEDOUT`] if there is nothing by then, and `AGAIN` never.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Deadline, Errno, socket::Datagram};
    ///
    /// let (here, there) = Datagram::pair()?;
    /// drop(there); // no end of file: only a deadline ends this
    /// assert_eq!(here.receive_until(&mut [0; 8], Deadline::now()).unwrap_err(), Errno::TIMEDOUT);
    /// # Ok::<(), Errno>(())
    /// ```
    #[inline]
    pub fn receive_until<'b>(&self, buffer: impl Buffer<'b>, by: Deadline) -> Result<Received<'b>> {
        self.receive_with_until(buffer, &mut Descriptors::<0>::new(), by)
    }

    /// `recvmsg`: as [`receive`](Self::receive), with the descriptors that come along.
    ///
    /// Closes what `descriptors` holds from before. What comes are new descriptors of this process,
    /// close-on-exec.
    ///
    /// # Errors
    ///
    /// As `receive`. A full table of descriptors is not an error of the call: see
    /// [`Received::whole`].
    ///
    /// # Examples
    ///
    /// See [`Ancillary`].
    ///
    /// # References
    ///
    /// - [recvmsg(2)](https://man7.org/linux/man-pages/man2/recvmsg.2.html)
    /// - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
    #[doc(alias = "recvmsg")]
    #[inline]
    pub fn receive_with<'b, const N: usize>(
        &self,
        buffer: impl Buffer<'b>,
        descriptors: &mut Descriptors<N>,
    ) -> Result<Received<'b>> {
        let mut filling = Filling::new(buffer);
        let told = self.take(&mut filling, descriptors, RecvFlags::TRUNC)?;
        Ok(told.of(filling))
    }

    /// As [`receive_with`](Self::receive_with), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `receive_with`; [`Errno::AGAIN`] if there is nothing, and `INTR` never.
    #[inline]
    pub fn try_receive_with<'b, const N: usize>(
        &self,
        buffer: impl Buffer<'b>,
        descriptors: &mut Descriptors<N>,
    ) -> Result<Received<'b>> {
        let mut filling = Filling::new(buffer);
        let told = self.take(&mut filling, descriptors, RecvFlags::TRUNC | RecvFlags::DONTWAIT)?;
        Ok(told.of(filling))
    }

    /// As [`receive_with`](Self::receive_with), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `receive_with`; [`Errno::TIMEDOUT`] if there is nothing by then, and `AGAIN`
    /// never.
    pub fn receive_with_until<'b, const N: usize>(
        &self,
        buffer: impl Buffer<'b>,
        descriptors: &mut Descriptors<N>,
        by: Deadline,
    ) -> Result<Received<'b>> {
        let mut filling = Filling::new(buffer);
        let flags = RecvFlags::TRUNC | RecvFlags::DONTWAIT;
        let told = wait::until(self.as_fd(), PollFlags::IN, by, || {
            self.take(&mut filling, descriptors, flags)
        })?;
        Ok(told.of(filling))
    }

    /// How long the next message is, which stays where it is; sleeps while there is none.
    ///
    /// With several receivers, another one may take that message first.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::socket::SeqPacket;
    ///
    /// let (here, there) = SeqPacket::pair()?;
    /// here.send(b"measure me first")?;
    /// let mut buffer = vec![0; there.next_len()?];
    /// assert_eq!(there.receive(&mut buffer[..])?.whole()?, b"measure me first");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "MSG_PEEK")]
    #[inline]
    pub fn next_len(&self) -> Result<usize> {
        self.peek_len(RecvFlags::empty())
    }

    /// As [`next_len`](Self::next_len), but never sleeps.
    ///
    /// # Errors
    ///
    /// As [`try_receive`](Self::try_receive).
    #[inline]
    pub fn try_next_len(&self) -> Result<usize> {
        self.peek_len(RecvFlags::DONTWAIT)
    }

    /// As [`next_len`](Self::next_len), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As [`receive_until`](Self::receive_until).
    #[inline]
    pub fn next_len_until(&self, by: Deadline) -> Result<usize> {
        wait::until(self.as_fd(), PollFlags::IN, by, || self.try_next_len())
    }

    #[inline]
    fn peek_len(&self, flags: RecvFlags) -> Result<usize> {
        let flags = flags | RecvFlags::PEEK | RecvFlags::TRUNC;
        // Without room for control messages, the kernel makes no descriptors.
        let (_none, len) = rustix::net::recv(self, &mut [0_u8; 0], flags)?;
        Ok(len)
    }
}
