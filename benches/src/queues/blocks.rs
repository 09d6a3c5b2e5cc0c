//! The floor of streams: blocks of memory, each handed over whole, by a flag.

use core::hint::spin_loop;
use core::sync::atomic::Ordering::{Acquire, Release};
use core::sync::atomic::{AtomicU32, AtomicU64};

use super::channels::room;

/// How many words a block has: 64 KiB.
pub(super) const WORDS: usize = 8192;
const BLOCKS: usize = 8;
/// Far enough apart.
const APART: usize = 32;

const EMPTY: u32 = 0;
const FULL: u32 = 1;

/// One end: at a place in a block that is its own.
pub(super) struct End {
    flags: &'static [AtomicU32; BLOCKS * APART],
    words: &'static [AtomicU64; BLOCKS * WORDS],
    at: usize,
    /// What the flag of a block says that this end may have, and what it says when it is done.
    wanted: u32,
    done: u32,
}

/// The end that fills blocks, and the end that empties them.
pub(super) fn blocks() -> (End, End) {
    let (flags, words) = (room(), room());
    (
        End { flags, words, at: 0, wanted: EMPTY, done: FULL },
        End { flags, words, at: 0, wanted: FULL, done: EMPTY },
    )
}

impl End {
    /// So many words at once, of which a block holds a whole number: `take` has them for itself.
    #[inline]
    pub(super) fn next<T>(&mut self, words: usize, take: impl FnOnce(&[AtomicU64]) -> T) -> T {
        let flag = &self.flags[self.at / WORDS * APART];
        if self.at.is_multiple_of(WORDS) {
            while flag.load(Acquire) != self.wanted {
                spin_loop();
            }
        }
        let taken = take(&self.words[self.at..self.at + words]);
        self.at += words;
        if self.at.is_multiple_of(WORDS) {
            flag.store(self.done, Release);
            self.at %= BLOCKS * WORDS;
        }
        taken
    }
}

/// Where they are, for who copies them all at once.
#[inline]
pub(super) fn start(words: &[AtomicU64]) -> *mut u64 {
    words.as_ptr().cast::<u64>().cast_mut()
}
