//! What lies in front of a shared value, byte by byte: what is right there, and for what others are
//! refused.

use arbitrary::Arbitrary;
use rawipc::shm::LayoutError;

pub(super) const SIZE: usize = 64;

/// As it reads where numbers begin with their upper byte.
const MAGIC: [u8; 8] = *b"rawipc.s";

/// What one value is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    size: usize,
    alignment: usize,
    fingerprint: u64,
}

impl Shape {
    /// Of elements of type `T`, of a type of that name.
    pub(super) fn of<T>(name: &str) -> Self {
        let (size, alignment) = (size_of::<T>(), align_of::<T>());
        let mut bytes = name.as_bytes().to_vec();
        bytes.extend((size as u64).to_le_bytes());
        bytes.extend(u32::try_from(alignment).expect("a page at most").to_le_bytes());
        bytes.extend(size_of::<usize>().to_le_bytes());
        bytes.extend(align_of::<u64>().to_le_bytes());
        // FNV-1a.
        let fingerprint = bytes.into_iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { size, alignment, fingerprint }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Where the first value lies.
    pub(super) fn offset(&self) -> usize {
        self.alignment.max(SIZE)
    }

    /// Where so many end; none, if no number says it.
    pub(super) fn end(&self, count: u64) -> Option<u64> {
        let end = self.offset() as u128 + self.size as u128 * u128::from(count);
        u64::try_from(end).ok()
    }

    /// In front of so many.
    pub(super) fn header(&self, count: u64) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let alignment = u32::try_from(self.alignment).expect("a page at most");
        let parts: [(usize, &[u8]); 6] = [
            (0, &u64::from_be_bytes(MAGIC).to_ne_bytes()),
            (8, &1_u32.to_ne_bytes()),
            (12, &alignment.to_ne_bytes()),
            (16, &(self.size as u64).to_ne_bytes()),
            (24, &count.to_ne_bytes()),
            (32, &self.fingerprint.to_ne_bytes()),
        ];
        for (place, part) in parts {
            bytes[place..place + part.len()].copy_from_slice(part);
        }
        bytes
    }
}

/// A part of a header that is changed.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Field {
    Magic,
    /// As it is before its first half is written, or backwards.
    Unfinished,
    Backwards,
    Version,
    Alignment,
    Size,
    Count,
    Fingerprint,
    Reserved(u8),
}

impl Field {
    /// Where, and what is there then.
    pub(super) fn changed_to(self, value: u64) -> (usize, Vec<u8>) {
        let bytes = value.to_ne_bytes();
        let magic = u64::from_be_bytes(MAGIC);
        match self {
            Self::Magic => (0, bytes.to_vec()),
            Self::Unfinished => (0, vec![0; 4]),
            Self::Backwards => (0, magic.swap_bytes().to_ne_bytes().to_vec()),
            Self::Version => (8, bytes[..4].to_vec()),
            Self::Alignment => (12, bytes[..4].to_vec()),
            Self::Size => (16, bytes.to_vec()),
            Self::Count => (24, bytes.to_vec()),
            Self::Fingerprint => (32, bytes.to_vec()),
            Self::Reserved(place) => (40 + usize::from(place % 24), bytes[..1].to_vec()),
        }
    }
}

/// How many values lie in a file of these bytes, which has any; or for what it is refused.
pub(super) fn refusal(bytes: &[u8], shape: &Shape, is_slice: bool) -> Result<usize, LayoutError> {
    let found = bytes.len() as u64;
    let header: &[u8; SIZE] = match bytes.first_chunk() {
        Some(header) => header,
        None if bytes.is_empty() => return Err(LayoutError::Empty),
        None => return Err(LayoutError::Truncated { needed: SIZE as u64, found }),
    };
    let half = |place: usize| u32::from_ne_bytes(*header[place..].first_chunk().expect("four"));
    let whole = |place: usize| u64::from_ne_bytes(*header[place..].first_chunk().expect("eight"));

    // The magic number: none, so far; or one of its halves is there, the second in memory.
    let magic = u64::from_be_bytes(MAGIC);
    let second_half = magic.to_ne_bytes()[4..].to_vec();
    if whole(0) == 0 || (half(0) == 0 && header[4..8] == second_half) {
        return Err(LayoutError::Unfinished);
    }
    if whole(0).swap_bytes() == magic {
        return Err(LayoutError::ByteOrder);
    }
    if whole(0) != magic {
        return Err(LayoutError::Foreign);
    }
    if half(8) != 1 {
        return Err(LayoutError::Version { found: half(8) });
    }
    if header[40..] != [0; 24] {
        return Err(LayoutError::Foreign);
    }
    if whole(16) != shape.size as u64 {
        return Err(LayoutError::Size { expected: shape.size as u64, found: whole(16) });
    }
    if half(12) as usize != shape.alignment {
        let expected = u32::try_from(shape.alignment).expect("a page at most");
        return Err(LayoutError::Alignment { expected, found: half(12) });
    }
    if whole(32) != shape.fingerprint {
        return Err(LayoutError::Type);
    }
    let count = whole(24);
    let needed = shape.end(count).unwrap_or(u64::MAX);
    if shape.end(count).is_none() || needed > found {
        return Err(LayoutError::Truncated { needed, found });
    }
    if !is_slice && count != 1 {
        return Err(LayoutError::Count { found: count });
    }
    Ok(usize::try_from(count).expect("as many as fit, or of no size"))
}
