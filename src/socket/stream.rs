use rustix::event::PollFlags;
use rustix::fd::AsFd as _;
use rustix::io::IoSlice;
use rustix::net::{RecvFlags, SendFlags};

use super::{Ancillary, Descriptors, Received, Stream};
use crate::buffer::{Filling, pour_all};
use crate::error::Incomplete;
use crate::{Buffer, Deadline, Errno, Result, wait};

/// Bytes.
impl Stream {
    /// `recv`: takes what is there, up to the length of `buffer`, sleeping while there is nothing.
    ///
    /// Returns the bytes read, in `buffer`: none at the end, when the other side has closed or shut
    /// down and all is read. Descriptors that came along are closed: where the other side may
    /// send some, use [`receive_with`](Self::receive_with).
    ///
    /// # Errors
    ///
    /// [`Errno::INTR`] if a signal handler ran before anything came; [`Errno::AGAIN`] if there is
    /// nothing and the description is [non-blocking](Self::set_nonblocking);
    /// [`Errno::CONNRESET`], once, if the other side closed without having read everything.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::socket::Stream;
    ///
    /// let (here, there) = Stream::pair()?;
    /// here.write(b"ping")?;
    /// assert_eq!(there.read(&mut [0; 16])?, b"ping");
    /// there.write(b"pong")?;
    /// assert_eq!(here.read(&mut [0; 16])?, b"pong");
    /// drop(there);
    /// assert_eq!(here.read(&mut [0; 16])?, b"");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [recv(2)](https://man7.org/linux/man-pages/man2/recv.2.html)
    #[doc(alias = "recv")]
    #[inline]
    pub fn read<'b>(&self, buffer: impl Buffer<'b>) -> Result<&'b mut [u8]> {
        let mut filling = Filling::new(buffer);
        self.recv(&mut filling, RecvFlags::empty())?;
        Ok(filling.into_filled())
    }

    /// As [`read`](Self::read), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `read`; [`Errno::AGAIN`] if there is nothing, and `INTR` never.
    #[doc(alias = "MSG_DONTWAIT")]
    #[inline]
    pub fn try_read<'b>(&self, buffer: impl Buffer<'b>) -> Result<&'b mut [u8]> {
        let mut filling = Filling::new(buffer);
        self.recv(&mut filling, RecvFlags::DONTWAIT)?;
        Ok(filling.into_filled())
    }

    /// As [`read`](Self::read), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `read`; [`Errno::TIMEDOUT`] if there is nothing by then, and `AGAIN` never.
    #[inline]
    pub fn read_until<'b>(&self, buffer: impl Buffer<'b>, by: Deadline) -> Result<&'b mut [u8]> {
        let mut filling = Filling::new(buffer);
        self.recv_until(&mut filling, by)?;
        Ok(filling.into_filled())
    }

    /// Reads until `buffer` is full or the stream ends. Goes on after a signal.
    ///
    /// Returns the bytes read: fewer than there is room for only at the end.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with what [`read`](Self::read) gives, but for `INTR`; those that came are in
    /// `buffer`.
    ///
    /// # Examples
    ///
    /// See [`shutdown`](Self::shutdown).
    #[doc(alias = "read_exact")]
    #[doc(alias = "readn")]
    #[inline]
    pub fn read_all<'b>(&self, buffer: impl Buffer<'b>) -> Result<&'b mut [u8], Incomplete> {
        Filling::new(buffer).fill_all(|filling| self.recv(filling, RecvFlags::empty()))
    }

    /// As [`read_all`](Self::read_all), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with [`Errno::TIMEDOUT`] if the bytes are not all there by then, or with what
    /// [`read`](Self::read) gives, but for `INTR` and `AGAIN`.
    #[inline]
    pub fn read_all_until<'b>(
        &self,
        buffer: impl Buffer<'b>,
        by: Deadline,
    ) -> Result<&'b mut [u8], Incomplete> {
        Filling::new(buffer).fill_all(|filling| self.recv_until(filling, by))
    }

    /// `send`: sends `bytes`, sleeping while there is no room. Returns how many were taken: fewer
    /// than all if something interrupts the wait for more room.
    ///
    /// # Errors
    ///
    /// [`Errno::PIPE`] if the other side has closed or shut down; [`Errno::CONNRESET`], once, if it
    /// closed without having read everything. [`Errno::INTR`] if a signal handler ran before
    /// anything was taken; [`Errno::AGAIN`] if there is no room and the description is
    /// [non-blocking](Self::set_nonblocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::{Errno, socket::Stream};
    ///
    /// let (here, there) = Stream::pair()?;
    /// assert_eq!(here.write(b"to you")?, 6);
    /// assert_eq!(there.read(&mut [0; 16])?, b"to you");
    /// drop(there);
    /// assert_eq!(here.write(b"to nobody"), Err(Errno::PIPE));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # References
    ///
    /// - [send(2)](https://man7.org/linux/man-pages/man2/send.2.html)
    #[doc(alias = "send")]
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> Result<usize> {
        rustix::net::send(self, bytes, SendFlags::NOSIGNAL)
    }

    /// As [`write`](Self::write), but never sleeps: takes what there is room for.
    ///
    /// # Errors
    ///
    /// As `write`; [`Errno::AGAIN`] if there is no room at all, and `INTR` never.
    #[doc(alias = "MSG_DONTWAIT")]
    #[inline]
    pub fn try_write(&self, bytes: &[u8]) -> Result<usize> {
        rustix::net::send(self, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
    }

    /// As [`write`](Self::write), but gives up at a deadline. Returns as soon as something was
    /// taken.
    ///
    /// # Errors
    ///
    /// As `write`; [`Errno::TIMEDOUT`] if there is no room by then, and `AGAIN` never.
    #[inline]
    pub fn write_until(&self, bytes: &[u8], by: Deadline) -> Result<usize> {
        wait::until(self.as_fd(), PollFlags::OUT, by, || self.try_write(bytes))
    }

    /// Sends all of `bytes`, sleeping as often as there is no room. Goes on after a signal.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with what [`write`](Self::write) gives, but for `INTR`.
    #[inline]
    pub fn write_all(&self, bytes: &[u8]) -> Result<(), Incomplete> {
        pour_all(bytes, |rest| self.write(rest))
    }

    /// As [`write_all`](Self::write_all), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] with [`Errno::TIMEDOUT`] if they are not all taken by then, or with what
    /// [`write`](Self::write) gives, but for `INTR` and `AGAIN`.
    #[inline]
    pub fn write_all_until(&self, bytes: &[u8], by: Deadline) -> Result<(), Incomplete> {
        pour_all(bytes, |rest| self.write_until(rest, by))
    }

    /// `sendmsg`: as [`write`](Self::write), from several buffers in turn, with descriptors or
    /// credentials along.
    ///
    /// They arrive with the first byte, which must be there: a stream carries nothing without
    /// bytes. If fewer bytes are taken than given, the ancillary data are under way all the
    /// same.
    ///
    /// # Errors
    ///
    /// As `write`, and as [`send_with`](super::Socket::<super::kind::SeqPacket>::send_with) of the
    /// packet sockets; [`Errno::INVAL`] with descriptors or credentials but no bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::IoSlice;
    /// use rawipc::socket::{Ancillary, Descriptors, Stream};
    /// use std::os::fd::AsFd;
    ///
    /// let (here, there) = Stream::pair()?;
    /// let file = std::fs::File::open("Cargo.toml")?;
    /// here.send_with(&[IoSlice::new(b"F")], Ancillary::new().descriptors(&[file.as_fd()]))?;
    ///
    /// let mut files = Descriptors::<1>::new();
    /// assert_eq!(there.receive_with(&mut [0; 64], &mut files)?.whole()?, b"F");
    /// let file: std::fs::File = files.next().expect("one came").into();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # References
    ///
    /// - [sendmsg(2)](https://man7.org/linux/man-pages/man2/sendmsg.2.html)
    /// - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
    #[doc(alias = "sendmsg")]
    #[inline]
    pub fn send_with(&self, data: &[IoSlice<'_>], ancillary: Ancillary<'_>) -> Result<usize> {
        self.send_bytes_with(data, ancillary, SendFlags::empty())
    }

    /// As [`send_with`](Self::send_with), but never sleeps.
    ///
    /// # Errors
    ///
    /// As `send_with`; [`Errno::AGAIN`] if there is no room at all, and `INTR` never.
    #[inline]
    pub fn try_send_with(&self, data: &[IoSlice<'_>], ancillary: Ancillary<'_>) -> Result<usize> {
        self.send_bytes_with(data, ancillary, SendFlags::DONTWAIT)
    }

    /// As [`send_with`](Self::send_with), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `send_with`; [`Errno::TIMEDOUT`] if there is no room by then, and `AGAIN` never.
    #[inline]
    pub fn send_with_until(
        &self,
        data: &[IoSlice<'_>],
        ancillary: Ancillary<'_>,
        by: Deadline,
    ) -> Result<usize> {
        wait::until(self.as_fd(), PollFlags::OUT, by, || self.try_send_with(data, ancillary))
    }

    /// `recvmsg`: as [`read`](Self::read), with the descriptors that come along.
    ///
    /// Bytes that brought descriptors come in one piece with none that were sent before them, nor,
    /// if they are all read at once, after them. Into an empty buffer, descriptors come and no
    /// byte does. Closes what `descriptors` holds from before. What comes are new descriptors
    /// of this process, close-on-exec.
    ///
    /// # Errors
    ///
    /// As `read`. A full table of descriptors is not an error of the call: see [`Received::whole`].
    ///
    /// # Examples
    ///
    /// See [`send_with`](Self::send_with).
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
        let told = self.take(&mut filling, descriptors, RecvFlags::empty())?;
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
        let told = self.take(&mut filling, descriptors, RecvFlags::DONTWAIT)?;
        Ok(told.of(filling))
    }

    /// As [`receive_with`](Self::receive_with), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// As `receive_with`; [`Errno::TIMEDOUT`] if there is nothing by then, and `AGAIN` never.
    pub fn receive_with_until<'b, const N: usize>(
        &self,
        buffer: impl Buffer<'b>,
        descriptors: &mut Descriptors<N>,
        by: Deadline,
    ) -> Result<Received<'b>> {
        let mut filling = Filling::new(buffer);
        let told = wait::until(self.as_fd(), PollFlags::IN, by, || {
            self.take(&mut filling, descriptors, RecvFlags::DONTWAIT)
        })?;
        Ok(told.of(filling))
    }

    #[inline]
    fn recv(&self, filling: &mut Filling<'_>, flags: RecvFlags) -> Result<usize> {
        filling.fill(|space| {
            let ((received, _), _len) = rustix::net::recv(self, space, flags)?;
            Ok(received)
        })
    }

    fn recv_until(&self, filling: &mut Filling<'_>, by: Deadline) -> Result<usize> {
        wait::until(self.as_fd(), PollFlags::IN, by, || self.recv(filling, RecvFlags::DONTWAIT))
    }

    fn send_bytes_with(
        &self,
        data: &[IoSlice<'_>],
        ancillary: Ancillary<'_>,
        flags: SendFlags,
    ) -> Result<usize> {
        match self.transmit(data, ancillary, flags) {
            // The kernel sends nothing without bytes, and calls that success.
            Ok(0) if !ancillary.is_empty() => Err(Errno::INVAL),
            answer => answer,
        }
    }
}
