use core::fmt;

use super::Credentials;
use crate::Errno;

/// What came in with one receive, whole or in part.
///
/// The bytes are reached by saying which will do: [`whole`](Self::whole) refuses what was cut
/// short, [`in_part`](Self::in_part) takes what there is.
///
/// # Examples
///
/// ```
/// use rawipc::socket::SeqPacket;
///
/// let (here, there) = SeqPacket::pair()?;
/// here.send(b"too long for the buffer")?;
/// let mut buffer = [0; 8];
/// let cut = there.receive(&mut buffer)?.whole().unwrap_err();
/// assert_eq!(cut.bytes(), 15);
/// assert_eq!(&buffer, b"too long"); // the rest is lost
///
/// here.send(b"too long for the buffer")?;
/// assert_eq!(there.receive(&mut buffer)?.in_part(), b"too long");
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Debug)]
#[must_use = "a message that has been received is gone from the socket"]
pub struct Received<'b> {
    pub(super) bytes: &'b mut [u8],
    pub(super) lost: Truncated,
    pub(super) credentials: Option<Credentials>,
}

impl<'b> Received<'b> {
    /// The bytes, if they and the descriptors that came along are all here.
    ///
    /// # Errors
    ///
    /// [`Truncated`] if the message was longer than the buffer, or brought more descriptors than
    /// the list has room for (none, in calls without a list) or than the process may open. What
    /// did not fit is lost; what did is in the buffer and in the list.
    #[inline]
    pub fn whole(self) -> Result<&'b mut [u8], Truncated> {
        if self.is_whole() { Ok(self.bytes) } else { Err(self.lost) }
    }

    /// The bytes that fitted the buffer, of a message that may have been longer.
    #[must_use]
    #[inline]
    pub fn in_part(self) -> &'b mut [u8] {
        self.bytes
    }

    /// Whether neither bytes nor descriptors were lost.
    #[must_use]
    #[inline]
    pub const fn is_whole(&self) -> bool {
        self.lost.bytes == 0 && !self.lost.descriptors
    }

    /// Who sent it, if this end [asked for that](super::Socket::pass_credentials).
    #[must_use]
    #[inline]
    pub const fn credentials(&self) -> Option<Credentials> {
        self.credentials
    }
}

/// What of a message was lost for want of room.
///
/// # Examples
///
/// See [`Received`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Truncated {
    pub(super) bytes: usize,
    pub(super) descriptors: bool,
}

impl Truncated {
    /// How many bytes were lost from the end of the message.
    #[must_use]
    #[inline]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether descriptors were lost: more came than the list has room for, or than the process may
    /// open. They have been closed.
    #[must_use]
    #[inline]
    pub const fn descriptors(&self) -> bool {
        self.descriptors
    }
}

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message truncated: {} bytes", self.bytes)?;
        f.write_str(if self.descriptors { " and descriptors lost" } else { " lost" })
    }
}

impl core::error::Error for Truncated {}

/// As the kernel calls it where it refuses: [`Errno::MSGSIZE`].
impl From<Truncated> for Errno {
    fn from(_: Truncated) -> Self {
        Self::MSGSIZE
    }
}

/// As the kernel calls it where it refuses: [`Errno::MSGSIZE`].
#[cfg(feature = "std")]
impl From<Truncated> for std::io::Error {
    fn from(truncated: Truncated) -> Self {
        Errno::from(truncated).into()
    }
}
