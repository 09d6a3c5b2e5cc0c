//! The kernel's edge: the only module that traps by itself, for the calls and forms that `rustix`
//! has not got. One file per syscall family; each function states the call's contract in types, as
//! far as types go, and decides nothing.

#![allow(
    clippy::cast_possible_truncation,
    reason = "what the kernel calls long is as wide as usize"
)]
#![allow(unsafe_code, reason = "system calls; see SAFETY.md")]

mod arch;
// By prim, of which all is for atomics of 64 bits.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
pub(crate) mod copy;
pub(crate) mod futex;
pub(crate) mod mq;
pub(crate) mod pipe;
pub(crate) mod process;
pub(crate) mod socket;
pub(crate) mod sysv;
#[cfg(all(feature = "std", target_env = "gnu", target_has_atomic = "64"))]
#[allow(dead_code, reason = "models have threads of their own")]
pub(crate) mod thread;
pub(crate) mod time;
#[cfg(all(feature = "std", target_env = "gnu", target_has_atomic = "64"))]
#[allow(dead_code, reason = "models have threads of their own")]
pub(crate) mod wiped;

use rustix::fd::{AsRawFd as _, BorrowedFd};

use crate::{Errno, Result};

/// A system call's number, as the trap takes it: a word, whatever C calls its type.
#[allow(clippy::cast_sign_loss, reason = "never negative")]
#[inline]
const fn number(call: libc::c_long) -> usize {
    call as usize
}

/// A descriptor, as the trap takes it.
#[allow(clippy::cast_sign_loss, reason = "the kernel takes its low half")]
#[inline]
fn raw(fd: BorrowedFd<'_>) -> usize {
    fd.as_raw_fd() as usize
}

/// Largest errno the kernel returns: results from `-MAX_ERRNO` to -1 are errors.
const MAX_ERRNO: usize = 4095;

/// What a raw return value says.
#[inline]
fn decode(returned: usize) -> Result<usize> {
    let negated = returned.wrapping_neg();
    if negated.wrapping_sub(1) >= MAX_ERRNO {
        return Ok(returned);
    }
    // In range, so neither conversion can fail.
    Err(Errno::from_raw_os_error(i32::try_from(negated).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{Errno, decode};

    #[test]
    fn only_the_last_4095_values_are_errors() {
        assert_eq!(decode(0), Ok(0));
        assert_eq!(decode(usize::MAX - 4095), Ok(usize::MAX - 4095));
        assert_eq!(decode(usize::MAX - 4094), Err(Errno::from_raw_os_error(4095)));
        assert_eq!(decode(usize::MAX), Err(Errno::PERM));
    }
}
