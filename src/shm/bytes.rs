//! [`Bytes`]: shared memory of which nothing is believed.

#![allow(unsafe_code, reason = "atomic words of shared memory; see SAFETY.md")]

use core::fmt;
use core::mem::MaybeUninit;
use core::slice;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

use rustix::fd::AsFd;

use super::{Access, Mapping, Plain, file};
#[cfg(doc)]
use crate::Errno;
use crate::buffer::{Filling, assume_filled};
use crate::{Buffer, Result};

/// Bytes that processes share, and that any of them may change at any time: copied in and out,
/// never lent.
///
/// For memory of which the other end is not trusted, is not written in Rust, or has no layout that
/// a type says. A copy is no snapshot: it may have some bytes from before another's write and some
/// from after it. But each word that is aligned and as long as a `usize` is read and written at
/// once, and bytes next to those that are written keep what others write to them meanwhile.
///
/// Nothing here orders one access before another: a flag that says that the rest is there belongs
/// into a [`Shared`](super::Shared), or into a message.
///
/// # Examples
///
/// ```
/// use rawipc::shm::{Access, Bytes, Memfd};
///
/// let memfd = Memfd::new(100)?;
/// let bytes = Bytes::map(&memfd, Access::ReadWrite)?;
/// bytes.copy_in(3, b"over the edge of a word")?;
/// bytes.write(64, 1.5_f64)?;
///
/// assert_eq!(bytes.copy_out(8, &mut [0; 8])?, b"the edge");
/// assert_eq!(bytes.read::<f64>(64)?, 1.5);
/// assert!(bytes.read::<u64>(93).is_err()); // its last byte would be the 101st
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Bytes(Mapping);

const WORD: usize = size_of::<usize>();

/// What a slice can have, in whole words.
const MOST: usize = isize::MAX.unsigned_abs() / WORD * WORD;

impl Bytes {
    /// All bytes of a mapping.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::shm::{Access, Bytes, Mapping, Memfd};
    ///
    /// let mapping = Mapping::new(Memfd::new(100)?, 50, Access::ReadOnly)?;
    /// let bytes = Bytes::new(mapping);
    /// assert_eq!(bytes.len(), 50);
    /// assert_eq!(bytes.into_mapping().access(), Access::ReadOnly);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn new(mapping: Mapping) -> Self {
        Self(mapping)
    }

    /// `mmap`: all bytes of a file, an [`Object`](super::Object) or a [`Memfd`](super::Memfd), say.
    ///
    /// If somebody makes the file shorter later, to touch what is gone ends the process (`SIGBUS`).
    ///
    /// # Errors
    ///
    /// As [`Mapping::new`]; [`Errno::INVAL`] or [`Errno::ISDIR`] if it is no file, `INVAL` too if
    /// it is empty.
    ///
    /// # Examples
    ///
    /// See [`Bytes`].
    ///
    /// # References
    ///
    /// - [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)
    #[doc(alias = "mmap")]
    #[inline]
    pub fn map(fd: impl AsFd, access: Access) -> Result<Self> {
        let length = file::length(fd.as_fd())?;
        Mapping::new(fd, length, access).map(Self)
    }

    /// How many there are that can be reached; never zero, and never more than half of all
    /// addresses.
    ///
    /// # Examples
    ///
    /// See [`new`](Self::new).
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    #[inline]
    pub const fn len(&self) -> usize {
        if self.0.len() < MOST { self.0.len() } else { MOST }
    }

    /// The mapping they are in.
    ///
    /// # Examples
    ///
    /// See [`new`](Self::new).
    #[must_use]
    #[inline]
    pub fn into_mapping(self) -> Mapping {
        self.0
    }

    /// Copies the bytes from `offset` on into `buffer`, and fills it.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`], without copying any, if there are not so many.
    ///
    /// # Examples
    ///
    /// See [`Bytes`].
    #[inline]
    pub fn copy_out<'b>(
        &self,
        offset: usize,
        buffer: impl Buffer<'b>,
    ) -> Result<&'b mut [u8], OutOfBounds> {
        let mut filling = Filling::new(buffer);
        let length = filling.room();
        self.check(offset, length)?;
        // Fills all of it, and does not fail.
        let _filled = filling.fill(|space| Ok(self.load(offset, space)));
        Ok(filling.into_filled())
    }

    /// Copies `bytes` to where they begin at `offset`.
    ///
    /// # Errors
    ///
    /// [`WriteError`], without copying any, if there is no room for them all, or the memory is
    /// mapped for reading only.
    ///
    /// # Examples
    ///
    /// See [`Bytes`].
    #[inline]
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) -> Result<(), WriteError> {
        self.check(offset, bytes.len())?;
        match self.0.access() {
            Access::ReadOnly => Err(WriteError::ReadOnly),
            Access::ReadWrite => {
                self.store(offset, bytes);
                Ok(())
            }
        }
    }

    /// A copy of the value whose bytes begin at `offset`, aligned or not.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] if there are not so many bytes.
    ///
    /// # Examples
    ///
    /// See [`Bytes`].
    #[inline]
    pub fn read<T: Plain>(&self, offset: usize) -> Result<T, OutOfBounds> {
        let mut value = T::new_zeroed();
        self.copy_out(offset, value.as_mut_bytes())?;
        Ok(value)
    }

    /// Copies the bytes of `value` to where they begin at `offset`, aligned or not.
    ///
    /// # Errors
    ///
    /// As [`copy_in`](Self::copy_in).
    ///
    /// # Examples
    ///
    /// See [`Bytes`].
    #[inline]
    #[allow(clippy::needless_pass_by_value, reason = "as core::ptr::write")]
    pub fn write<T: Plain>(&self, offset: usize, value: T) -> Result<(), WriteError> {
        self.copy_in(offset, value.as_bytes())
    }

    const fn check(&self, offset: usize, length: usize) -> Result<(), OutOfBounds> {
        match offset.checked_add(length) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(OutOfBounds { offset, length, available: self.len() }),
        }
    }

    /// The words that they lie in, of which the last may have bytes beyond theirs.
    ///
    /// Whole words only, always the same: atomics that overlap and differ in size would race.
    #[inline]
    fn words(&self) -> &[AtomicUsize] {
        // SAFETY: aligned, as a mapping begins with a page. In bounds, as what is left of the last
        // word lies in the same page, of which a mapping has all, be it of a file or of a segment.
        // Not too long: `len` sees to it. Mapped until `self` goes, which outlives the borrow. In
        // this process `self` alone has the mapping, and uses it by such words only; other
        // processes' accesses are none of this program's. Where it is mapped for reading only, it
        // is only loaded from, relaxed, which does not write (`core::sync::atomic`, "Atomic
        // accesses to read-only memory").
        unsafe { slice::from_raw_parts(self.0.as_ptr().cast(), self.len().div_ceil(WORD)) }
    }

    /// The words from the one on in which the byte at `offset` lies; at which of its bytes that is;
    /// and how many of `length` bytes lie in that one if it is not theirs from its beginning.
    #[inline]
    fn from(&self, offset: usize, length: usize) -> (slice::Iter<'_, AtomicUsize>, usize, usize) {
        let (first, within) = (offset / WORD, offset % WORD);
        let words = self.words().get(first..).unwrap_or_default();
        let head = if within == 0 { 0 } else { WORD.saturating_sub(within).min(length) };
        (words.iter(), within, head)
    }

    /// Copies out what has been checked to be there.
    #[inline]
    fn load<'s>(&self, offset: usize, space: &'s mut [MaybeUninit<u8>]) -> &'s mut [u8] {
        let length = space.len();
        let (mut words, within, head) = self.from(offset, length);
        let (head, rest) = space.split_at_mut(head);
        load_part(&mut words, within, head);
        let mut whole = rest.chunks_exact_mut(WORD);
        for (chunk, word) in whole.by_ref().zip(words.by_ref()) {
            let bytes = word.load(Relaxed).to_ne_bytes();
            chunk.iter_mut().zip(bytes).for_each(|(slot, byte)| _ = slot.write(byte));
        }
        load_part(&mut words, 0, whole.into_remainder());
        // SAFETY: head, whole words and rest have been written to, for which there were words
        // enough, as all callers have checked.
        unsafe { assume_filled(space, length) }
    }

    /// Copies in what has been checked to have room, where it can be written to.
    #[inline]
    fn store(&self, offset: usize, bytes: &[u8]) {
        let (mut words, within, head) = self.from(offset, bytes.len());
        let (head, rest) = bytes.split_at(head);
        store_part(&mut words, within, head);
        let mut whole = rest.chunks_exact(WORD);
        for (chunk, word) in whole.by_ref().zip(words.by_ref()) {
            let chunk = chunk.try_into().unwrap_or_default();
            word.store(usize::from_ne_bytes(chunk), Relaxed);
        }
        store_part(&mut words, 0, whole.remainder());
    }
}

/// Copies out some bytes of the next word.
#[inline]
fn load_part(
    words: &mut slice::Iter<'_, AtomicUsize>,
    within: usize,
    part: &mut [MaybeUninit<u8>],
) {
    if part.is_empty() {
        return;
    }
    let bytes = words.next().map(|word| word.load(Relaxed).to_ne_bytes()).unwrap_or_default();
    for (slot, byte) in part.iter_mut().zip(bytes.into_iter().skip(within)) {
        slot.write(byte);
    }
}

/// Changes some bytes of the next word, and keeps what others write to the rest of it.
#[inline]
fn store_part(words: &mut slice::Iter<'_, AtomicUsize>, within: usize, part: &[u8]) {
    if part.is_empty() {
        return;
    }
    let Some(word) = words.next() else { return };
    let mut old = word.load(Relaxed);
    loop {
        let mut bytes = old.to_ne_bytes();
        for (byte, &new) in bytes.iter_mut().skip(within).zip(part) {
            *byte = new;
        }
        match word.compare_exchange_weak(old, usize::from_ne_bytes(bytes), Relaxed, Relaxed) {
            Ok(_) => return,
            Err(now) => old = now,
        }
    }
}

impl From<Mapping> for Bytes {
    fn from(mapping: Mapping) -> Self {
        Self(mapping)
    }
}

/// There are not so many bytes.
///
/// # Examples
///
/// ```
/// use rawipc::shm::{Access, Bytes, Memfd};
///
/// let bytes = Bytes::map(Memfd::new(10)?, Access::ReadWrite)?;
/// let beyond = bytes.copy_out(8, &mut [0; 4]).unwrap_err();
/// assert_eq!(beyond.to_string(), "4 bytes from 8 on, of 10");
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OutOfBounds {
    /// Where the first byte was to be.
    pub offset: usize,
    /// How many were asked for.
    pub length: usize,
    /// How many there are in all.
    pub available: usize,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, length, available } = self;
        write!(f, "{length} bytes from {offset} on, of {available}")
    }
}

impl core::error::Error for OutOfBounds {}

/// Of the kind [`InvalidInput`](std::io::ErrorKind::InvalidInput), with the error inside, which
/// allocates, as such errors of `std` do.
#[cfg(feature = "std")]
impl From<OutOfBounds> for std::io::Error {
    fn from(error: OutOfBounds) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}

/// Why nothing was written.
///
/// # Examples
///
/// ```
/// use rawipc::shm::{Access, Bytes, Memfd, WriteError};
///
/// let bytes = Bytes::map(Memfd::new(10)?, Access::ReadOnly)?;
/// assert_eq!(bytes.copy_in(0, b"x"), Err(WriteError::ReadOnly));
/// assert!(matches!(bytes.copy_in(10, b"x"), Err(WriteError::OutOfBounds(_))));
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteError {
    /// There are not so many bytes.
    OutOfBounds(OutOfBounds),
    /// The memory is mapped for reading only.
    ReadOnly,
}

impl From<OutOfBounds> for WriteError {
    fn from(error: OutOfBounds) -> Self {
        Self::OutOfBounds(error)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds(error) => error.fmt(f),
            Self::ReadOnly => f.write_str("mapped for reading only"),
        }
    }
}

impl core::error::Error for WriteError {}

/// Of the kind [`InvalidInput`](std::io::ErrorKind::InvalidInput), with the error inside, which
/// allocates, as such errors of `std` do.
///
/// # Examples
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use rawipc::shm::WriteError;
///
/// assert_eq!(Error::from(WriteError::ReadOnly).kind(), ErrorKind::InvalidInput);
/// ```
#[cfg(feature = "std")]
impl From<WriteError> for std::io::Error {
    fn from(error: WriteError) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}
