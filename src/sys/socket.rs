//! sendmsg, recvmsg and `SO_PEERCRED` on plain bytes.
//!
//! `rustix` has the three, but makes a `Pid`, which cannot be zero, of whatever number the kernel
//! gives: and the kernel gives zero for a process outside of our pid namespace. It also receives
//! into initialised memory only.

use core::mem::MaybeUninit;

use rustix::fd::BorrowedFd;
use rustix::io::IoSlice;

use super::arch::syscall;
use super::{decode, number, raw};
use crate::Result;
use crate::buffer::assume_filled;

/// `struct user_msghdr`, as the kernel has it. (The C libraries' own differs where an `int` stands
/// for a `size_t`.)
#[repr(C)]
struct MessageHeader {
    name: *mut u8,
    name_len: i32,
    vectors: *mut libc::iovec,
    vector_count: usize,
    control: *mut u8,
    control_len: usize,
    flags: u32,
}
#[cfg(target_env = "gnu")]
static_assertions::assert_eq_size!(MessageHeader, libc::msghdr);
static_assertions::assert_eq_size!(IoSlice<'_>, libc::iovec);
static_assertions::assert_eq_align!(IoSlice<'_>, libc::iovec);

/// What recvmsg tells besides the bytes.
pub(crate) struct Arrived<'s, 'c> {
    /// The bytes that fitted.
    pub(crate) bytes: &'s mut [u8],
    /// The message's length: more than fitted, if `MSG_TRUNC` was among the flags asked for.
    pub(crate) len: usize,
    /// The control messages that fitted.
    pub(crate) control: &'c [u8],
    /// `MSG_CTRUNC` and others.
    pub(crate) flags: u32,
}

#[doc(alias = "sendmsg")]
#[inline]
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    data: &[IoSlice<'_>],
    control: &[u8],
    flags: u32,
) -> Result<usize> {
    let header = MessageHeader {
        name: core::ptr::null_mut(),
        name_len: 0,
        vectors: data.as_ptr().cast_mut().cast(),
        vector_count: data.len(),
        control: control.as_ptr().cast_mut(),
        control_len: control.len(),
        flags: 0,
    };
    let arguments = [raw(fd), (&raw const header).expose_provenance(), flags as usize, 0, 0, 0];
    // SAFETY: the header and all it points to are borrowed for the length of the call, and only
    // read by it; an `IoSlice` is an `iovec` (asserted above; promised by its documentation).
    let returned = unsafe { syscall(number(libc::SYS_sendmsg), arguments) };
    decode(returned)
}

/// Receives a message into `space` and its control messages into `control`.
///
/// Descriptors that arrive are open in this process, and owned by nobody but their numbers in
/// `control`.
#[doc(alias = "recvmsg")]
#[inline]
pub(crate) fn receive<'s, 'c>(
    fd: BorrowedFd<'_>,
    space: &'s mut [MaybeUninit<u8>],
    control: &'c mut [MaybeUninit<u8>],
    flags: u32,
) -> Result<Arrived<'s, 'c>> {
    let mut vector = libc::iovec { iov_base: space.as_mut_ptr().cast(), iov_len: space.len() };
    let mut header = MessageHeader {
        name: core::ptr::null_mut(),
        name_len: 0,
        vectors: &raw mut vector,
        vector_count: 1,
        control: control.as_mut_ptr().cast(),
        control_len: control.len(),
        flags: 0,
    };
    let arguments = [raw(fd), (&raw mut header).expose_provenance(), flags as usize, 0, 0, 0];
    // SAFETY: the header and all it points to are borrowed exclusively for the length of the call,
    // and their lengths are right.
    let returned = unsafe { syscall(number(libc::SYS_recvmsg), arguments) };
    let len = decode(returned)?;
    let fitted = len.min(space.len());
    // SAFETY: the kernel has initialised that many bytes, from the start.
    let bytes = unsafe { assume_filled(space, fitted) };
    // SAFETY: as above; the kernel has put into the header how many they are.
    let control = unsafe { assume_filled(control, header.control_len) };
    Ok(Arrived { bytes, len, control, flags: header.flags })
}

/// `SO_PEERCRED`: pid, uid and gid, as bytes.
#[doc(alias = "getsockopt")]
#[inline]
pub(crate) fn peer_credentials(fd: BorrowedFd<'_>) -> Result<[u8; 12]> {
    let mut credentials = MaybeUninit::<[u8; 12]>::uninit();
    let mut len = 12_u32;
    let arguments = [
        raw(fd),
        libc::SOL_SOCKET.unsigned_abs() as usize,
        libc::SO_PEERCRED.unsigned_abs() as usize,
        credentials.as_mut_ptr().expose_provenance(),
        (&raw mut len).expose_provenance(),
        0,
    ];
    // SAFETY: both pointers are to exclusive locals, and `len` is the first one's length.
    let returned = unsafe { syscall(number(libc::SYS_getsockopt), arguments) };
    decode(returned)?;
    // SAFETY: the kernel has initialised all of it.
    Ok(unsafe { credentials.assume_init() })
}
