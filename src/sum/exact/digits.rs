//! Sums of doubles as integers: 43 signed digits, and how a double becomes two of them and all of
//! them a double again. No memory is shared here.
//!
//! Digit k counts 2^(52k − 1074). So every finite double is an integer, of at most 2098 bits, and
//! falls into two neighbouring digits. Digits may be of any size and sign, as far as an `i64` goes;
//! carrying makes them small again without changing what they stand for.

#[cfg(doc)]
use super::ExactSum;
use super::alike;

/// More than doubles need: the last ones are reached by carrying only.
pub(super) const DIGITS: usize = 43;
/// How many bits a digit is worth.
const WIDTH: u32 = 52;
const MASK: u64 = (1 << WIDTH) - 1;
/// Those digits that are less than this can take what carrying or adding brings: 2^62 at most, that
/// of [`MOST_AT_ONCE`] values.
const LARGE: i64 = 1 << 61;

pub(super) type Digits = [i64; DIGITS];

/// What adds to two neighbouring digits: each part is at most 2^52, and only the upper one has a
/// sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deposit {
    pub(super) digit: usize,
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Deposit {
    /// Of the bits of a finite number. (Of those of an infinity or a NaN, which has no digits, it
    /// does not matter what: nor has the sum then.)
    #[inline]
    #[allow(clippy::cast_possible_wrap, reason = "53 bits, and the sign bit spread")]
    pub(super) const fn of(bits: u64) -> Self {
        let exponent = bits >> WIDTH & 0x7ff;
        // The leading one is not stored; but subnormal numbers have none, and the place of the
        // least that have one.
        let place = exponent.saturating_sub(1);
        let leading = exponent.wrapping_sub(place);
        let magnitude = (bits & MASK | leading << WIDTH) as i64;
        // All ones if negative: to flip the bits and add one is to negate.
        let sign = bits as i64 >> 63;
        let mantissa = (magnitude ^ sign).wrapping_sub(sign);
        let (digit, shift) = (place as u32 / WIDTH, place as u32 % WIDTH);
        Self {
            digit: digit as usize,
            low: mantissa << shift & MASK as i64,
            high: mantissa >> (WIDTH.wrapping_sub(shift)),
        }
    }
}

/// How many digits are the lower of a deposit.
const DEPOSITS: usize = 40;

/// Whether a digit has to be carried before anything may be added to it.
#[inline]
pub(super) const fn is_large(digit: i64) -> bool {
    digit >= LARGE || digit < -LARGE
}

/// What stays in a digit, and what goes into the next.
#[inline]
#[allow(clippy::cast_possible_wrap, reason = "52 bits")]
pub(super) const fn carry(digit: i64) -> (i64, i64) {
    (digit & MASK as i64, digit >> WIDTH)
}

/// What digits cannot say of what has been added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Flags(u32);

impl Flags {
    pub(super) const NONE: Self = Self(0);
    const INFINITE: Self = Self(1);
    const NEGATIVE_INFINITE: Self = Self(2);
    const NAN: Self = Self(4);
    const NEGATIVE_ZERO: Self = Self(8);
    /// Anything but −0.
    const OTHER: Self = Self(16);

    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    pub(super) const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// What adding the number of these bits says.
    #[inline]
    pub(super) const fn of(bits: u64) -> Self {
        if bits == NEGATIVE_ZERO {
            Self::NEGATIVE_ZERO
        } else if bits & SPECIAL == SPECIAL {
            Self::OTHER.and(Self::of_special(bits))
        } else {
            Self::OTHER
        }
    }

    /// The same of many.
    #[cold]
    fn of_all(values: &[f64]) -> Self {
        values.iter().fold(Self::NONE, |flags, value| flags.and(Self::of(value.to_bits())))
    }

    #[cold]
    const fn of_special(bits: u64) -> Self {
        match bits {
            SPECIAL => Self::INFINITE,
            NEGATIVE_SPECIAL => Self::NEGATIVE_INFINITE,
            _ => Self::NAN,
        }
    }

    /// The sum, if it does not take digits to know it.
    fn special(self) -> Option<f64> {
        match (self.has(Self::INFINITE), self.has(Self::NEGATIVE_INFINITE)) {
            _ if self.has(Self::NAN) => Some(f64::NAN),
            (true, true) => Some(f64::NAN),
            (true, false) => Some(f64::INFINITY),
            (false, true) => Some(f64::NEG_INFINITY),
            (false, false) => None,
        }
    }

    /// Which zero it is, if it is zero.
    const fn zero(self) -> f64 {
        if self.has(Self::NEGATIVE_ZERO) && !self.has(Self::OTHER) { -0.0 } else { 0.0 }
    }
}

/// The sign bit alone.
const NEGATIVE_ZERO: u64 = 1 << 63;
/// All bits of the exponent: an infinity, or with a fraction a NaN.
const SPECIAL: u64 = 0x7ff << 52;
const NEGATIVE_SPECIAL: u64 = SPECIAL | NEGATIVE_ZERO;

/// So many values that the digits of [`sum_of`] are at most 2^62: each adds 2^52 to a digit.
pub(super) const MOST_AT_ONCE: usize = 1024;

/// The sum of at most [`MOST_AT_ONCE`] values, and what digits cannot say of it.
pub(super) fn sum_of(values: &[f64]) -> (Digits, Flags) {
    // Values that follow each other are often of like size: in one set of digits, each would have
    // to wait for the one before it to be stored.
    let mut deposits = [Deposits::NONE; 2];
    let mut exponents = 0;
    let mut rest = values;
    while let Some((block, others)) = rest.split_at_checked(rest.len().min(alike::MOST)) {
        // Where one block is not of like size, the next one seldom is.
        let Some(sums) = alike::sums_of(block) else { break };
        exponents |= add_all(&mut deposits, &sums);
        rest = others;
    }
    exponents |= add_all(&mut deposits, rest);
    let digits = Deposits::digits(&deposits);
    let is_plain = exponents <= SPECIAL >> WIDTH && digits != [0; DIGITS];
    let flags = if is_plain { Flags::OTHER } else { Flags::of_all(values) };
    (digits, flags)
}

/// Adds half of them to each. Returns all bits of their exponents, each one more: an infinity or a
/// NaN is where a bit beyond the others is.
#[inline]
fn add_all([one, other]: &mut [Deposits; 2], values: &[f64]) -> u64 {
    let mut exponents = 0;
    let pairs = values.chunks_exact(2);
    let rest = pairs.remainder();
    for pair in pairs {
        if let &[first, second] = pair {
            exponents |= one.add(first) | other.add(second);
        }
    }
    rest.iter().fold(exponents, |exponents, value| exponents | one.add(*value))
}

/// Deposits, added up: the lower parts and the upper parts of all that begin at a digit.
#[derive(Clone, Copy)]
struct Deposits([[i64; 2]; DEPOSITS]);

impl Deposits {
    const NONE: Self = Self([[0; 2]; DEPOSITS]);

    /// Returns the exponent, one more.
    #[inline]
    fn add(&mut self, value: f64) -> u64 {
        let bits = value.to_bits();
        let deposit = Deposit::of(bits);
        if let Some([low, high]) = self.0.get_mut(deposit.digit) {
            *low = deposit.low.wrapping_add(*low);
            *high = deposit.high.wrapping_add(*high);
        }
        ((bits & SPECIAL) >> WIDTH).wrapping_add(1)
    }

    /// Both together.
    fn digits([one, other]: &[Self; 2]) -> Digits {
        let mut digits = [0_i64; DIGITS];
        let lower = one.0.iter().zip(&other.0);
        for (digit, (one, other)) in digits.iter_mut().zip(lower) {
            *digit = one[0].wrapping_add(other[0]);
        }
        let upper = one.0.iter().zip(&other.0);
        for (digit, (one, other)) in digits.iter_mut().skip(1).zip(upper) {
            *digit = digit.wrapping_add(one[1]).wrapping_add(other[1]);
        }
        digits
    }
}

const HALF: u64 = 1 << 63;
/// Where the largest numbers begin.
const LARGEST_PLACE: u64 = 2045;

/// Adds up digits of several lanes, which may be as large as they like.
#[derive(Clone)]
pub(super) struct Total {
    digits: [i128; DIGITS],
    flags: Flags,
}

impl Total {
    pub(super) const fn new() -> Self {
        Self { digits: [0; DIGITS], flags: Flags::NONE }
    }

    pub(super) fn add(&mut self, digits: &Digits, flags: Flags) {
        for (sum, digit) in self.digits.iter_mut().zip(digits) {
            *sum = sum.wrapping_add(i128::from(*digit));
        }
        self.flags = self.flags.and(flags);
    }

    /// The double that is nearest, and of two that are equally near the even one.
    pub(super) fn round(mut self) -> f64 {
        if let Some(special) = self.flags.special() {
            return special;
        }
        self.carry();
        if self.digits == [0; DIGITS] {
            return self.flags.zero();
        }
        let is_negative = self.digits.last().is_some_and(|last| *last < 0);
        if is_negative {
            self.digits = self.digits.map(i128::wrapping_neg);
            self.carry();
        }
        let magnitude = self.round_positive();
        if is_negative { -magnitude } else { magnitude }
    }

    /// Makes all digits but the last positive and small.
    fn carry(&mut self) {
        let mut above = 0;
        let count = self.digits.len();
        for (place, digit) in self.digits.iter_mut().enumerate() {
            let all = digit.wrapping_add(above);
            (*digit, above) = if place.wrapping_add(1) < count {
                (all & i128::from(MASK), all >> WIDTH)
            } else {
                (all, 0)
            };
        }
    }

    /// Of digits that are carried, and none of them negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small digits")]
    fn round_positive(&self) -> f64 {
        let Some((last, small)) = self.digits.split_last() else { return 0.0 };
        if *last != 0 {
            // Beyond 2^1110.
            return f64::INFINITY;
        }
        let Some(top) = small.iter().rposition(|digit| *digit != 0) else { return 0.0 };
        let digit = |place: Option<usize>| {
            place.and_then(|place| small.get(place)).map_or(0, |digit| *digit as u64)
        };
        let (first, second) = (digit(Some(top)), digit(top.checked_sub(1)));
        // Of the 53 bits that are kept, the lowest is bit `shift` of the second digit.
        let shift = first.ilog2();
        let is_any_set_below = |place: usize| small.iter().take(place).any(|digit| *digit != 0);
        if top == 0 {
            // Subnormal, or nearly: the integer is the representation.
            return f64::from_bits(first);
        }
        let place =
            (top as u64).wrapping_sub(1).wrapping_mul(WIDTH.into()).wrapping_add(shift.into());
        let kept = first << (WIDTH.wrapping_sub(shift)) | second >> shift;
        // What is not kept, as a fraction of 2^64 of the lowest bit that is; and whether there is
        // more below.
        let (rest, below) = if shift > 0 {
            (second << (64_u32.wrapping_sub(shift)), top.wrapping_sub(1))
        } else {
            (digit(top.checked_sub(2)) << (64 - WIDTH), top.saturating_sub(2))
        };
        let is_more = rest > HALF || rest == HALF && (kept & 1 == 1 || is_any_set_below(below));
        // The leading bit of `kept` adds one to the exponent; rounding up may carry into that, up
        // to infinity.
        if place > LARGEST_PLACE {
            return f64::INFINITY;
        }
        f64::from_bits((place << 52).wrapping_add(kept).wrapping_add(is_more.into()))
    }
}
