//! [`Slot`]: where one value lies, beside the word that says whether it does.

use zerocopy::FromBytes;

use crate::prim::{AtomicU64, Payload, array, const_fn};

/// The word stands in front of the value, so that a small one comes in the same cache line, and
/// nothing else has to come from the other side: each line takes as long as all the rest.
#[derive(FromBytes)]
#[repr(C)]
pub(super) struct Slot<T> {
    /// Which turn this slot is in; what that means, each queue says.
    pub(super) turn: AtomicU64,
    pub(super) payload: Payload<T>,
}

impl<T> Slot<T> {
    const_fn! {
        const fn new() -> Self {
            Self { turn: AtomicU64::new(0), payload: Payload::new() }
        }
    }
}

/// `N` of them, a power of two, used in turn.
#[derive(FromBytes)]
#[repr(transparent)]
pub(super) struct Slots<T, const N: usize>([Slot<T>; N]);

impl<T, const N: usize> Slots<T, N> {
    /// By how many bits a position is to be shifted to become the number of its turn.
    pub(super) const SHIFT: u32 = {
        assert!(N.is_power_of_two(), "the capacity of a queue is a power of two");
        N.trailing_zeros()
    };

    const_fn! {
        pub(super) const fn new() -> Self {
            Self(array!(Slot::new(); N))
        }
    }

    /// The slot of that position: as these come from memory that others write to, of any.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "the remainder is less than what it is divided by")]
    #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    pub(super) const fn at(&self, position: u64) -> &Slot<T> {
        const { assert!(N.is_power_of_two(), "the capacity of a queue is a power of two") };
        &self.0[position as usize & N.wrapping_sub(1)]
    }
}

/// How far `tail` is ahead of `head`; not at all if that is further on, as the two are looked at
/// one after the other.
pub(super) const fn ahead(tail: u64, head: u64) -> u64 {
    let distance = tail.wrapping_sub(head);
    if distance > u64::MAX / 2 { 0 } else { distance }
}

/// Alone in a pair of cache lines, which CPUs fetch together: what one side writes all the time.
#[derive(FromBytes)]
#[repr(C, align(128))]
pub(super) struct Alone<T>(pub(super) T);
