//! [`Gate`]: who is at the ends of a queue for two, who of them sleeps, and whether it is closed.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use super::bell::Bell;
use crate::prim::{
    ALL, AtomicU32, AtomicU64, Claim, Padding, const_fn, heavy_fence, light_fence, real_only,
};

/// What is seldom written, in a line of its own: so each side always has it at hand.
///
/// Where a queue that is being closed ends, its two sides agree by `end`: what has been pushed
/// before that comes out, and what comes later has not been pushed. Whoever needs to know first
/// decides. Only then: as long as it is open, nobody writes here for a push or a pop.
#[derive(FromBytes)]
#[repr(C)]
pub(super) struct Gate {
    pub(super) not_empty: Bell,
    pub(super) not_full: Bell,
    pub(super) producer: Claim,
    pub(super) consumer: Claim,
    closed: AtomicU32,
    unused: Padding,
    /// Zero, or the [`mark`] of the position at which the queue ends.
    end: AtomicU64,
}

const OPEN: u32 = 0;
const CLOSED: u32 = 1;
const UNDECIDED: u64 = 0;

/// A position, and that it is one. (Without its highest bit: two that are so far apart do not
/// meet.)
const fn mark(position: u64) -> u64 {
    position << 1 | 1
}

/// How many pauses are between two looks of whoever finds a queue of so many bytes full.
///
/// Each look takes from the consumer the line in which that says how far it is, with every value
/// that it pops: looked at all the time, it takes several times as long for each. So one looks away
/// for a microsecond or so, in which there comes to be room for many; but from a small queue for
/// less, as it must not be empty before somebody looks.
pub(super) const fn pauses_while_full(bytes: usize) -> u32 {
    match bytes / 2048 {
        0 => 1,
        #[allow(clippy::cast_possible_truncation, reason = "of few bits")]
        few @ ..64 => few as u32,
        _ => 64,
    }
}

impl Gate {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self {
                not_empty: Bell::new(),
                not_full: Bell::new(),
                producer: Claim::new(),
                consumer: Claim::new(),
                closed: AtomicU32::new(OPEN),
                unused: Padding::new(),
                end: AtomicU64::new(UNDECIDED),
            }
        }
    }

    pub(super) fn close(&self) {
        // Release pairs with the Acquire in is_closed: who finds it closed sees what was before.
        self.closed.store(CLOSED, Release);
        self.not_empty.ring(ALL);
        self.not_full.ring(ALL);
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Acquire) != OPEN
    }

    /// For the producer, after it has published so many from `first` on: rings, and says how many
    /// of them have been pushed, which is less than all only if it is closed.
    #[inline]
    pub(super) fn pushed(&self, first: u64, count: usize) -> usize {
        // With the heavy fences of the consumer, where it goes to sleep or finds the queue closed:
        // either it sees what has been published, or we see that.
        light_fence();
        if self.closed.load(Relaxed) == OPEN && !self.not_empty.has_sleepers() {
            return count;
        }
        self.pushed_slow(first, count)
    }

    #[cold]
    fn pushed_slow(&self, first: u64, count: usize) -> usize {
        if self.not_empty.has_sleepers() {
            self.not_empty.wake(1);
        }
        if self.closed.load(Relaxed) == OPEN {
            return count;
        }
        let next = first.wrapping_add(count as u64);
        // Release pairs with the Acquire in is_over: who finds that end sees what is before it.
        match self.end.compare_exchange(UNDECIDED, mark(next), Release, Relaxed) {
            Ok(_) => count,
            Err(end) => {
                // The consumer has seen so many of ours. Or somebody writes here who should not.
                let seen = (end >> 1).wrapping_sub(first) & (u64::MAX >> 1);
                usize::try_from(seen).ok().filter(|&seen| seen <= count).unwrap_or_default()
            }
        }
    }

    /// For the consumer, after it has given back what it has popped.
    #[inline]
    pub(super) fn popped(&self) {
        self.not_full.ring(1);
    }

    /// Whether the consumer has been told that nothing comes there any more.
    pub(super) fn ends_at(&self, head: u64) -> bool {
        self.end.load(Relaxed) == mark(head)
    }

    /// For the consumer, when it has found it closed and nothing at `head`: whether nothing comes
    /// there any more. If not, something is there.
    #[cold]
    pub(super) fn is_over(&self, head: u64, is_there: impl Fn() -> bool) -> bool {
        if self.ends_at(head) {
            return true;
        }
        // With the light fence in pushed: either we see what has been published before the producer
        // could see that it is closed, or the producer sees that, and comes to ask for the end.
        heavy_fence();
        if is_there() {
            return false;
        }
        // Acquire pairs with the Release in pushed_slow.
        match self.end.compare_exchange(UNDECIDED, mark(head), Relaxed, Acquire) {
            Ok(_) => true,
            // Further on: then it is there, by now. But who believes numbers?
            Err(end) => end == mark(head) || !is_there(),
        }
    }
}

real_only! {
    use core::mem::offset_of;
    static_assertions::assert_eq_size!(Gate, [u64; 5]);
    static_assertions::const_assert_eq!(offset_of!(Gate, not_full), 8);
    static_assertions::const_assert_eq!(offset_of!(Gate, producer), 16);
    static_assertions::const_assert_eq!(offset_of!(Gate, consumer), 20);
    static_assertions::const_assert_eq!(offset_of!(Gate, closed), 24);
    static_assertions::const_assert_eq!(offset_of!(Gate, end), 32);
}
