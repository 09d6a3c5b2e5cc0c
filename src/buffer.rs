//! [`Buffer`]: memory that a caller lends for receiving, initialised or not.

#![allow(
    unsafe_code,
    reason = "initialised memory seen as if it were not, and back; see SAFETY.md"
)]

use core::mem::MaybeUninit;

use crate::error::Incomplete;
use crate::{Errno, Result};

/// A caller's buffer to receive into: `&mut [u8]`, `&mut [MaybeUninit<u8>]`, or `&mut` an array of
/// either.
///
/// Whatever goes in, the initialised part comes out, as `&mut [u8]` that borrows from the buffer.
/// Nothing is cleared beforehand and nothing is copied afterwards.
///
/// # Examples
///
/// ```
/// use core::mem::MaybeUninit;
/// use rawipc::pipe::Pipe;
///
/// let Pipe { reader, writer } = Pipe::new()?;
/// writer.write(b"tea")?;
/// writer.write(b"pot")?;
///
/// let mut on_the_stack = [MaybeUninit::uninit(); 64];
/// assert_eq!(reader.read(&mut on_the_stack)?, b"teapot");
/// # Ok::<(), rawipc::Errno>(())
/// ```
pub trait Buffer<'b>: sealed::Lend<'b> {}

impl<'b, B: sealed::Lend<'b>> Buffer<'b> for B {}

pub(crate) mod sealed {
    use super::MaybeUninit;

    /// Gives up a buffer as its raw parts, which safe code outside can do nothing with.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be lent as a buffer",
        note = "lend a slice, as in `&mut buffer[..]`, or an array by `&mut`"
    )]
    pub trait Lend<'b> {
        /// Where the buffer is and how long. Valid for writes for `'b`, which nobody else can use
        /// meanwhile.
        #[doc(hidden)]
        fn lend(self) -> *mut [MaybeUninit<u8>];
    }

    impl<'b> Lend<'b> for &'b mut [MaybeUninit<u8>] {
        #[inline]
        fn lend(self) -> *mut [MaybeUninit<u8>] {
            self
        }
    }

    impl<'b> Lend<'b> for &'b mut [u8] {
        #[inline]
        fn lend(self) -> *mut [MaybeUninit<u8>] {
            core::ptr::from_mut(self) as *mut [MaybeUninit<u8>]
        }
    }

    impl<'b, const N: usize> Lend<'b> for &'b mut [MaybeUninit<u8>; N] {
        #[inline]
        fn lend(self) -> *mut [MaybeUninit<u8>] {
            self.as_mut_slice().lend()
        }
    }

    impl<'b, const N: usize> Lend<'b> for &'b mut [u8; N] {
        #[inline]
        fn lend(self) -> *mut [MaybeUninit<u8>] {
            self.as_mut_slice().lend()
        }
    }
}

/// A lent buffer of which the first part is filled: what every receiving call works on.
pub(crate) struct Filling<'b> {
    space: &'b mut [MaybeUninit<u8>],
    filled: usize,
}

impl<'b> Filling<'b> {
    #[inline]
    pub(crate) fn new(buffer: impl Buffer<'b>) -> Self {
        let space = buffer.lend();
        // SAFETY: `Lend` is sealed to exclusive borrows for `'b`, each given up in the call. Where
        // the borrow was of `u8`, nothing in this crate writes an uninitialised byte back.
        let space = unsafe { &mut *space };
        Self { space, filled: 0 }
    }

    /// How many bytes can still be filled.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.space.len().saturating_sub(self.filled)
    }

    /// Lets `receive` fill what is left, and counts what it says it initialised.
    ///
    /// Returns how many bytes that were.
    #[inline]
    pub(crate) fn fill(
        &mut self,
        receive: impl for<'s> FnOnce(&'s mut [MaybeUninit<u8>]) -> Result<&'s mut [u8]>,
    ) -> Result<usize> {
        let rest = self.space.get_mut(self.filled..).unwrap_or_default();
        let start = rest.as_ptr().cast::<u8>();
        let received = receive(rest)?;
        // A `&mut [u8]` is initialised; that it starts where `rest` does makes it our bytes.
        if received.as_ptr() != start {
            return Ok(0);
        }
        let received = received.len();
        self.filled = self.filled.saturating_add(received);
        Ok(received)
    }

    /// Repeats `read` until the buffer is full or `read` finds the end, and after signals.
    pub(crate) fn fill_all(
        mut self,
        mut read: impl FnMut(&mut Self) -> Result<usize>,
    ) -> Result<&'b mut [u8], Incomplete> {
        while self.filled < self.space.len() {
            match read(&mut self) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Incomplete::new(self.filled, errno)),
            }
        }
        Ok(self.into_filled())
    }

    /// The filled part.
    #[inline]
    pub(crate) fn into_filled(self) -> &'b mut [u8] {
        // SAFETY: initialised, as `fill` checked.
        unsafe { assume_filled(self.space, self.filled) }
    }
}

/// The counterpart of [`Filling::fill_all`]: repeats `write` until nothing of `bytes` is left.
pub(crate) fn pour_all(
    bytes: &[u8],
    mut write: impl FnMut(&[u8]) -> Result<usize>,
) -> Result<(), Incomplete> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match write(rest) {
            // No pipe or socket does that; what else a descriptor may be could do so for ever.
            Ok(0) => {
                return Err(Incomplete::new(bytes.len().saturating_sub(rest.len()), Errno::IO));
            }
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => {
                return Err(Incomplete::new(bytes.len().saturating_sub(rest.len()), errno));
            }
        }
    }
    Ok(())
}

/// The first `len` bytes of `space`, as what they are once they are filled.
///
/// # Safety
///
/// They have been initialised, as far as `space` is so long.
#[inline]
pub(crate) unsafe fn assume_filled(space: &mut [MaybeUninit<u8>], len: usize) -> &mut [u8] {
    let filled = space.get_mut(..len).unwrap_or_default();
    let filled = core::ptr::from_mut(filled) as *mut [u8];
    // SAFETY: initialised, as the caller vouches; exclusive, as `space` was.
    unsafe { &mut *filled }
}
