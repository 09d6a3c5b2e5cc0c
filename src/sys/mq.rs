//! POSIX message queues: `mq_open` and its kin.

use core::ffi::c_long;
use core::mem::MaybeUninit;

use rustix::fd::{BorrowedFd, FromRawFd as _, OwnedFd};

use super::arch::syscall;
use super::{decode, number, raw};
use crate::buffer::assume_filled;
use crate::{Name, Result};

/// `struct mq_attr`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Attributes {
    pub(crate) flags: c_long,
    // These three the kernel has as long, and tells none that is negative.
    pub(crate) max_messages: usize,
    pub(crate) message_size: usize,
    pub(crate) messages: usize,
    pub(crate) reserved: [c_long; 4],
}
static_assertions::assert_eq_size!(Attributes, libc::mq_attr);

/// What a call does that would have to wait.
#[derive(Clone, Copy)]
pub(crate) enum Wait {
    /// Waits.
    Forever,
    /// Fails with `TIMEDOUT`.
    Never,
}

impl Wait {
    /// As an absolute time on the clock of the kernel's choice: null, or the beginning of all time.
    #[inline]
    fn timeout(self) -> usize {
        static PAST: [i64; 2] = [0; 2];
        match self {
            Self::Forever => 0,
            Self::Never => PAST.as_ptr().expose_provenance(),
        }
    }
}

#[doc(alias = "mq_open")]
#[inline]
pub(crate) fn open(
    name: &Name,
    flags: i32,
    mode: u32,
    attributes: Option<&Attributes>,
) -> Result<OwnedFd> {
    let attributes = attributes.map_or(core::ptr::null(), core::ptr::from_ref);
    let arguments = [
        name.as_ptr().expose_provenance(),
        flags.unsigned_abs() as usize,
        mode as usize,
        attributes.expose_provenance(),
        0,
        0,
    ];
    // SAFETY: name and attributes are borrowed for the length of the call, and only read by it; a
    // name ends with a zero byte.
    let returned = unsafe { syscall(number(libc::SYS_mq_open), arguments) };
    let opened = i32::try_from(decode(returned)?).unwrap_or(i32::MAX);
    // SAFETY: the kernel has just opened it for us, and told nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

#[doc(alias = "mq_unlink")]
#[inline]
pub(crate) fn unlink(name: &Name) -> Result<()> {
    let arguments = [name.as_ptr().expose_provenance(), 0, 0, 0, 0, 0];
    // SAFETY: the name, which ends with a zero byte, is borrowed for the length of the call, and
    // only read by it.
    let returned = unsafe { syscall(number(libc::SYS_mq_unlink), arguments) };
    decode(returned).map(drop)
}

#[doc(alias = "mq_timedsend")]
#[inline]
pub(crate) fn send(fd: BorrowedFd<'_>, message: &[u8], priority: u32, wait: Wait) -> Result<()> {
    let arguments = [
        raw(fd),
        message.as_ptr().expose_provenance(),
        message.len(),
        priority as usize,
        wait.timeout(),
        0,
    ];
    // SAFETY: the message is borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(TIMEDSEND, arguments) };
    decode(returned).map(drop)
}

/// Returns the message, as the part of `space` that it fills, and its priority.
#[doc(alias = "mq_timedreceive")]
#[inline]
pub(crate) fn receive<'s>(
    fd: BorrowedFd<'_>,
    space: &'s mut [MaybeUninit<u8>],
    wait: Wait,
) -> Result<(&'s mut [u8], u32)> {
    let mut priority = 0_u32;
    let arguments = [
        raw(fd),
        space.as_mut_ptr().expose_provenance(),
        space.len(),
        (&raw mut priority).expose_provenance(),
        wait.timeout(),
        0,
    ];
    // SAFETY: space and priority are borrowed exclusively for the length of the call.
    let returned = unsafe { syscall(TIMEDRECEIVE, arguments) };
    let received = decode(returned)?;
    // SAFETY: the kernel has initialised that many bytes, from the start.
    Ok((unsafe { assume_filled(space, received) }, priority))
}

/// `struct sigevent`, as far as the kernel reads it for a signal; 64 bytes in all.
#[repr(C)]
struct SignalEvent {
    value: usize,
    signal: i32,
    notify: i32,
    rest: [u8; 64 - size_of::<usize>() - 8],
}
static_assertions::assert_eq_size!(SignalEvent, libc::sigevent, [u8; 64]);

#[doc(alias = "mq_notify")]
#[inline]
pub(crate) fn notify_by_signal(fd: BorrowedFd<'_>, signal: i32, value: usize) -> Result<()> {
    let event = SignalEvent {
        value,
        signal,
        notify: libc::SIGEV_SIGNAL,
        rest: [0; 64 - size_of::<usize>() - 8],
    };
    notify(fd, &raw const event)
}

#[doc(alias = "mq_notify")]
#[inline]
pub(crate) fn cancel_notification(fd: BorrowedFd<'_>) -> Result<()> {
    notify(fd, core::ptr::null())
}

#[inline]
fn notify(fd: BorrowedFd<'_>, event: *const SignalEvent) -> Result<()> {
    let arguments = [raw(fd), event.expose_provenance(), 0, 0, 0, 0];
    // SAFETY: null, or an event that both callers keep for the length of the call, which only reads
    // it.
    let returned = unsafe { syscall(number(libc::SYS_mq_notify), arguments) };
    decode(returned).map(drop)
}

/// Returns the attributes as they were before; of `new`, the kernel takes only `O_NONBLOCK`.
#[doc(alias = "mq_getsetattr")]
#[inline]
pub(crate) fn get_and_set(fd: BorrowedFd<'_>, new: Option<&Attributes>) -> Result<Attributes> {
    let new = new.map_or(core::ptr::null(), core::ptr::from_ref);
    let mut old = Attributes::default();
    let arguments = [raw(fd), new.expose_provenance(), (&raw mut old).expose_provenance(), 0, 0, 0];
    // SAFETY: `new` is only read, `old` is exclusive; both for the length of the call.
    let returned = unsafe { syscall(number(libc::SYS_mq_getsetattr), arguments) };
    decode(returned)?;
    Ok(old)
}

/// The calls whose times are 64 bits wide everywhere.
#[cfg(target_pointer_width = "64")]
const TIMEDSEND: usize = number(libc::SYS_mq_timedsend);
#[cfg(target_pointer_width = "64")]
const TIMEDRECEIVE: usize = number(libc::SYS_mq_timedreceive);
/// The same number on every 32-bit architecture (Linux 5.1; `libc` has it for few).
#[cfg(target_pointer_width = "32")]
const TIMEDSEND: usize = 418;
#[cfg(target_pointer_width = "32")]
const TIMEDRECEIVE: usize = 419;
