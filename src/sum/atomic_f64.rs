//! [`AtomicF64`]: a number that many processes change.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

use core::fmt;
use core::sync::atomic::Ordering::{self, Relaxed};

use zerocopy::FromBytes;

use crate::prim::{AtomicU64, const_fn, pause, real_only};
use crate::shm::plain::ShmSafe;

/// For how long to leave it to the others: longer than its line takes to them and back.
const PAUSES: u32 = 8;

/// An `f64` that can be changed through `&self`, by any number of threads and processes.
///
/// The bits of an `AtomicU64`, and lock-free as that is. Adding is reading, adding, and putting the
/// result in place if nobody was faster, otherwise again: one compare-and-swap, or several where
/// many add at once. Zero is +0.
///
/// # Examples
///
/// ```
/// use core::sync::atomic::Ordering::Relaxed;
/// use rawipc::process;
/// use rawipc::shm::Shared;
/// use rawipc::sum::AtomicF64;
///
/// let sum = Shared::anonymous(AtomicF64::new(0.5))?;
/// let add = || {
///     sum.fetch_add(1.25, Relaxed);
///     0
/// };
/// // SAFETY: the child makes an atomic operation; nothing is owned twice.
/// unsafe { process::spawn(add)? }.wait()?;
/// assert_eq!(sum.load(Relaxed), 1.75);
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// Each of these returns what was there before:
///
/// ```
/// use core::sync::atomic::Ordering::Relaxed;
/// use rawipc::sum::AtomicF64;
///
/// let level = AtomicF64::new(4.0);
/// assert_eq!(level.fetch_sub(1.5, Relaxed), 4.0);
/// assert_eq!(level.swap(1.0, Relaxed), 2.5);
/// level.store(3.0, Relaxed);
/// assert_eq!(level.fetch_min(2.0, Relaxed), 3.0);
/// assert_eq!(level.fetch_max(7.0, Relaxed), 2.0);
/// assert_eq!(level.into_inner(), 7.0);
/// ```
///
/// # References
///
/// - [`core::sync::atomic`]
#[doc(alias = "AtomicDouble")]
#[derive(FromBytes)]
#[repr(transparent)]
pub struct AtomicF64(AtomicU64);

impl AtomicF64 {
    const_fn! {
        /// Of that value.
        ///
        /// # Examples
        ///
        /// See [`AtomicF64`].
        #[must_use]
        pub const fn new(value: f64) -> Self {
            Self(AtomicU64::new(value.to_bits()))
        }
    }

    /// The value.
    ///
    /// # Panics
    ///
    /// If `order` is `Release` or `AcqRel`, as the core atomics do.
    ///
    /// # Examples
    ///
    /// See [`AtomicF64`].
    #[inline]
    pub fn load(&self, order: Ordering) -> f64 {
        f64::from_bits(self.0.load(order))
    }

    /// Replaces the value.
    ///
    /// # Panics
    ///
    /// If `order` is `Acquire` or `AcqRel`, as the core atomics do.
    ///
    /// # Examples
    ///
    /// See [`AtomicF64`].
    #[inline]
    pub fn store(&self, value: f64, order: Ordering) {
        self.0.store(value.to_bits(), order);
    }

    /// Replaces the value, and returns the old one.
    ///
    /// # Examples
    ///
    /// See [`AtomicF64`].
    #[inline]
    pub fn swap(&self, value: f64, order: Ordering) -> f64 {
        f64::from_bits(self.0.swap(value.to_bits(), order))
    }

    /// Replaces the value if its bits are those of `current`: so +0 is not −0, and a NaN is equal
    /// to itself. Returns the old value: `Ok` if it was replaced.
    ///
    /// # Errors
    ///
    /// The value that it has instead.
    ///
    /// # Panics
    ///
    /// If `failure` is `Release` or `AcqRel`, as the core atomics do.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::Ordering::Relaxed;
    /// use rawipc::sum::AtomicF64;
    ///
    /// let zero = AtomicF64::new(0.0);
    /// assert!(zero.compare_exchange(-0.0, 1.0, Relaxed, Relaxed).is_err());
    /// assert_eq!(zero.compare_exchange(0.0, 1.0, Relaxed, Relaxed), Ok(0.0));
    /// ```
    #[inline]
    pub fn compare_exchange(
        &self,
        current: f64,
        new: f64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<f64, f64> {
        self.0
            .compare_exchange(current.to_bits(), new.to_bits(), success, failure)
            .map(f64::from_bits)
            .map_err(f64::from_bits)
    }

    /// As [`compare_exchange`](Self::compare_exchange), but may fail although the bits are the
    /// same: for loops, where that is faster on some machines.
    ///
    /// # Errors
    ///
    /// The value that it has.
    ///
    /// # Panics
    ///
    /// If `failure` is `Release` or `AcqRel`, as the core atomics do.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::Ordering::Relaxed;
    /// use rawipc::sum::AtomicF64;
    ///
    /// let level = AtomicF64::new(3.0);
    /// let mut now = level.load(Relaxed);
    /// while let Err(other) = level.compare_exchange_weak(now, now * now, Relaxed, Relaxed) {
    ///     now = other;
    /// }
    /// assert_eq!(level.into_inner(), 9.0);
    /// ```
    #[inline]
    pub fn compare_exchange_weak(
        &self,
        current: f64,
        new: f64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<f64, f64> {
        self.0
            .compare_exchange_weak(current.to_bits(), new.to_bits(), success, failure)
            .map(f64::from_bits)
            .map_err(f64::from_bits)
    }

    /// Replaces the value by what `update` makes of it, calling it again whenever another was
    /// faster. Returns the old value: `Ok` if it was replaced.
    ///
    /// # Errors
    ///
    /// The value for which `update` returned `None`.
    ///
    /// # Panics
    ///
    /// If `fetch` is `Release` or `AcqRel`, as the core atomics do.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::Ordering::Relaxed;
    /// use rawipc::sum::AtomicF64;
    ///
    /// let level = AtomicF64::new(3.0);
    /// let halve = |now| (now > 1.0).then_some(now / 2.0);
    /// assert_eq!(level.fetch_update(Relaxed, Relaxed, halve), Ok(3.0));
    /// assert_eq!(level.fetch_update(Relaxed, Relaxed, halve), Ok(1.5));
    /// assert_eq!(level.fetch_update(Relaxed, Relaxed, halve), Err(0.75));
    /// ```
    #[inline]
    pub fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        mut update: impl FnMut(f64) -> Option<f64>,
    ) -> Result<f64, f64> {
        let mut current = self.load(fetch);
        while let Some(new) = update(current) {
            // Not a weak one: where that fails for nothing, nobody need wait for it.
            if let Ok(old) = self.compare_exchange(current, new, set, Relaxed) {
                return Ok(old);
            }
            // Others are at it: to wait a moment is quicker for all. What was there is old by then:
            // who tried with that would fail as long as another gets on undisturbed.
            (0..PAUSES).for_each(|_| pause());
            current = self.load(fetch);
        }
        Err(current)
    }

    /// Adds to the value, and returns the old one.
    ///
    /// # Examples
    ///
    /// See [`AtomicF64`].
    #[inline]
    pub fn fetch_add(&self, value: f64, order: Ordering) -> f64 {
        self.fetch_modify(order, |current| current + value)
    }

    /// Subtracts from the value, and returns the old one.
    ///
    /// # Examples
    ///
    /// See [`AtomicF64`].
    #[inline]
    pub fn fetch_sub(&self, value: f64, order: Ordering) -> f64 {
        self.fetch_modify(order, |current| current - value)
    }

    /// Makes the value the lesser of itself and `value`, and returns the old one.
    ///
    /// That is `minimumNumber` of IEEE 754-2019: −0 is less than +0, and a number less than a NaN.
    ///
    /// # Examples
    ///
    /// See [`AtomicF64`].
    #[inline]
    pub fn fetch_min(&self, value: f64, order: Ordering) -> f64 {
        self.fetch_modify(order, |current| minimum_number(current, value))
    }

    /// Makes the value the greater of itself and `value`, and returns the old one.
    ///
    /// That is `maximumNumber` of IEEE 754-2019: +0 is greater than −0, and a number greater than a
    /// NaN.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::sync::atomic::Ordering::Relaxed;
    /// use rawipc::sum::AtomicF64;
    ///
    /// let greatest = AtomicF64::new(f64::NAN);
    /// for value in [-0.0, 0.0, f64::NAN] {
    ///     greatest.fetch_max(value, Relaxed);
    /// }
    /// assert_eq!(greatest.into_inner().to_bits(), 0.0_f64.to_bits());
    /// ```
    #[inline]
    pub fn fetch_max(&self, value: f64, order: Ordering) -> f64 {
        self.fetch_modify(order, |current| -minimum_number(-current, -value))
    }

    #[inline]
    fn fetch_modify(&self, order: Ordering, modify: impl Fn(f64) -> f64) -> f64 {
        match self.fetch_update(order, Relaxed, |current| Some(modify(current))) {
            Ok(old) | Err(old) => old,
        }
    }

    /// The value, out of the atomic.
    ///
    /// # Examples
    ///
    /// See [`AtomicF64`].
    #[must_use]
    pub fn into_inner(self) -> f64 {
        f64::from_bits(self.0.into_inner())
    }
}

/// The lesser; −0 is less than +0, and a number less than a NaN.
#[allow(clippy::float_cmp, reason = "which zero is asked if there are two")]
fn minimum_number(a: f64, b: f64) -> f64 {
    let a_is_less = if a == b { a.is_sign_negative() } else { a < b || b.is_nan() };
    if a_is_less { a } else { b }
}

// SAFETY: transparent, an atomic number of any bits.
unsafe impl ShmSafe for AtomicF64 {}

impl Default for AtomicF64 {
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl From<f64> for AtomicF64 {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for AtomicF64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load(Relaxed).fmt(f)
    }
}

real_only! {
    impl AtomicF64 {
        /// The number whose bits `bits` are, in place.
        ///
        /// # Examples
        ///
        /// ```
        /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
        /// use rawipc::sum::AtomicF64;
        ///
        /// let bits = AtomicU64::new(0);
        /// AtomicF64::from_bits(&bits).fetch_add(1.0, Relaxed);
        /// assert_eq!(bits.into_inner(), 1.0_f64.to_bits());
        /// ```
        #[inline]
        #[must_use]
        pub const fn from_bits(bits: &AtomicU64) -> &Self {
            // SAFETY: transparent.
            unsafe { &*core::ptr::from_ref(bits).cast() }
        }

        /// Its bits, in place.
        ///
        /// # Examples
        ///
        /// ```
        /// use core::sync::atomic::Ordering::Relaxed;
        /// use rawipc::sum::AtomicF64;
        ///
        /// let level = AtomicF64::new(1.0);
        /// level.as_bits().fetch_or(1 << 63, Relaxed); // the sign
        /// assert_eq!(level.into_inner(), -1.0);
        /// ```
        #[inline]
        #[must_use]
        pub const fn as_bits(&self) -> &AtomicU64 {
            &self.0
        }

        /// The value, which nobody else can reach meanwhile.
        ///
        /// # Examples
        ///
        /// ```
        /// use rawipc::sum::AtomicF64;
        ///
        /// let mut level = AtomicF64::new(1.0);
        /// *level.get_mut() += 2.0;
        /// assert_eq!(level.into_inner(), 3.0);
        /// ```
        #[inline]
        pub fn get_mut(&mut self) -> &mut f64 {
            let bits: *mut u64 = self.0.get_mut();
            // SAFETY: of the same size and alignment, exclusive as `self` is, and any bits are one.
            unsafe { &mut *bits.cast() }
        }
    }
    static_assertions::assert_eq_size!(AtomicF64, f64);
    static_assertions::assert_eq_align!(AtomicF64, AtomicU64);
    static_assertions::assert_impl_all!(AtomicF64: ShmSafe, Send, Sync);
}
