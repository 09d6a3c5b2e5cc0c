use core::mem::MaybeUninit;
use std::io::Result;

use super::done;

/// The monotonic clock, which the C library reads without entering the kernel, where it can.
pub(crate) fn now() -> Result<libc::timespec> {
    let mut time = MaybeUninit::uninit();
    // SAFETY: room for the time, exclusively borrowed.
    done(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr()) })?;
    // SAFETY: clock_gettime has succeeded, and filled all of it.
    Ok(unsafe { time.assume_init() })
}

/// The same, by entering the kernel.
pub(crate) fn now_by_system_call() -> Result<libc::timespec> {
    let mut time = MaybeUninit::uninit();
    let (number, clock) = (libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC);
    // SAFETY: room for the time, exclusively borrowed.
    let returned = unsafe { libc::syscall(number, clock, time.as_mut_ptr()) };
    done(i32::try_from(returned).unwrap_or(-1))?;
    // SAFETY: clock_gettime has succeeded, and filled all of it.
    Ok(unsafe { time.assume_init() })
}
