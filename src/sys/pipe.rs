//! preadv2 into memory that need not be initialised, which `rustix` has only for what is.

use core::mem::MaybeUninit;

use rustix::fd::BorrowedFd;

use super::arch::syscall;
use super::{decode, number, raw};
use crate::Result;
use crate::buffer::assume_filled;

/// Reads without waiting, whatever the flags of the open file description.
///
/// Returns the part of `space` that it has initialised. `AGAIN` when there is
/// nothing; `OPNOTSUPP` where this kernel's driver of `fd` cannot do without waiting.
#[doc(alias = "preadv2")]
#[inline]
pub(crate) fn read_nowait<'s>(
    fd: BorrowedFd<'_>,
    space: &'s mut [MaybeUninit<u8>],
) -> Result<&'s mut [u8]> {
    /// The offset that means "where the stream is", in both halves that a 32-bit kernel takes.
    const HERE: usize = usize::MAX;
    const NOWAIT: usize = libc::RWF_NOWAIT.unsigned_abs() as usize;

    let vector = libc::iovec { iov_base: space.as_mut_ptr().cast(), iov_len: space.len() };
    let arguments = [raw(fd), (&raw const vector).expose_provenance(), 1, HERE, HERE, NOWAIT];
    // SAFETY: `vector` and the bytes it describes are borrowed for the length of the call, the
    // latter exclusively; the kernel writes nothing else.
    let returned = unsafe { syscall(number(libc::SYS_preadv2), arguments) };
    let read = decode(returned)?;
    // SAFETY: the kernel has initialised that many bytes, from the start.
    Ok(unsafe { assume_filled(space, read) })
}
