//! Copying bytes into a [`Region`] and out of it.

#![allow(
    unsafe_code,
    reason = "initialised memory, and the instruction that copies; see SAFETY.md"
)]

use core::mem::MaybeUninit;
use core::ptr;

use super::Region;
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(loom)))]
use crate::sys::copy;

const WORD: usize = size_of::<u64>();

/// From how many bytes on one instruction is faster than words.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(loom)))]
const LONG: usize = 512;

impl<const BYTES: usize> Region<BYTES> {
    /// Where the byte at that position is.
    #[inline]
    pub(crate) fn at(&self, position: u64) -> *mut u8 {
        self.as_ptr().wrapping_add(remainder(position, BYTES))
    }

    /// Copies them in from that position on, where a word begins. What is left of the last word
    /// becomes anything.
    #[inline]
    pub(crate) fn store(&self, position: u64, bytes: &[u8]) {
        if !self.store_long(position, bytes) {
            let (rest, at) = self.store_words(position, bytes);
            if !rest.is_empty() {
                self.write(at, word_of(rest));
            }
        }
    }

    /// Copies them in from that position on, and leaves the bytes before and behind as they are:
    /// for who alone writes to them.
    pub(crate) fn patch(&self, position: u64, bytes: &[u8]) {
        if !self.store_long(position, bytes) {
            let (first, bytes) = bytes.split_at(until_next_word(position).min(bytes.len()));
            self.splice(position, first);
            let (rest, at) = self.store_words(position.wrapping_add(first.len() as u64), bytes);
            self.splice(at, rest);
        }
    }

    /// Fills `to` from that position on.
    #[inline]
    pub(crate) fn load<'t>(&self, position: u64, to: &'t mut [MaybeUninit<u8>]) -> &'t mut [u8] {
        if !self.load_long(position, to) {
            let (first, whole) = to.split_at_mut(until_next_word(position).min(to.len()));
            let before = remainder(position, WORD);
            let mut at = position;
            if !first.is_empty() {
                fill(first, self.read(at).to_ne_bytes().into_iter().skip(before));
                at = at.wrapping_add(first.len() as u64);
            }
            let mut chunks = whole.chunks_exact_mut(WORD);
            for chunk in &mut chunks {
                fill(chunk, self.read(at).to_ne_bytes());
                at = at.wrapping_add(WORD as u64);
            }
            let rest = chunks.into_remainder();
            if !rest.is_empty() {
                fill(rest, self.read(at).to_ne_bytes());
            }
        }
        // SAFETY: each byte has been written just now, by `load_long`, or as part of what stands
        // before the first whole word, of these, or behind the last; exclusive, as `to` was.
        unsafe { &mut *(ptr::from_mut(to) as *mut [u8]) }
    }

    /// Whole words, as many as there are; says what is left, and where it belongs.
    #[inline]
    fn store_words<'b>(&self, position: u64, bytes: &'b [u8]) -> (&'b [u8], u64) {
        let mut at = position;
        let mut chunks = bytes.chunks_exact(WORD);
        for chunk in &mut chunks {
            self.write(at, word_of(chunk));
            at = at.wrapping_add(WORD as u64);
        }
        (chunks.remainder(), at)
    }

    /// Part of one word.
    fn splice(&self, position: u64, bytes: &[u8]) {
        if !bytes.is_empty() {
            let mut word = self.read(position).to_ne_bytes();
            let room = word.iter_mut().skip(remainder(position, WORD));
            room.zip(bytes).for_each(|(to, &from)| *to = from);
            self.write(position, u64::from_ne_bytes(word));
        }
    }

    /// Where so many bytes in a row begin, if they are many.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(loom)))]
    #[inline]
    fn long(&self, position: u64, length: usize) -> Option<*mut u8> {
        let are_in_a_row = length <= BYTES.saturating_sub(remainder(position, BYTES));
        (length >= LONG && are_in_a_row).then(|| self.at(position))
    }

    /// By one instruction, if they are many; says whether.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(loom)))]
    #[inline]
    fn store_long(&self, position: u64, bytes: &[u8]) -> bool {
        let Some(to) = self.long(position, bytes.len()) else { return false };
        // SAFETY: so many bytes from there on are in here, as `long` says; nobody who can lend
        // `bytes` has any of these.
        unsafe { copy::copy(to, bytes.as_ptr(), bytes.len()) };
        true
    }

    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(loom)))]
    #[inline]
    fn load_long(&self, position: u64, to: &mut [MaybeUninit<u8>]) -> bool {
        let Some(from) = self.long(position, to.len()) else { return false };
        // SAFETY: as in `store_long`, the other way round.
        unsafe { copy::copy(to.as_mut_ptr().cast(), from, to.len()) };
        true
    }

    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(loom))))]
    #[allow(clippy::unused_self, reason = "as where there is such an instruction")]
    const fn store_long(&self, _: u64, _: &[u8]) -> bool {
        false
    }

    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(loom))))]
    #[allow(clippy::unused_self, reason = "as where there is such an instruction")]
    const fn load_long(&self, _: u64, _: &mut [MaybeUninit<u8>]) -> bool {
        false
    }
}

/// How many bytes there are from that position on in a word that begins before it.
#[inline]
const fn until_next_word(position: u64) -> usize {
    remainder(position.wrapping_neg(), WORD)
}

/// Of a division by a power of two.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
const fn remainder(position: u64, divisor: usize) -> usize {
    position as usize & divisor.wrapping_sub(1)
}

/// What they are in memory; if they are fewer, with zeros behind them.
#[inline]
fn word_of(bytes: &[u8]) -> u64 {
    let whole = bytes.try_into().map(u64::from_ne_bytes);
    whole.unwrap_or_else(|_| {
        let mut word = [0; WORD];
        word.iter_mut().zip(bytes).for_each(|(to, &from)| *to = from);
        u64::from_ne_bytes(word)
    })
}

/// Writes all of `to`, which is no longer than that.
#[inline]
fn fill(to: &mut [MaybeUninit<u8>], bytes: impl IntoIterator<Item = u8>) {
    to.iter_mut().zip(bytes).for_each(|(to, byte)| {
        to.write(byte);
    });
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a test"
)]
mod tests {
    extern crate std;

    use core::mem::MaybeUninit;
    use std::vec::Vec;

    use super::Region;

    const BYTES: usize = 4096;
    const LENGTHS: [usize; 14] = [0, 1, 2, 7, 8, 9, 15, 16, 17, 511, 512, 513, 1024, 1031];

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8 + 1).collect()
    }

    fn load(region: &Region<BYTES>, position: usize, length: usize) -> Vec<u8> {
        let mut to = std::vec![MaybeUninit::uninit(); length];
        region.load(position as u64, &mut to).to_vec()
    }

    #[test]
    fn every_byte_comes_back_from_wherever_it_is_patched_in_and_no_neighbour_is_touched() {
        for length in LENGTHS {
            for position in (100..109).chain([BYTES - 5, BYTES - 513]) {
                let region = Region::<BYTES>::new();
                region.store(0, &[0xee; BYTES]);
                region.patch(position as u64, &bytes(length));
                assert_eq!(load(&region, position, length), bytes(length));
                let others = BYTES - length;
                assert_eq!(load(&region, position + length, others), std::vec![0xee; others]);
            }
        }
    }

    #[test]
    fn every_byte_comes_back_that_is_stored_and_no_other_word_is_touched() {
        for length in LENGTHS {
            for position in [0, 8, 104, BYTES - 8, BYTES - 512] {
                let region = Region::<BYTES>::new();
                region.store(0, &[0xee; BYTES]);
                region.store(position as u64, &bytes(length));
                assert_eq!(load(&region, position, length), bytes(length));
                let whole = length.next_multiple_of(8);
                let others = BYTES - whole;
                assert_eq!(load(&region, position + whole, others), std::vec![0xee; others]);
            }
        }
    }

    #[test]
    fn a_part_comes_out_from_wherever_it_is() {
        let region = Region::<BYTES>::new();
        let all = bytes(BYTES);
        region.store(0, &all);
        for position in 0..9 {
            for length in LENGTHS {
                assert_eq!(load(&region, position, length), all[position..position + length]);
            }
        }
    }

    #[test]
    fn a_position_beyond_the_end_is_one_in_the_circle() {
        let region = Region::<BYTES>::new();
        region.store(u64::MAX - 7, b"the last");
        region.store(0, b"and then");
        assert_eq!(load(&region, BYTES - 8, 16), b"the lastand then");
        let mut to = [MaybeUninit::uninit(); 16];
        assert_eq!(region.load(u64::MAX - 7, &mut to), b"the lastand then");
    }
}
