//! [`ExactSum`]: the sum itself, and not what is left of it after rounding at each step.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

mod alike;
mod digits;
mod lane;

use core::fmt;

use zerocopy::FromBytes;

use self::digits::{MOST_AT_ONCE, Total};
use self::lane::{Lane, Writer};
use crate::prim::{array, const_fn, real_only};
use crate::shm::plain::ShmSafe;

/// A sum that is exact until it is read, and then rounded once: the double that is nearest to the
/// true sum of all that was added.
///
/// So it does not depend on the order, nor on who has added what, nor on the machine: not in one
/// bit. It knows every double: sums may cancel, go beyond the largest double and come back, or be
/// subnormal. Infinities and NaN give what IEEE 754 gives: a NaN, or infinities of both signs, make
/// the sum a NaN. It is −0 if nothing but −0 was added, and +0 when empty.
///
/// As in a [`ShardedSum`](super::ShardedSum), each adder [claims](Self::adder) one of `LANES` lanes
/// and has it for itself. An adder that is killed, at any instruction, has added its last value or
/// has not: never a part of it. It leaves its lane taken; [`reclaim`](Self::reclaim) gives it to
/// another.
///
/// A lane takes a good kilobyte. There is room for 2^63 adds.
///
/// # Examples
///
/// ```
/// use rawipc::sum::ExactSum;
///
/// let sum = ExactSum::<1>::new();
/// if let Some(mut adder) = sum.adder() {
///     adder.add(0.5);
///     adder.add_slice(&[1e300, 0.5, -1e300, 1e-300]);
/// }
/// assert_eq!(sum.sum(), 1.0);
/// ```
///
/// # References
///
/// - Ulrich Kulisch, *Computer Arithmetic and Validity*, the long accumulator
/// - Radford M. Neal, [Fast Exact Summation Using Small and Large
///   Superaccumulators](https://arxiv.org/abs/1505.05571)
#[derive(FromBytes)]
#[repr(C)]
pub struct ExactSum<const LANES: usize> {
    lanes: [Lane; LANES],
}

impl<const LANES: usize> ExactSum<LANES> {
    const_fn! {
        /// Empty, and no lane taken.
        ///
        /// # Examples
        ///
        /// See [`ExactSum`].
        #[must_use]
        pub const fn new() -> Self {
            Self { lanes: array!(Lane::new(); LANES) }
        }
    }

    /// An adder for a lane that is free; none, if all are taken.
    ///
    /// # Examples
    ///
    /// See [`ExactSum`].
    #[must_use]
    pub fn adder(&self) -> Option<ExactAdder<'_>> {
        self.lanes.iter().find(|lane| lane.claim().take()).map(ExactAdder::new)
    }

    /// The adder for that lane; none, if it is taken, or there is no such lane.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sum::ExactSum;
    ///
    /// let sum = ExactSum::<2>::new();
    /// let second = sum.adder_in(1);
    /// assert!(second.is_some());
    /// assert!(sum.adder_in(1).is_none(), "taken");
    /// assert!(sum.adder_in(2).is_none(), "there is no such lane");
    /// ```
    #[must_use]
    pub fn adder_in(&self, lane: usize) -> Option<ExactAdder<'_>> {
        self.lanes.get(lane).filter(|lane| lane.claim().take()).map(ExactAdder::new)
    }

    /// The adder for that lane, although it is taken: by one that was killed. None, if there is no
    /// such lane.
    ///
    /// If there is another adder for it that lives, the sum is worth nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sum::ExactSum;
    ///
    /// let sum = ExactSum::<1>::new();
    /// std::mem::forget(sum.adder()); // as one that is killed never gives back
    /// assert!(sum.adder().is_none());
    /// assert!(sum.reclaim(0).is_some());
    /// ```
    #[must_use]
    pub fn reclaim(&self, lane: usize) -> Option<ExactAdder<'_>> {
        let lane = self.lanes.get(lane)?;
        lane.claim().seize();
        Some(ExactAdder::new(lane))
    }

    /// What has been added so far, rounded to the nearest double, and to the even one of two that
    /// are equally near.
    ///
    /// While adders are at it, each lane is taken as it is between two adds, at some moment of the
    /// call. Never waits for an adder that rests or was killed; to one that is busy it is worth
    /// one add.
    ///
    /// # Examples
    ///
    /// See [`ExactSum`].
    #[must_use]
    pub fn sum(&self) -> f64 {
        Self::total([self])
    }

    /// The sum of several sums: exact too, and rounded once.
    ///
    /// # Examples
    ///
    /// For as many lanes as it takes, where that is known only when the program runs:
    ///
    /// ```
    /// use rawipc::shm::Shared;
    /// use rawipc::sum::ExactSum;
    ///
    /// let sums = Shared::<[ExactSum<1>]>::anonymous_slice(3)?;
    /// for (sum, value) in sums.iter().zip([1e100, 1.0, -1e100]) {
    ///     sum.adder().ok_or(rawipc::Errno::BUSY)?.add(value);
    /// }
    /// assert_eq!(ExactSum::total(&*sums), 1.0);
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[must_use]
    pub fn total<'a>(sums: impl IntoIterator<Item = &'a Self>) -> f64 {
        let mut total = Total::new();
        for lane in sums.into_iter().flat_map(|sum| &sum.lanes) {
            let (digits, flags) = lane.read();
            total.add(&digits, flags);
        }
        total.round()
    }
}

// SAFETY: `repr(C)`, lanes next to each other, each of atomics and unused numbers of any bits; what
// is read of them as a place or a length is cut to the digits that there are.
unsafe impl<const LANES: usize> ShmSafe for ExactSum<LANES> {}

impl<const LANES: usize> Default for ExactSum<LANES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const LANES: usize> fmt::Debug for ExactSum<LANES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExactSum").field(&self.sum()).finish()
    }
}

/// Adds to one lane of an [`ExactSum`], which it gives back when it is dropped.
///
/// A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`ExactSum`].
#[must_use = "the lane is given back at once if this is not kept"]
pub struct ExactAdder<'a> {
    writer: Writer<'a>,
}

impl<'a> ExactAdder<'a> {
    /// For a lane that has just been claimed.
    fn new(lane: &'a Lane) -> Self {
        Self { writer: Writer::new(lane) }
    }

    /// Adds `value`. Never waits.
    ///
    /// # Examples
    ///
    /// See [`ExactSum`].
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.writer.add(value);
    }

    /// Adds all values, several times as fast as one by one. Never waits.
    ///
    /// Up to 1024 of them are one add, as far as readers and being killed are concerned.
    ///
    /// # Examples
    ///
    /// See [`ExactSum`].
    pub fn add_slice(&mut self, values: &[f64]) {
        for some in values.chunks(MOST_AT_ONCE) {
            self.writer.add_all(some);
        }
    }
}

impl Extend<f64> for ExactAdder<'_> {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

impl fmt::Debug for ExactAdder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExactAdder").finish_non_exhaustive()
    }
}

real_only! {
    static_assertions::const_assert_eq!(align_of::<ExactSum<1>>(), 128);
    static_assertions::assert_eq_size!(ExactSum<2>, [u8; 2 * 1152]);
    static_assertions::assert_impl_all!(ExactSum<2>: ShmSafe, Send, Sync);
}
