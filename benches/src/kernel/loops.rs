//! What a reciprocal costs the hardware: loops with AVX-512 that only divide, or that only estimate
//! and refine, to about 52 bits.

use core::arch::x86_64::{
    __m512d, _mm512_add_pd, _mm512_div_pd, _mm512_fmadd_pd, _mm512_fnmadd_pd, _mm512_mul_pd,
    _mm512_rcp14_pd, _mm512_reduce_add_pd, _mm512_set1_pd, _mm512_setr_pd, _mm512_setzero_pd,
};

use super::{BLOCK, Sum};

/// All of them, where the CPU has the instructions.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Sum)> {
    let loops: [(_, Sum); 3] = [
        // SAFETY: the CPU has AVX-512F: it is asked below.
        ("division", Box::new(|first| unsafe { division(first) })),
        // SAFETY: as above.
        ("estimate and Newton", Box::new(|first| unsafe { newton(first) })),
        // SAFETY: as above.
        ("estimate and Newton, in pairs", Box::new(|first| unsafe { pairs(first) })),
    ];
    loops.into_iter().filter(|_| is_x86_feature_detected!("avx512f"))
}

/// 1/x for each x.
#[target_feature(enable = "avx512f")]
fn division(first: u64) -> f64 {
    let one = _mm512_set1_pd(1.0);
    block(first, |[x0, x1], [sum0, sum1]| {
        [_mm512_add_pd(sum0, _mm512_div_pd(one, x0)), _mm512_add_pd(sum1, _mm512_div_pd(one, x1))]
    })
}

/// About 1/x for each x.
#[target_feature(enable = "avx512f")]
fn newton(first: u64) -> f64 {
    block(first, |[x0, x1], [sum0, sum1]| {
        [_mm512_add_pd(sum0, about(x0)), _mm512_add_pd(sum1, about(x1))]
    })
}

/// As 1/a + 1/b = (a + b)/ab, with one reciprocal for two terms.
#[target_feature(enable = "avx512f")]
fn pairs(first: u64) -> f64 {
    block(first, |[x0, x1], [sum0, sum1]| {
        let both = about(_mm512_mul_pd(x0, x1));
        [_mm512_fmadd_pd(_mm512_add_pd(x0, x1), both, sum0), sum1]
    })
}

/// 14 bits of 1/x, and Newton's steps from there to 28 and to 56, without the last roundings.
#[target_feature(enable = "avx512f")]
fn about(x: __m512d) -> __m512d {
    let two = _mm512_set1_pd(2.0);
    let mut y = _mm512_rcp14_pd(x);
    y = _mm512_mul_pd(y, _mm512_fnmadd_pd(x, y, two));
    _mm512_mul_pd(y, _mm512_fnmadd_pd(x, y, two))
}

/// A block, by what adds sixteen terms to two registers.
#[target_feature(enable = "avx512f")]
#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn block(first: u64, add: impl Fn([__m512d; 2], [__m512d; 2]) -> [__m512d; 2]) -> f64 {
    let mut odds = [0.0, 16.0].map(|more| {
        let lanes = _mm512_setr_pd(1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0);
        _mm512_add_pd(lanes, _mm512_set1_pd(2.0 * first as f64 + more))
    });
    let step = _mm512_set1_pd(32.0);
    let mut sums = [_mm512_setzero_pd(); 2];
    for _ in 0..BLOCK / 16 {
        sums = add(odds.map(|odd| _mm512_mul_pd(odd, odd)), sums);
        odds = odds.map(|odd| _mm512_add_pd(odd, step));
    }
    _mm512_reduce_add_pd(_mm512_add_pd(sums[0], sums[1]))
}
