use core::iter::FusedIterator;

use rustix::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use super::Credentials;
use super::control::Outgoing;
use crate::{Errno, Result};

/// What goes along with a message: descriptors, credentials.
///
/// # Examples
///
/// ```
/// use rawipc::socket::{Ancillary, Descriptors, SeqPacket};
/// use rawipc::{IoSlice, pipe::Pipe};
/// use std::os::fd::AsFd;
///
/// let (here, there) = SeqPacket::pair()?;
/// let Pipe { reader, writer } = Pipe::new()?;
/// let both = [reader.as_fd(), writer.as_fd()];
/// here.send_with(&[IoSlice::new(b"a pipe")], Ancillary::new().descriptors(&both))?;
///
/// let mut received = Descriptors::<2>::new();
/// assert_eq!(there.receive_with(&mut [0; 64], &mut received)?.whole()?, b"a pipe");
/// assert_eq!(received.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
///
/// - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
/// - [cmsg(3)](https://man7.org/linux/man-pages/man3/cmsg.3.html)
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Ancillary<'a> {
    descriptors: &'a [BorrowedFd<'a>],
    credentials: Option<Credentials>,
}

impl<'a> Ancillary<'a> {
    /// Nothing yet.
    #[inline]
    pub const fn new() -> Self {
        Self { descriptors: &[], credentials: None }
    }

    /// `SCM_RIGHTS`: hands over copies of these descriptors, in this order, at most
    /// [`MAX_DESCRIPTORS`](super::MAX_DESCRIPTORS).
    ///
    /// They refer to the same open file descriptions; the sender may close its own at once.
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub const fn descriptors(mut self, descriptors: &'a [BorrowedFd<'a>]) -> Self {
        self.descriptors = descriptors;
        self
    }

    /// `SCM_CREDENTIALS`: says who sends. The kernel checks it: other than one's own takes
    /// privilege.
    ///
    /// Without it, a receiver who asked gets the sender's own, with its real user and group.
    #[doc(alias = "SCM_CREDENTIALS")]
    #[inline]
    pub const fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    #[inline]
    pub(super) const fn count(&self) -> usize {
        self.descriptors.len()
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.descriptors.is_empty() && self.credentials.is_none()
    }

    /// As bytes for sendmsg. `INVAL`, as the kernel would say, for more descriptors than there can
    /// be.
    #[inline]
    pub(super) fn write_to<const ROOM: usize>(&self, control: &mut Outgoing<ROOM>) -> Result<()> {
        if let Some(credentials) = self.credentials {
            let words = credentials.words().into_iter();
            control.push(libc::SCM_CREDENTIALS, words).ok_or(Errno::INVAL)?;
        }
        if !self.descriptors.is_empty() {
            let words = self.descriptors.iter().map(|fd| fd.as_raw_fd().to_ne_bytes());
            control.push(libc::SCM_RIGHTS, words).ok_or(Errno::INVAL)?;
        }
        Ok(())
    }
}

/// A list, on the stack, for up to `N` descriptors that come along with a message.
///
/// It is an iterator over them, in the order in which they were sent. Those that are not taken are
/// closed when it is dropped or used for the next message.
///
/// # Examples
///
/// See [`Ancillary`].
#[derive(Debug)]
pub struct Descriptors<const N: usize> {
    slots: [Option<OwnedFd>; N],
    /// The next to be taken; all before it are gone.
    next: usize,
    /// One past the last that is there.
    end: usize,
}

impl<const N: usize> Descriptors<N> {
    /// An empty list.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self { slots: [const { None }; N], next: 0, end: 0 }
    }

    /// How many are there and not yet taken.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.end.saturating_sub(self.next)
    }

    /// Whether none is there, or none any more.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes what is there.
    #[inline]
    pub fn clear(&mut self) {
        self.for_each(drop);
        (self.next, self.end) = (0, 0);
    }

    /// Adds one behind the others; gives it back if there is no room.
    #[inline]
    pub(super) fn push(&mut self, descriptor: OwnedFd) -> Result<(), OwnedFd> {
        match self.slots.get_mut(self.end) {
            Some(slot) => {
                *slot = Some(descriptor);
                self.end = self.end.saturating_add(1);
                Ok(())
            }
            None => Err(descriptor),
        }
    }
}

impl<const N: usize> Default for Descriptors<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Iterator for Descriptors<N> {
    type Item = OwnedFd;

    #[inline]
    fn next(&mut self) -> Option<OwnedFd> {
        let taken = self.slots.get_mut(self.next)?.take()?;
        self.next = self.next.saturating_add(1);
        Some(taken)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<const N: usize> ExactSizeIterator for Descriptors<N> {}

impl<const N: usize> FusedIterator for Descriptors<N> {}
