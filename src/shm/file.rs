//! What all files of memory have in common: that memory is taken for them at once, and a length.

use rustix::fd::BorrowedFd;
use rustix::fs::{FallocateFlags, FileType, fallocate, fstat};

use crate::{Errno, Result};

/// The least that is asked for at once after signals.
const LEAST: u64 = 64 * 1024;

/// `fallocate`: takes memory for the first `length` bytes, and makes the file as long as that if it
/// is shorter. Touching them cannot fail any more.
#[inline]
pub(super) fn allocate(fd: BorrowedFd<'_>, length: usize) -> Result<()> {
    let length = u64::try_from(length).map_err(|_| Errno::FBIG)?;
    in_pieces(length, |start, length| fallocate(fd, FallocateFlags::empty(), start, length))
}

/// Takes it all at once, if no signal comes; each makes the next piece shorter. A kernel may give
/// back all that a call has taken, and would do so for ever if signals came often enough.
fn in_pieces(length: u64, mut take: impl FnMut(u64, u64) -> Result<()>) -> Result<()> {
    let (mut taken, mut piece) = (0, length);
    loop {
        match take(taken, piece) {
            Ok(()) => taken = piece.saturating_add(taken),
            Err(Errno::INTR) => piece = (piece / 2).max(LEAST.min(piece)),
            Err(errno) => return Err(errno),
        }
        piece = piece.min(length.saturating_sub(taken));
        if piece == 0 {
            return Ok(());
        }
    }
}

/// `fstat`: how long it is, if it is a file at all.
pub(crate) fn length(fd: BorrowedFd<'_>) -> Result<usize> {
    let status = fstat(fd)?;
    match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile => usize::try_from(status.st_size).map_err(|_| Errno::OVERFLOW),
        FileType::Directory => Err(Errno::ISDIR),
        _ => Err(Errno::INVAL),
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test")]
mod tests {
    use super::{Errno, LEAST, in_pieces};

    /// What is asked for, of a kernel that a signal interrupts in all that is longer than `most`.
    fn asked(length: u64, most: u64) -> (u64, u32) {
        let (mut end, mut interruptions) = (0, 0);
        let done = in_pieces(length, |start, length| {
            assert_eq!(start, end, "what is taken is taken once");
            if length > most {
                interruptions += 1;
                return Err(Errno::INTR);
            }
            end += length;
            Ok(())
        });
        assert_eq!(done, Ok(()));
        (end, interruptions)
    }

    #[test]
    fn all_is_taken_however_often_signals_interrupt() {
        for length in [1, LEAST, LEAST + 1, 1 << 20, (1 << 30) + 1] {
            assert_eq!(asked(length, u64::MAX), (length, 0));
            for most in [LEAST, LEAST + 1, 1 << 19, 1 << 29] {
                let (end, interruptions) = asked(length, most);
                assert_eq!(end, length);
                assert!(interruptions <= 15, "{interruptions} times for {length}");
            }
        }
    }

    #[test]
    fn other_errors_end_it() {
        assert_eq!(in_pieces(1, |_, _| Err(Errno::NOSPC)), Err(Errno::NOSPC));
        // What the kernel says of a length of zero.
        assert_eq!(in_pieces(0, |_, _| Err(Errno::INVAL)), Err(Errno::INVAL));
    }
}
