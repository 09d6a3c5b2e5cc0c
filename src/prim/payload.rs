//! [`Payload`]: what is copied into shared memory and out of it.

#![allow(unsafe_code, reason = "atomic words of a value; see SAFETY.md")]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::slice;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU8, AtomicU64};

use zerocopy::FromBytes;

use crate::shm::plain::Plain;
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
use crate::sys::copy;

/// Room for a `T`, written and read word by word: whoever breaks the rules of the queue that it is
/// part of can make values wrong, and nothing else. (Large ones, on x86-64, by one instruction of
/// which the compiler believes as little.)
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Payload<T>(UnsafeCell<MaybeUninit<Aligned<T>>>);

/// As words are. What is behind the `T` then is nobody's, and never looked at.
#[repr(C, align(8))]
struct Aligned<T>(T);

const WORD: usize = size_of::<u64>();

/// From how many bytes on one instruction is faster than words.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
const LONG: usize = 512;

// SAFETY: the value goes from one thread to the other, by atomic words.
unsafe impl<T: Send> Sync for Payload<T> {}

impl<T> Payload<T> {
    /// All zero.
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::zeroed()))
    }

    /// Where the value is: to be used in place by whoever vouches for the others.
    #[inline]
    pub(crate) const fn as_ptr(&self) -> *mut T {
        self.0.get().cast()
    }

    /// As many whole words as a `T` has; and the bytes that it has behind them. Always the same:
    /// atomics that overlap and differ in size would race.
    #[inline]
    fn parts(&self) -> (&[AtomicU64], &[AtomicU8]) {
        let start: *const AtomicU64 = self.0.get().cast();
        let words = size_of::<T>() / WORD;
        // SAFETY: within the `T`, or one behind it.
        let rest = unsafe { start.add(words) };
        // SAFETY: of a cell, so never null; aligned by `Aligned`, and of any bits; initialised, as
        // all bytes of a `T` are, by `new` and by whatever is stored.
        let words = unsafe { slice::from_raw_parts(start, words) };
        // SAFETY: the same, and as many as are left.
        let rest = unsafe { slice::from_raw_parts(rest.cast(), size_of::<T>() % WORD) };
        (words, rest)
    }
}

impl<T: Plain> Payload<T> {
    #[inline]
    pub(crate) fn store(&self, value: &T) {
        let bytes = value.as_bytes();
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if size_of::<T>() >= LONG {
            // SAFETY: as many bytes as a `T` has, here and there, and here there is nobody else's.
            return unsafe { copy::copy(self.as_ptr().cast(), bytes.as_ptr(), bytes.len()) };
        }
        let (words, rest) = self.parts();
        let chunks = bytes.chunks_exact(WORD);
        for (byte, &value) in rest.iter().zip(chunks.remainder()) {
            byte.store(value, Relaxed);
        }
        for (word, chunk) in words.iter().zip(chunks) {
            word.store(u64::from_ne_bytes(chunk.try_into().unwrap_or_default()), Relaxed);
        }
    }

    #[inline]
    pub(crate) fn load(&self) -> T {
        let mut value = MaybeUninit::uninit();
        // SAFETY: room for a `T`.
        unsafe { self.load_to(value.as_mut_ptr()) };
        // SAFETY: `load_to` has written all its bytes, of which any are a `T`.
        unsafe { value.assume_init() }
    }

    #[inline]
    pub(crate) fn load_into(&self, value: &mut T) {
        // SAFETY: room for a `T`, of which any bytes are one.
        unsafe { self.load_to(value) };
    }

    /// # Safety
    ///
    /// A `T` can be written to `to`.
    #[inline]
    unsafe fn load_to(&self, to: *mut T) {
        let (words_to, to) = (to.cast::<u64>(), to.cast::<u8>());
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if size_of::<T>() >= LONG {
            // SAFETY: as many bytes as a `T` has, here and, as the caller says, there.
            return unsafe { copy::copy(to, self.as_ptr().cast(), size_of::<T>()) };
        }
        let (words, rest) = self.parts();
        for (index, word) in words.iter().enumerate() {
            // SAFETY: `to` has as many words as there are here.
            let to = unsafe { words_to.add(index) };
            // SAFETY: the same; a `T` need not be aligned as a word is.
            unsafe { to.write_unaligned(word.load(Relaxed)) };
        }
        for (index, byte) in rest.iter().enumerate() {
            // SAFETY: behind those words `to` has as many bytes as there are here.
            let to = unsafe { to.add(words.len().wrapping_mul(WORD).wrapping_add(index)) };
            // SAFETY: the same.
            unsafe { to.write(byte.load(Relaxed)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Payload;

    fn comes_back<const BYTES: usize>() {
        let mut bytes = (1..=u8::MAX).cycle();
        let value: [u8; BYTES] = core::array::from_fn(|_| bytes.next().unwrap_or_default());
        let neighbours = [Payload::new(), Payload::new(), Payload::new()];
        neighbours[1].store(&value);
        assert_eq!(neighbours[1].load(), value);
        assert_eq!(neighbours[0].load(), [0; BYTES]);
        assert_eq!(neighbours[2].load(), [0; BYTES]);
    }

    #[test]
    fn every_byte_comes_back_and_no_neighbour_is_touched() {
        comes_back::<0>();
        comes_back::<1>();
        comes_back::<7>();
        comes_back::<8>();
        comes_back::<9>();
        comes_back::<511>();
        comes_back::<512>();
        comes_back::<513>();
        comes_back::<4096>();
    }
}
