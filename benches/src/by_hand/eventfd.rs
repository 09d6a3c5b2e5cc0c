use std::io::Result;
use std::os::fd::OwnedFd;

use super::{number, own};

/// A counter in the kernel, of value 0: who reads takes all of it, and waits until there is some.
pub(crate) fn eventfd() -> Result<OwnedFd> {
    // SAFETY: takes integers only.
    let opened = number(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) })?;
    // SAFETY: the kernel has just opened it, for us alone.
    Ok(unsafe { own(opened) })
}
