use std::io::{Error, Result};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::{length, own};

/// Room for one control message with one descriptor, aligned as its header wants it.
#[repr(C, align(8))]
struct Control([u8; SPACE as usize]);

/// The length of a descriptor.
const DATA: u32 = 4;
// SAFETY: plain arithmetic.
const SPACE: u32 = unsafe { libc::CMSG_SPACE(DATA) };
// SAFETY: plain arithmetic.
const LEN: u32 = unsafe { libc::CMSG_LEN(DATA) };

/// sendmsg of one byte and one descriptor.
pub(crate) fn send_descriptor(fd: &impl AsRawFd, descriptor: &impl AsRawFd) -> Result<usize> {
    let mut byte = 0_u8;
    let mut vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let mut control = Control([0; SPACE as usize]);
    // SAFETY: null pointers and zero lengths are valid in it.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = SPACE as usize;
    // SAFETY: the header describes `control`, which has room for a first message.
    let message = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    let contents = libc::cmsghdr {
        cmsg_len: LEN as usize,
        cmsg_level: libc::SOL_SOCKET,
        cmsg_type: libc::SCM_RIGHTS,
    };
    // SAFETY: within `control`, and aligned as `Control` is.
    unsafe { message.write(contents) };
    // SAFETY: `message` points to a whole header.
    let data = unsafe { libc::CMSG_DATA(message) };
    // SAFETY: within `control`, whose room is for one descriptor.
    unsafe { data.cast::<RawFd>().write_unaligned(descriptor.as_raw_fd()) };
    // SAFETY: the header and all that it points to live as long as the call, and are only read.
    length(unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const header, libc::MSG_NOSIGNAL) })
}

/// recvmsg of one byte and one descriptor.
pub(crate) fn receive_descriptor(fd: &impl AsRawFd) -> Result<OwnedFd> {
    let mut byte = 0_u8;
    let mut vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let mut control = Control([0; SPACE as usize]);
    // SAFETY: null pointers and zero lengths are valid in it.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = SPACE as usize;
    // SAFETY: the header and all that it points to live as long as the call, exclusively borrowed.
    length(unsafe {
        libc::recvmsg(fd.as_raw_fd(), &raw mut header, libc::MSG_TRUNC | libc::MSG_CMSG_CLOEXEC)
    })?;
    // SAFETY: the kernel has left in the header how much of `control` it filled.
    let message = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    // SAFETY: null, or a whole header within `control`, aligned as `Control` is.
    let contents = unsafe { message.as_ref() };
    let one_descriptor = contents.is_some_and(|contents| {
        contents.cmsg_level == libc::SOL_SOCKET
            && contents.cmsg_type == libc::SCM_RIGHTS
            && contents.cmsg_len == LEN as usize
    });
    if !one_descriptor || header.msg_flags & libc::MSG_CTRUNC != 0 {
        return Err(Error::from_raw_os_error(libc::EBADMSG));
    }
    // SAFETY: `message` is not null: it was looked into.
    let data = unsafe { libc::CMSG_DATA(message) };
    // SAFETY: the message is as long as one with one descriptor.
    let descriptor = unsafe { data.cast::<RawFd>().read_unaligned() };
    // SAFETY: the kernel has just opened it, for us alone.
    Ok(unsafe { own(descriptor) })
}
