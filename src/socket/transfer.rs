//! One send and one receive, with all that goes along: what the public forms are made of.

#![allow(unsafe_code, reason = "takes over received descriptors; see SAFETY.md")]

use core::mem::MaybeUninit;

use rustix::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use rustix::io::IoSlice;
use rustix::net::{RecvFlags, ReturnFlags, SendFlags, SocketType};

use super::control::{self, Message, Outgoing};
use super::kind::Kind;
use super::{Ancillary, Credentials, Descriptors, Received, Socket, Truncated};
use crate::buffer::Filling;
use crate::{Result, sys};

/// What one receive said, besides filling the buffer.
pub(super) struct Told {
    lost: Truncated,
    credentials: Option<Credentials>,
}

impl Told {
    #[inline]
    pub(super) fn of(self, filling: Filling<'_>) -> Received<'_> {
        let Self { lost, credentials } = self;
        Received { bytes: filling.into_filled(), lost, credentials }
    }

    /// Adds what the control messages of one receive say.
    ///
    /// # Safety
    ///
    /// The kernel has just written them, and they are read only here.
    #[inline]
    unsafe fn take_over<const N: usize>(
        &mut self,
        control: &[u8],
        descriptors: &mut Descriptors<N>,
    ) {
        control::read(control, |message| {
            let (descriptor, wanted) = match message {
                Message::Descriptor(descriptor) => (descriptor, true),
                Message::Pidfd(descriptor) => (descriptor, false),
                Message::Credentials(credentials) => {
                    self.credentials = Some(credentials);
                    return;
                }
            };
            // Where a pidfd could not be opened, there is an errno instead, negated.
            if descriptor < 0 {
                return;
            }
            // SAFETY: open, and ours alone: the kernel has just made it for this process and
            // told only the control messages, which the caller promises are read once.
            let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
            self.lost.descriptors |= wanted && descriptors.push(descriptor).is_err();
        });
    }

    /// As [`take_over`](Self::take_over), where no descriptors are asked for. Not inlined: hardly
    /// ever anything comes then.
    ///
    /// # Safety
    ///
    /// As `take_over`.
    #[inline(never)]
    unsafe fn take_over_unasked(&mut self, control: &[u8]) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.take_over(control, &mut Descriptors::<0>::new()) };
    }
}

impl<K: Kind> Socket<K> {
    /// sendmsg, without `SIGPIPE`.
    #[inline]
    pub(super) fn transmit(
        &self,
        data: &[IoSlice<'_>],
        ancillary: Ancillary<'_>,
        flags: SendFlags,
    ) -> Result<usize> {
        let flags = (flags | SendFlags::NOSIGNAL).bits();
        if ancillary.count() > control::FEW {
            return self.send_many(data, ancillary, flags);
        }
        self.send_along::<{ control::ROOM_FOR_FEW }>(data, ancillary, flags)
    }

    /// Not inlined: so the stack is as large as that only where so many go along.
    #[cold]
    #[inline(never)]
    fn send_many(
        &self,
        data: &[IoSlice<'_>],
        ancillary: Ancillary<'_>,
        flags: u32,
    ) -> Result<usize> {
        self.send_along::<{ control::ROOM_FOR_ALL }>(data, ancillary, flags)
    }

    #[inline]
    fn send_along<const ROOM: usize>(
        &self,
        data: &[IoSlice<'_>],
        ancillary: Ancillary<'_>,
        flags: u32,
    ) -> Result<usize> {
        let mut control = Outgoing::<ROOM>::new();
        ancillary.write_to(&mut control)?;
        sys::socket::send(self.as_fd(), data, control.as_bytes(), flags)
    }

    /// recvmsg. Takes over all descriptors that come, and closes those that find no room.
    #[inline]
    pub(super) fn take<const N: usize>(
        &self,
        filling: &mut Filling<'_>,
        descriptors: &mut Descriptors<N>,
        flags: RecvFlags,
    ) -> Result<Told> {
        descriptors.clear();
        let mut told = Told { lost: Truncated::default(), credentials: None };
        let mut control = [const { MaybeUninit::uninit() }; control::ROOM];
        let control = control.get_mut(..control::room_for(N)).unwrap_or_default();
        let flags = (flags | RecvFlags::CMSG_CLOEXEC).bits();
        let received = filling.fill(|space| {
            let arrived = sys::socket::receive(self.as_fd(), space, control, flags)?;
            let arrived_flags = ReturnFlags::from_bits_retain(arrived.flags);
            told.lost.bytes = arrived.len.saturating_sub(arrived.bytes.len());
            told.lost.descriptors = arrived_flags.contains(ReturnFlags::CTRUNC);
            match arrived.control {
                [] => {}
                // SAFETY: of this very call, and not used again.
                control if N == 0 => unsafe { told.take_over_unasked(control) },
                // SAFETY: as above.
                control => unsafe { told.take_over(control, descriptors) },
            }
            Ok(arrived.bytes)
        })?;
        if received == 0 && K::TYPE == SocketType::STREAM {
            // For the end of a stream, the kernel makes up credentials of nobody.
            told.credentials = None;
        }
        Ok(told)
    }
}
