//! The cache line in front of a shared value, which says what lies behind it.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Release};

use zerocopy::{FromBytes, Immutable, IntoBytes, transmute};

use super::LayoutError;
use crate::Result;

/// What a header takes, and what follows it is aligned to at least: a cache line.
pub(super) const SIZE: usize = 64;

/// Stored as a number, so that it reads backwards where numbers do.
const MAGIC: u64 = u64::from_be_bytes(*b"rawipc.s");

/// As it is seen by who comes just before its first word, the last of all, is stored.
const HALF_MAGIC: u64 = {
    let [_, _, _, _, a, b, c, d] = MAGIC.to_ne_bytes();
    u64::from_ne_bytes([0, 0, 0, 0, a, b, c, d])
};

/// Of everything that is laid out here.
const VERSION: u32 = 1;

/// As bytes lie in memory.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Header {
    magic: u64,
    version: u32,
    alignment: u32,
    size: u64,
    count: u64,
    fingerprint: u64,
    reserved: [u64; 3],
}
static_assertions::const_assert_eq!(size_of::<Header>(), SIZE);

/// A header as it is written and read in memory that others write to as well.
pub(super) type Words = [AtomicU32; SIZE / size_of::<u32>()];
static_assertions::const_assert_eq!(size_of::<Words>(), SIZE);

/// What a value is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    size: u64,
    alignment: u32,
    fingerprint: u64,
}

impl Header {
    pub(super) const fn new(shape: Shape, count: u64) -> Self {
        Self {
            magic: MAGIC,
            version: VERSION,
            alignment: shape.alignment,
            size: shape.size,
            count,
            fingerprint: shape.fingerprint,
            reserved: [0; 3],
        }
    }

    /// Writes it where others look for it, the magic number last.
    #[inline]
    pub(super) fn publish(self, words: &Words) {
        let values: [u32; SIZE / size_of::<u32>()] = transmute!(self);
        for (word, value) in words.iter().zip(values).rev() {
            // Pairs with the Acquire in `load`: who sees the first word, the last to be stored,
            // sees all that has been stored before it, the values too.
            word.store(value, Release);
        }
    }

    /// What is there now: the first word first.
    pub(super) fn load(words: &Words) -> Self {
        let mut values = [0; SIZE / size_of::<u32>()];
        for (value, word) in values.iter_mut().zip(words) {
            *value = word.load(Acquire); // pairs with the Release in `publish`
        }
        transmute!(values)
    }

    /// Whether values like `expected` lie behind it, in a file of `length` bytes; and how many.
    ///
    /// Anybody may have written it: nothing here is believed that was not compared.
    pub(super) fn check(&self, length: u64, expected: Shape) -> Result<u64, LayoutError> {
        match self.magic {
            MAGIC => {}
            0 | HALF_MAGIC => return Err(LayoutError::Unfinished),
            magic if magic == MAGIC.swap_bytes() => return Err(LayoutError::ByteOrder),
            _ => return Err(LayoutError::Foreign),
        }
        if self.version != VERSION {
            return Err(LayoutError::Version { found: self.version });
        }
        if self.reserved != [0; 3] {
            return Err(LayoutError::Foreign);
        }
        if self.size != expected.size {
            return Err(LayoutError::Size { expected: expected.size, found: self.size });
        }
        if self.alignment != expected.alignment {
            let (expected, found) = (expected.alignment, self.alignment);
            return Err(LayoutError::Alignment { expected, found });
        }
        if self.fingerprint != expected.fingerprint {
            return Err(LayoutError::Type);
        }
        match end_of_values(self.size, expected.alignment, self.count) {
            Some(needed) if needed <= length => Ok(self.count),
            needed => {
                Err(LayoutError::Truncated { needed: needed.unwrap_or(u64::MAX), found: length })
            }
        }
    }
}

/// Where the first value lies.
#[inline]
pub(super) const fn offset(alignment: u32) -> usize {
    let alignment = alignment as usize;
    if alignment > SIZE { alignment } else { SIZE }
}

/// Says that a file of so many bytes is too short for a header.
#[inline]
pub(super) const fn truncated(found: u64) -> LayoutError {
    LayoutError::Truncated { needed: SIZE as u64, found }
}

/// How many bytes `count` values take, with the header; none if no number says it.
#[inline]
pub(super) const fn end_of_values(size: u64, alignment: u32, count: u64) -> Option<u64> {
    match size.checked_mul(count) {
        Some(values) => values.checked_add(offset(alignment) as u64),
        None => None,
    }
}

impl Shape {
    /// Of values of type `T`; `name` spells the whole type, which may be a slice of them.
    ///
    /// The fingerprint (FNV-1a) tells apart what has the same size. A compiler that spells the name
    /// differently is refused without need; another type of the same name, size and alignment is
    /// not seen to be another.
    pub(super) fn of<T>(name: &str) -> Self {
        let (size, alignment) = (size_of::<T>() as u64, const { alignment::<T>() });
        // Where fields lie inside depends on how numbers are aligned, which some machines that
        // share memory differ in: 32-bit and 64-bit x86.
        let machine = [size_of::<usize>(), align_of::<u64>()].map(usize::to_le_bytes);
        let machine = machine.as_flattened();
        let fingerprint = [name.as_bytes(), &size.to_le_bytes(), &alignment.to_le_bytes(), machine]
            .into_iter()
            .flatten()
            .fold(FNV_BASIS, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
        Self { size, alignment, fingerprint }
    }
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// What every page is aligned to.
const PAGE: usize = 4096;

#[allow(clippy::cast_possible_truncation, reason = "not more than a page")]
#[inline]
pub(super) const fn alignment<T>() -> u32 {
    assert!(align_of::<T>() <= PAGE, "a value in shared memory is not aligned beyond a page");
    align_of::<T>() as u32
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test")]
mod tests {
    use proptest::prelude::*;
    use zerocopy::IntoBytes as _;

    use super::{Header, LayoutError, MAGIC, Shape, VERSION};

    fn expected() -> Shape {
        Shape { size: 24, alignment: 128, fingerprint: 7 }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// With lengths that no file has.
        #[test]
        fn only_what_fits_is_accepted(
            bytes in any::<[u8; super::SIZE]>(),
            likely in proptest::array::uniform6(proptest::bool::weighted(0.95)),
            count in prop_oneof![0..10_u64, 0..=u64::MAX / 24, any::<u64>()],
            length in prop_oneof![0..400_u64, any::<u64>()],
        ) {
            let mut header: Header = zerocopy::transmute!(bytes);
            let right = Header::new(expected(), count);
            let [magic, version, alignment, size, fingerprint, reserved] = likely;
            if magic { header.magic = right.magic; }
            if version { header.version = right.version; }
            if alignment { header.alignment = right.alignment; }
            if size { header.size = right.size; }
            if fingerprint { header.fingerprint = right.fingerprint; }
            if reserved { header.reserved = right.reserved; }
            header.count = count;
            let is_right = header.as_bytes() == right.as_bytes();
            let needed = u128::from(count) * 24 + 128;
            match header.check(length, expected()) {
                Ok(said) => {
                    prop_assert!(is_right && needed <= u128::from(length));
                    prop_assert_eq!(said, count);
                }
                Err(LayoutError::Truncated { needed: said, found }) => {
                    prop_assert!(is_right && needed > u128::from(length));
                    prop_assert_eq!(found, length);
                    prop_assert_eq!(said, u64::try_from(needed).unwrap_or(u64::MAX));
                }
                Err(_) => prop_assert!(!is_right),
            }
        }

        #[test]
        fn what_is_published_is_loaded(bytes in any::<[u8; super::SIZE]>()) {
            let words = super::Words::default();
            let header: Header = zerocopy::transmute!(bytes);
            header.publish(&words);
            let loaded = Header::load(&words);
            prop_assert_eq!(loaded.as_bytes(), bytes);
        }
    }

    #[test]
    fn magic_reads_backwards_on_the_other_machine() {
        assert_ne!(MAGIC.swap_bytes(), MAGIC);
        assert_ne!(VERSION, 0);
    }
}
