//! What functions of the C library answer.

use std::io;

use rawipc::{Errno, Result};

/// What it returned, or its errno.
pub(crate) fn answer<T: PartialEq + From<i8>>(returned: T) -> Result<T> {
    if returned == T::from(-1) { Err(errno()) } else { Ok(returned) }
}

/// As [`answer`], where what it returns says nothing else.
pub(crate) fn done(returned: libc::c_int) -> Result<()> {
    answer(returned).map(drop)
}

/// Why the last one failed.
pub(crate) fn errno() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).expect("an errno")
}
