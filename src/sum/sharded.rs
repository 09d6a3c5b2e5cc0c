//! [`ShardedSum`]: a running sum for each adder.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use super::AtomicF64;
use crate::prim::{Claim, Padding, array, const_fn, real_only};
use crate::shm::plain::ShmSafe;

/// A sum in `LANES` parts, each of which one adder adds to: without any contention, however many
/// they are.
///
/// An adder [claims](Self::adder) a lane and has it for itself, so that an add is a load and a
/// store. The [sum](Self::sum) is folded from the first lane to the last: if every value comes in
/// the same lane and in the same order each time, so do the last bits. (For the same bits whatever
/// the order, there is [`ExactSum`](super::ExactSum).) Zero is empty.
///
/// An adder that is killed leaves its lane taken, with what it has added;
/// [`reclaim`](Self::reclaim) gives it to another.
///
/// # Examples
///
/// ```
/// use rawipc::process;
/// use rawipc::shm::Shared;
/// use rawipc::sum::ShardedSum;
///
/// let sum = Shared::anonymous(ShardedSum::<4>::new())?;
/// let task = || match sum.adder_in(1) {
///     Some(mut adder) => {
///         adder.add(1.5);
///         0
///     }
///     None => 1,
/// };
/// // SAFETY: the child takes a lane of its own, and gives it back; nothing is owned twice.
/// let mut child = unsafe { process::spawn(task)? };
/// if let Some(mut adder) = sum.adder_in(0) {
///     adder.add(0.25);
/// }
/// assert!(child.wait()?.success());
/// assert_eq!(sum.sum(), 1.75);
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(FromBytes)]
#[repr(C)]
pub struct ShardedSum<const LANES: usize> {
    lanes: [Lane; LANES],
}

/// Aligned so that no two share what CPUs fetch together: a pair of cache lines.
#[derive(FromBytes)]
#[repr(C, align(128))]
struct Lane {
    sum: AtomicF64,
    claim: Claim,
    unused: Padding,
}

impl Lane {
    const_fn! {
        const fn new() -> Self {
            Self { sum: AtomicF64::new(0.0), claim: Claim::new(), unused: Padding::new() }
        }
    }
}

impl<const LANES: usize> ShardedSum<LANES> {
    const_fn! {
        /// Empty, and no lane taken.
        ///
        /// # Examples
        ///
        /// See [`ShardedSum`].
        #[must_use]
        pub const fn new() -> Self {
            Self { lanes: array!(Lane::new(); LANES) }
        }
    }

    /// An adder for a lane that is free; none, if all are taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sum::ShardedSum;
    ///
    /// let sum = ShardedSum::<2>::new();
    /// let (first, second) = (sum.adder(), sum.adder());
    /// assert!(first.is_some() && second.is_some() && sum.adder().is_none());
    /// drop(first);
    /// assert!(sum.adder().is_some());
    /// ```
    #[must_use]
    pub fn adder(&self) -> Option<ShardedAdder<'_>> {
        self.lanes.iter().find(|lane| lane.claim.take()).map(|lane| ShardedAdder { lane })
    }

    /// The adder for that lane; none, if it is taken, or there is no such lane.
    ///
    /// # Examples
    ///
    /// See [`ShardedSum`].
    #[must_use]
    pub fn adder_in(&self, lane: usize) -> Option<ShardedAdder<'_>> {
        let lane = self.lanes.get(lane).filter(|lane| lane.claim.take())?;
        Some(ShardedAdder { lane })
    }

    /// The adder for that lane, although it is taken: by one that was killed. None, if there is no
    /// such lane.
    ///
    /// If there is another adder for it that lives, what either adds may be lost.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sum::ShardedSum;
    ///
    /// let sum = ShardedSum::<1>::new();
    /// std::mem::forget(sum.adder()); // as one that is killed never gives back
    /// assert!(sum.adder().is_none());
    /// assert!(sum.reclaim(0).is_some());
    /// ```
    #[must_use]
    pub fn reclaim(&self, lane: usize) -> Option<ShardedAdder<'_>> {
        let lane = self.lanes.get(lane)?;
        lane.claim.seize();
        Some(ShardedAdder { lane })
    }

    /// What has been added so far, from the first lane to the last. While adders are at it, each
    /// lane is taken as it is at some moment of the call.
    ///
    /// # Examples
    ///
    /// See [`ShardedSum`].
    #[must_use]
    pub fn sum(&self) -> f64 {
        // Acquire pairs with the Release in add: whoever sees an add sees what came before it.
        self.lanes.iter().map(|lane| lane.sum.load(Acquire)).fold(0.0, |sum, lane| sum + lane)
    }
}

// SAFETY: `repr(C)`, lanes next to each other, each of atomics of any bits.
unsafe impl<const LANES: usize> ShmSafe for ShardedSum<LANES> {}

impl<const LANES: usize> Default for ShardedSum<LANES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const LANES: usize> fmt::Debug for ShardedSum<LANES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShardedSum").field(&self.sum()).finish()
    }
}

/// Adds to one lane of a [`ShardedSum`], which it gives back when it is dropped.
///
/// A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`ShardedSum`].
#[must_use = "the lane is given back at once if this is not kept"]
pub struct ShardedAdder<'a> {
    lane: &'a Lane,
}

impl ShardedAdder<'_> {
    /// Adds `value`. Never waits.
    ///
    /// # Examples
    ///
    /// See [`ShardedSum`].
    #[inline]
    pub fn add(&mut self, value: f64) {
        let sum = &self.lane.sum;
        // Nobody else writes here. Release pairs with the Acquire in sum.
        sum.store(sum.load(Relaxed) + value, Release);
    }
}

impl Drop for ShardedAdder<'_> {
    fn drop(&mut self) {
        self.lane.claim.give_back();
    }
}

impl fmt::Debug for ShardedAdder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShardedAdder").field(&self.lane.sum).finish()
    }
}

real_only! {
    static_assertions::assert_eq_size!(ShardedSum<3>, [u128; 3 * 8]);
    static_assertions::const_assert_eq!(align_of::<ShardedSum<1>>(), 128);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Lane, sum), 0);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Lane, claim), 8);
    static_assertions::assert_impl_all!(ShardedSum<2>: ShmSafe, Send, Sync);
}
