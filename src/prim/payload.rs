//! [`Payload`]: what is copied into shared memory and out of it.

#![allow(unsafe_code, reason = "atomic words of a value; see SAFETY.md")]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;
use core::slice;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use zerocopy::FromBytes;

use crate::shm::plain::Plain;
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
use crate::sys::copy;

/// Room for a `T`, written and read word by word: whoever breaks the rules of the queue that it is
/// part of can make values wrong, and nothing else. (Large ones, on x86-64, by one instruction of
/// which the compiler believes as little.)
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Payload<T>(UnsafeCell<MaybeUninit<InWords<T>>>);

/// As long as a number of whole words.
#[repr(C, align(8))]
struct InWords<T>(T);

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

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: of a cell, so never null; aligned, and so many words long, by `InWords`; of any
        // bits, and initialised, as shared memory always is, or by `new`.
        unsafe { slice::from_raw_parts(self.0.get().cast(), size_of::<InWords<T>>() / WORD) }
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
        for (word, chunk) in self.words().iter().zip(bytes.chunks(WORD)) {
            let mut value = [0; WORD];
            value.iter_mut().zip(chunk).for_each(|(to, &from)| *to = from);
            word.store(u64::from_ne_bytes(value), Relaxed);
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
        let to = to.cast::<u8>();
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if size_of::<T>() >= LONG {
            // SAFETY: as many bytes as a `T` has, here and, as the caller says, there.
            return unsafe { copy::copy(to, self.as_ptr().cast(), size_of::<T>()) };
        }
        for (word, at) in self.words().iter().zip((0..size_of::<T>()).step_by(WORD)) {
            let bytes = word.load(Relaxed).to_ne_bytes();
            let count = WORD.min(size_of::<T>().saturating_sub(at));
            // SAFETY: `at` and the `count` bytes from there on lie within the `T`.
            let to = unsafe { to.add(at) };
            // SAFETY: the same, and `count` is at most a word.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, count) };
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
