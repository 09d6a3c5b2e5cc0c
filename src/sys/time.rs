//! `clock_gettime`, by the system call.
//!
//! `rustix` reads the clock through the vDSO, which is quicker; but to find that for the first
//! time, it may open a file and allocate (on kernels before 6.4, with `std`), which a child of a
//! process with threads must not.

use rustix::event::Timespec;

use super::arch::syscall;
use super::decode;

/// The monotonic clock.
#[doc(alias = "clock_gettime")]
#[inline]
pub(crate) fn monotonic() -> Timespec {
    let mut now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let clock = libc::CLOCK_MONOTONIC.unsigned_abs() as usize;
    let arguments = [clock, (&raw mut now).expose_provenance(), 0, 0, 0, 0];
    // SAFETY: `now` is exclusive for the length of the call, and of the layout that it writes.
    let returned = unsafe { syscall(CLOCK_GETTIME, arguments) };
    debug_assert!(decode(returned).is_ok(), "every kernel has that clock");
    now
}

#[cfg(target_pointer_width = "64")]
const CLOCK_GETTIME: usize = super::number(libc::SYS_clock_gettime);
/// With times of 64 bits, and the same number on every 32-bit architecture (Linux 5.1).
#[cfg(target_pointer_width = "32")]
const CLOCK_GETTIME: usize = 403;

static_assertions::assert_eq_size!(Timespec, [i64; 2]);
