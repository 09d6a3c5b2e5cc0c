//! What somebody writes who keeps to no protocol.

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

use arbitrary::Arbitrary;
use rustix::thread::gettid;

use super::arena::Arena;

/// A change of some bytes next to each other.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Write {
    at: u16,
    width: Width,
    how: How,
    value: Value,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Width {
    One,
    Two,
    Four,
    Eight,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum How {
    Store,
    Add,
    And,
    Or,
    Xor,
}

/// A number; those that mean something are more frequent than chance would have them.
#[derive(Arbitrary, Clone, Debug)]
enum Value {
    Little(u8),
    Negative(u8),
    Bit(u8),
    /// That of this thread, as of one who holds a lock.
    Thread,
    Half(u32),
    Any(u64),
}

impl Value {
    fn bits(&self) -> u64 {
        match *self {
            Self::Little(number) => number.into(),
            Self::Negative(number) => !u64::from(number),
            Self::Bit(number) => 1 << (number % 64),
            Self::Thread => gettid().as_raw_nonzero().get().unsigned_abs().into(),
            Self::Half(number) => number.into(),
            Self::Any(number) => number,
        }
    }
}

impl Write {
    /// Within a value so long.
    pub(super) fn resolve(&self, size: usize) -> Resolved {
        let width: usize = match self.width {
            Width::Eight if size >= 8 => 8,
            Width::Four | Width::Eight => 4,
            Width::Two => 2,
            Width::One => 1,
        };
        let at = usize::from(self.at) / width % (size / width) * width;
        Resolved { at, width, how: self.how as u8, value: self.value.bits() }
    }
}

/// The same, in numbers, as one tells it to another process.
pub(super) struct Resolved {
    at: usize,
    width: usize,
    how: u8,
    value: u64,
}

impl Resolved {
    pub(super) fn pack(&self) -> [u64; 2] {
        let at = u64::try_from(self.at << 16 | self.width << 8).expect("a word");
        [at | u64::from(self.how), self.value]
    }

    pub(super) fn unpack([what, value]: [u64; 2]) -> Self {
        let [how, width, low, high, ..] = what.to_le_bytes();
        Self { at: u16::from_le_bytes([low, high]).into(), width: width.into(), how, value }
    }

    pub(super) fn perform(&self, arena: &Arena) {
        let place = arena.at(self.at);
        macro_rules! change {
            ($atomic:ty, $number:ty) => {{
                let value = self.value.to_le_bytes();
                let value = value.first_chunk().expect("as many at least");
                let value = <$number>::from_le_bytes(*value);
                // SAFETY: within the memory, aligned to its width, mapped as long as the borrow;
                // any bits, changed by atomic operations.
                let word = unsafe { place.cast::<$atomic>().as_ref() };
                match self.how {
                    0 => word.store(value, Relaxed),
                    1 => _ = word.fetch_add(value, Relaxed),
                    2 => _ = word.fetch_and(value, Relaxed),
                    3 => _ = word.fetch_or(value, Relaxed),
                    _ => _ = word.fetch_xor(value, Relaxed),
                }
            }};
        }
        match self.width {
            1 => change!(AtomicU8, u8),
            2 => change!(AtomicU16, u16),
            4 => change!(AtomicU32, u32),
            8 => change!(AtomicU64, u64),
            // None: what a script is filled up with.
            _ => {}
        }
    }
}
