//! Σ 1/(2k+1)² over neighbouring k, faster than the CPU can divide, and with the divider's bits.
//!
//! Term k is added to *lane* k mod 32; lanes are folded in one order. What may differ is how a term
//! comes about, and each way gives 1/x rounded to the nearest, where x is (2k+1)² rounded to the
//! nearest. So which instructions a CPU has shows in the time only.
//!
//! | file | how |
//! |---|---|
//! | `divide.rs` | division: two cycles a term on current CPUs, however wide their vectors are |
//! | `avx2.rs`, `avx512.rs` | one division for 32 terms, and eight other operations for each |
//!
//! # A reciprocal without dividing
//!
//! The 32 odd numbers m + c, with c = −31, −29, … 31, have one divisor, their middle m. From there,
//! with RN for rounding to the nearest, and with fused multiply-adds, which round only once:
//!
//! ```text
//! t = RN(1/m)   w = RN(t²)   d = RN(2t · w)     for all of them
//! x = RN((m+c)²)
//! y₀ = RN(w − c·d)                              the tangent at m: 28 bits are right
//! e = RN(1 − x·y₀)   y₁ = RN(y₀ + e·y₀)         Newton's step: nearly all are
//! r = RN(1 − x·y₁)   y  = RN(y₁ + r·y₁)         the same once more: all are
//! ```
//!
//! **The error of y₀.** Let u = c/m. From k = 2¹⁹ on, |u| < 31/2²⁰. As (1+u)²(1−2u) =
//! 1 − 3u² − 2u³, and as the roundings in t, w, y₀ and x are at most five times 2⁻⁵³ altogether
//! (those in d count for less than one more), |1 − x·y₀| < 3.01 u² + 2⁻⁵⁰ < 2⁻²⁸.
//!
//! **The error of y₁.** y₀(1+e) would be (1−e²)/x if e were not rounded, and that adds 2⁻⁸¹. So
//! before its own rounding, y₁ is off by less than 2⁻⁵⁶, relatively.
//!
//! **The error of y** (after Markstein, *Computation of elementary functions on the IBM RISC
//! System/6000 processor*, 1990). Let x be no power of two, and take away the exponents: x = X, an
//! integer from 2⁵² to 2⁵³, and 1/x = Q = 2¹⁰⁵/X, between the same two bounds, where floating-point
//! numbers are the integers. Then y₁ = Y is an integer, and |Q − Y| ≤ ½ + 2⁵³·2⁻⁵⁶ = ⅝.
//!
//! 1. r is exact: r = (2¹⁰⁵ − XY)/2¹⁰⁵, and this numerator is X(Q − Y), less than 2⁵³.
//! 2. So before its rounding, y is Y(1+r) = Q(1−r²): too small by r²Q = X(Q−Y)²/2¹⁰⁵, and never too
//!    large.
//! 3. It is rounded as Q is, unless half an integer h = M + ½ lies in that gap. Q cannot be h, as
//!    X·2h = 2¹⁰⁶ has no solution with 2h odd. So Q − h = D/2X with D = 2¹⁰⁶ − X·2h, a positive
//!    integer. That this is within the gap means D·2¹⁰⁴ ≤ X²(Q−Y)² < 2¹⁰⁶·25/64: D is 1.
//! 4. Then X divides 2¹⁰⁶ − 1 = 3 · 107 · 6361 · 69431 · 20394401 · 28059810762433. Of its 64
//!    divisors, one lies between 2⁵² and 2⁵³: 2⁵³ − 1, all of whose bits are ones.
//! 5. No x has these bits. An x below 2⁵³ is the square of an odd number, which is 1 modulo 8, and
//!    2⁵³ − 1 is 7. The larger ones have been looked at: for each exponent, at the odd numbers next
//!    to the root.
//!
//! If x is a power of two, 1/x is one too, and what is too small by r²/x < 2⁻¹⁰⁰/x is rounded to
//! it. Nothing comes near to over- or underflow: x < 2¹⁰⁷.
//!
//! **Where u is larger**, the proof does not hold. Below k = [`REFINED_FROM`] = 2¹⁶, all terms are
//! divisions. From there to 2¹⁹, each term has been compared with division.
//!
//! `tests/kernel.rs` does that, and looks at what steps 4 and 5 say, and at a billion other terms.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod divide;
#[cfg(target_arch = "x86_64")]
mod groups;

/// How many running sums there are. They fill half of the registers of AVX2.
pub(crate) const LANES: usize = 32;

/// Running sums. Term k is in the lane k mod [`LANES`].
pub(crate) type Sums = [f64; LANES];

/// The first k whose reciprocal is refined from its neighbours'.
const REFINED_FROM: u64 = 1 << 16;

/// A way to compute the terms, with instructions that this CPU has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    name: &'static str,
    /// Does without division what it can.
    refine: Option<AddGroups>,
}

/// Adds so many groups of [`LANES`] terms, from a k on.
///
/// # Safety
///
/// The CPU has the instructions.
type AddGroups = unsafe fn(sums: &mut Sums, first: u64, count: u64);

impl Kernel {
    const SCALAR: Self = Self { name: "scalar", refine: None };

    /// All that this CPU can do, the best one last.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let known = [
            Some(Self::SCALAR),
            #[cfg(target_arch = "x86_64")]
            Self::avx2(),
            #[cfg(target_arch = "x86_64")]
            Self::avx512(),
        ];
        known.into_iter().flatten()
    }

    /// The fastest one.
    pub(crate) fn best() -> Self {
        Self::all().last().unwrap_or(Self::SCALAR)
    }

    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// The sum of so many terms, from k = `first` on, where `first` is a multiple of [`LANES`].
    pub(crate) fn sum(self, first: u64, terms: u64) -> f64 {
        let mut sums = [0.0; LANES];
        self.add(&mut sums, first, terms);
        fold(sums)
    }

    /// Adds so many terms to the lanes, from k = `first` on, where `first` is a multiple of
    /// [`LANES`].
    pub(crate) fn add(self, sums: &mut Sums, first: u64, terms: u64) {
        const GROUP: u64 = LANES as u64;

        let refined = match self.refine {
            Some(add_groups) if first >= REFINED_FROM => {
                let groups = terms / GROUP;
                // SAFETY: `avx2` and `avx512`, below, have asked the CPU for the instructions
                // before they made this value, and nobody else makes one.
                unsafe { add_groups(sums, first, groups) };
                groups * GROUP
            }
            _ => 0,
        };
        divide::add(sums, first + refined, terms - refined);
    }

    #[cfg(target_arch = "x86_64")]
    fn avx2() -> Option<Self> {
        let here = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        here.then_some(Self { name: "avx2", refine: Some(avx2::add_groups) })
    }

    #[cfg(target_arch = "x86_64")]
    fn avx512() -> Option<Self> {
        let here = is_x86_feature_detected!("avx512f");
        here.then_some(Self { name: "avx512", refine: Some(avx512::add_groups) })
    }
}

/// Adds up the lanes: the upper half to the lower one, until there is one.
fn fold(mut sums: Sums) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        let (lower, upper) = sums.split_at_mut(half);
        for (sum, other) in lower.iter_mut().zip(upper) {
            *sum += *other;
        }
        half /= 2;
    }
    sums[0]
}
