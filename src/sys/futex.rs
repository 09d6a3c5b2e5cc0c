//! `futex`: sleeping until a word in memory changes. By address, as `rustix` wants a reference to
//! an `AtomicU32`, and there is none to one half of a word that is used whole.

use rustix::event::Timespec;

use super::arch::syscall;
use super::decode;
use crate::Result;

/// Sleeps while the word is `expected`, for at most `timeout`. Shared between processes.
///
/// Returns when woken; `AGAIN` if the word is another one; `TIMEDOUT`; `INTR`. The word is only
/// looked at by the kernel: a bad address is `FAULT`.
#[doc(alias = "FUTEX_WAIT")]
#[inline]
pub(crate) fn wait(word: *const u32, expected: u32, timeout: &Timespec) -> Result<()> {
    let arguments = [
        word.expose_provenance(),
        WAIT,
        expected as usize,
        core::ptr::from_ref(timeout).expose_provenance(),
        0,
        0,
    ];
    // SAFETY: the kernel checks the address by itself, and reads through it only; the timeout is
    // borrowed for the length of the call.
    let returned = unsafe { syscall(FUTEX, arguments) };
    decode(returned).map(drop)
}

/// Wakes up to so many of those who sleep on that word, in all processes, and says how many.
///
/// The word is neither read nor written, and may be gone.
#[doc(alias = "FUTEX_WAKE")]
#[inline]
pub(crate) fn wake(word: *const u32, most: u32) -> Result<usize> {
    // SAFETY: the kernel takes the address for what it stands for, and touches nothing there.
    let returned =
        unsafe { syscall(FUTEX, [word.expose_provenance(), WAKE, most as usize, 0, 0, 0]) };
    decode(returned)
}

const WAIT: usize = 0;
const WAKE: usize = 1;
static_assertions::const_assert_eq!(WAIT, libc::FUTEX_WAIT as usize);
static_assertions::const_assert_eq!(WAKE, libc::FUTEX_WAKE as usize);

#[cfg(target_pointer_width = "64")]
const FUTEX: usize = super::number(libc::SYS_futex);
/// With times of 64 bits, and the same number on every 32-bit architecture (Linux 5.1).
#[cfg(target_pointer_width = "32")]
const FUTEX: usize = 422;
