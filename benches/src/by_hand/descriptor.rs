#![allow(clippy::cast_possible_truncation, reason = "lengths of a few control messages")]

use core::mem::{MaybeUninit, size_of};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::{length, own};

/// Room for what may come along or go along, aligned as its headers want it.
#[repr(C, align(8))]
struct Control<const ROOM: usize>([MaybeUninit<u8>; ROOM]);

/// How many descriptors can go along.
const MOST: usize = 4;

/// What so many bytes take as a control message.
const fn space(bytes: usize) -> usize {
    // SAFETY: plain arithmetic.
    (unsafe { libc::CMSG_SPACE(bytes as u32) }) as usize
}

/// sendmsg of one buffer, and descriptors.
pub(crate) fn send_descriptors(
    fd: &impl AsRawFd,
    bytes: &[u8],
    descriptors: &[RawFd],
) -> Result<usize> {
    if descriptors.len() > MOST {
        return Err(Error::from_raw_os_error(libc::EINVAL));
    }
    let mut vector =
        libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control = Control([MaybeUninit::new(0); space(MOST * size_of::<RawFd>())]);
    // SAFETY: null pointers and zero lengths are valid in it.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    if !descriptors.is_empty() {
        header.msg_control = (&raw mut control).cast();
        header.msg_controllen = space(size_of_val(descriptors));
        // SAFETY: the header describes `control`, which has room for a first message.
        let message = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
        // SAFETY: plain arithmetic.
        let len = unsafe { libc::CMSG_LEN(size_of_val(descriptors) as u32) };
        let contents = libc::cmsghdr {
            cmsg_len: len as usize,
            cmsg_level: libc::SOL_SOCKET,
            cmsg_type: libc::SCM_RIGHTS,
        };
        // SAFETY: within `control`, and aligned as `Control` is.
        unsafe { message.write(contents) };
        // SAFETY: `message` points to a whole header.
        let data = unsafe { libc::CMSG_DATA(message) };
        // SAFETY: within `control`, whose room is for `MOST`; a local, so nobody else's.
        unsafe {
            data.copy_from_nonoverlapping(descriptors.as_ptr().cast(), size_of_val(descriptors));
        }
    }
    // SAFETY: the header and all that it points to live as long as the call, and are only read.
    length(unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const header, libc::MSG_NOSIGNAL) })
}

/// What came with a message.
#[derive(Default)]
pub(crate) struct Arrived {
    /// Its length: more than fitted, perhaps.
    pub(crate) len: usize,
    /// Whether descriptors were lost.
    pub(crate) lost: bool,
    pub(crate) credentials: Option<libc::ucred>,
    pub(crate) descriptor: Option<OwnedFd>,
}

/// recvmsg into one buffer: the packet's length; credentials, should they be asked for; and a
/// descriptor, if `ROOM` is for one. What else comes is closed.
fn receive<const ROOM: usize>(
    fd: &impl AsRawFd,
    buffer: &mut [u8],
    wanted: bool,
) -> Result<Arrived> {
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = Control([MaybeUninit::uninit(); ROOM]);
    // SAFETY: null pointers and zero lengths are valid in it.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = ROOM;
    let flags = libc::MSG_TRUNC | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the header and all that it points to live as long as the call, exclusively borrowed.
    let len = length(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags) })?;
    let lost = header.msg_flags & libc::MSG_CTRUNC != 0;
    let mut arrived = Arrived { len, lost, ..Arrived::default() };
    // SAFETY: the kernel has left in the header how much of `control` it filled.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    // SAFETY: null, or a whole header within `control`, aligned as `Control` is.
    while let Some(contents) = unsafe { message.as_ref() } {
        // SAFETY: `message` points to a whole header.
        let data = unsafe { libc::CMSG_DATA(message) };
        match (contents.cmsg_level, contents.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) => {
                // SAFETY: so long are credentials.
                arrived.credentials = Some(unsafe { data.cast::<libc::ucred>().read_unaligned() });
            }
            (libc::SOL_SOCKET, kind @ (libc::SCM_RIGHTS | SCM_PIDFD)) => {
                let count = (contents.cmsg_len - space(0)) / size_of::<RawFd>();
                for index in 0..count {
                    // SAFETY: so many descriptors are in the message.
                    let place = unsafe { data.add(index * size_of::<RawFd>()) };
                    // SAFETY: as above.
                    let descriptor = unsafe { place.cast::<RawFd>().read_unaligned() };
                    // SAFETY: the kernel has just opened it, for us alone.
                    let descriptor = unsafe { own(descriptor) };
                    if kind == libc::SCM_RIGHTS && wanted && arrived.descriptor.is_none() {
                        arrived.descriptor = Some(descriptor);
                    } else {
                        arrived.lost |= kind == libc::SCM_RIGHTS;
                    }
                }
            }
            _ => {}
        }
        // SAFETY: both describe what the kernel has filled.
        message = unsafe { libc::CMSG_NXTHDR(&raw const header, message) };
    }
    Ok(arrived)
}

const SCM_PIDFD: i32 = 4;

/// What the kernel may add by itself: credentials, and a pidfd.
const UNASKED: usize = space(size_of::<libc::ucred>()) + space(size_of::<RawFd>());

/// A packet, without room for descriptors.
pub(crate) fn receive_packet(fd: &impl AsRawFd, buffer: &mut [u8]) -> Result<Arrived> {
    receive::<UNASKED>(fd, buffer, false)
}

/// A packet, with room for one descriptor.
pub(crate) fn receive_descriptor(fd: &impl AsRawFd, buffer: &mut [u8]) -> Result<Arrived> {
    receive::<{ UNASKED + space(size_of::<RawFd>()) }>(fd, buffer, true)
}
