//! What is in a ring's memory, and what of it is a message: a second time, by the rule alone.

use core::slice;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rawipc::queue::MessageRing;

/// Where they lie.
pub(super) const PRODUCER: usize = 16;
pub(super) const CONSUMER: usize = 20;
pub(super) const CLOSED: usize = 24;
pub(super) const END: usize = 32;
pub(super) const TAIL: usize = 128;
pub(super) const HEAD: usize = 256;
pub(super) const STORAGE: usize = 384;

/// What says that the next message is at the beginning.
pub(super) const SKIP: u64 = 1 << 32;

/// A position at which a ring that is closed ends; zero is none.
pub(super) const fn mark(position: u64) -> u64 {
    position << 1 | 1
}

/// What a message takes.
pub(super) const fn size(length: usize) -> u64 {
    8 + length.next_multiple_of(8) as u64
}

/// A message, and the header in front of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) at: u64,
    pub(super) length: usize,
}

impl Record {
    pub(super) const fn end(self) -> u64 {
        self.at.wrapping_add(size(self.length))
    }
}

#[derive(Debug, PartialEq)]
pub(super) enum Found {
    Record(Record),
    Nothing,
    Nonsense,
}

/// What a ring's memory has in it; but for who sleeps, and who has a role.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Memory<const BYTES: usize> {
    pub(super) is_closed: bool,
    pub(super) end: u64,
    pub(super) tail: u64,
    pub(super) head: u64,
    storage: [u8; BYTES],
}

impl<const BYTES: usize> Memory<BYTES> {
    pub(super) const LONGEST: usize = BYTES / 2 - 16;

    pub(super) fn of(ring: &MessageRing<BYTES>) -> Self {
        let mut storage = [0; BYTES];
        for (bytes, half) in storage.chunks_exact_mut(4).zip(&halves(ring)[STORAGE / 4..]) {
            bytes.copy_from_slice(&half.load(Relaxed).to_ne_bytes());
        }
        Self {
            is_closed: half(ring, CLOSED).load(Relaxed) != 0,
            end: load(ring, END),
            tail: load(ring, TAIL),
            head: load(ring, HEAD),
            storage,
        }
    }

    pub(super) fn offset(position: u64) -> usize {
        usize::try_from(position % BYTES as u64).expect("an offset")
    }

    fn word(&self, at: u64) -> u64 {
        let (word, _rest) = self.storage[Self::offset(at)..].split_first_chunk().expect("a word");
        u64::from_ne_bytes(*word)
    }

    pub(super) fn set_word(&mut self, at: u64, word: u64) {
        self.storage[Self::offset(at)..][..8].copy_from_slice(&word.to_ne_bytes());
    }

    /// The message of a record, which has been found or placed there: so it is in one piece.
    pub(super) fn message(&mut self, record: Record) -> &mut [u8] {
        &mut self.storage[Self::offset(record.at) + 8..][..record.length]
    }

    /// What is behind a message in its last word may be anything.
    pub(super) fn forget_padding(&mut self, record: Record, now: &Self) {
        let message = Self::offset(record.at) + 8;
        let padding = message + record.length..message + record.length.next_multiple_of(8);
        self.storage[padding.clone()].copy_from_slice(&now.storage[padding]);
    }

    /// What has been pushed at that position.
    pub(super) fn look(&self, at: u64) -> Found {
        match self.word(at) {
            0 => Found::Nothing,
            SKIP => {
                let next = at.wrapping_add(BYTES as u64) & !(BYTES as u64 - 1);
                Self::checked(next, self.word(next))
            }
            header => Self::checked(at, header),
        }
    }

    fn checked(at: u64, header: u64) -> Found {
        let length = header.checked_sub(1).and_then(|length| usize::try_from(length).ok());
        let is_message = |&length: &usize| {
            length <= Self::LONGEST && Self::offset(at) as u64 + size(length) <= BYTES as u64
        };
        match length.filter(is_message) {
            Some(length) => Found::Record(Record { at, length }),
            None => Found::Nonsense,
        }
    }

    pub(super) fn used(&self) -> usize {
        let used = self.tail.wrapping_sub(self.head);
        let is_behind = used > u64::MAX / 2;
        if is_behind { 0 } else { usize::try_from(used).map_or(BYTES, |used| used.min(BYTES)) }
    }
}

/// All of the memory, by half a word, which whoever has it may write at any time.
fn halves<const BYTES: usize>(ring: &MessageRing<BYTES>) -> &[AtomicU32] {
    let halves = (&raw const *ring).cast::<AtomicU32>();
    // SAFETY: in bounds, aligned (to a cache line), and borrowed from what it is; a ring is a type
    // that lives with bytes which others change.
    unsafe { slice::from_raw_parts(halves, size_of::<MessageRing<BYTES>>() / 4) }
}

pub(super) fn half<const BYTES: usize>(ring: &MessageRing<BYTES>, at: usize) -> &AtomicU32 {
    &halves(ring)[at / 4]
}

pub(super) fn load<const BYTES: usize>(ring: &MessageRing<BYTES>, at: usize) -> u64 {
    let halves = [at, at + 4].map(|at| half(ring, at).load(Relaxed).to_ne_bytes());
    u64::from_ne_bytes(halves.concat().try_into().expect("eight bytes"))
}

pub(super) fn store<const BYTES: usize>(ring: &MessageRing<BYTES>, at: usize, word: u64) {
    let bytes = word.to_ne_bytes();
    for (bytes, at) in bytes.chunks_exact(4).zip([at, at + 4]) {
        let value = u32::from_ne_bytes(bytes.try_into().expect("four bytes"));
        half(ring, at).store(value, Relaxed);
    }
}
