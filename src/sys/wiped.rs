//! Memory that no child inherits: `MADV_WIPEONFORK` (Linux 4.14).

use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicUsize;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::arch::syscall;
use super::{decode, number};
use crate::{Errno, Result};

/// A word of this process's own, zero at first; and zero at first in every child that gets a copy
/// of this memory, in whatever way it is forked, and in its children.
///
/// `NOTSUP` if nobody sees to that, although asked.
#[doc(alias = "MADV_WIPEONFORK")]
pub(crate) fn map() -> Result<NonNull<AtomicUsize>> {
    // SAFETY: a new mapping, where the kernel likes.
    let address = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            SIZE,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )?
    };
    let word = NonNull::new(address.cast()).ok_or(Errno::NOMEM)?;
    wipe_on_fork(word).inspect_err(|_| {
        // SAFETY: of this function, and not handed out.
        unsafe { unmap(word) };
    })?;
    Ok(word)
}

/// # Safety
///
/// By [`map`], and used no more.
pub(crate) unsafe fn unmap(word: NonNull<AtomicUsize>) {
    // SAFETY: the caller's promise, passed on.
    let _never_fails = unsafe { munmap(word.as_ptr().cast(), SIZE) };
}

/// What is mapped are whole pages: that many bytes of the first, and nothing of another.
const SIZE: usize = size_of::<AtomicUsize>();

fn wipe_on_fork(word: NonNull<AtomicUsize>) -> Result<()> {
    // Qemu before 7.1 says yes to every advice, and takes none.
    if advise(word, NO_ADVICE).is_ok() {
        return Err(Errno::NOTSUP);
    }
    advise(word, WIPE_ON_FORK)
}

fn advise(word: NonNull<AtomicUsize>, advice: usize) -> Result<()> {
    let arguments = [word.as_ptr().expose_provenance(), SIZE, advice, 0, 0, 0];
    // SAFETY: what is asked for changes nothing in this process.
    decode(unsafe { syscall(number(libc::SYS_madvise), arguments) }).map(drop)
}

const WIPE_ON_FORK: usize = 18;
static_assertions::const_assert_eq!(WIPE_ON_FORK, libc::MADV_WIPEONFORK as usize);
/// An `int` that is no advice: -1.
const NO_ADVICE: usize = u32::MAX as usize;
