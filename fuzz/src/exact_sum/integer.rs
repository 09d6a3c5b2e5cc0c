//! Sums of doubles as one long integer, which is rounded in the end: slow, and plain.

/// Room for 2^63 of the largest, of either sign, in multiples of the least.
const WORDS: usize = 34;

/// What has been added.
#[derive(Clone, Debug)]
pub(super) struct Exact {
    /// How often 2^−1074, in two's complement, the least word first.
    words: [u64; WORDS],
    has_nan: bool,
    has_infinity: [bool; 2],
    /// Whether anything was added; and whether all that was is −0.
    is_empty: bool,
    is_negative_zero: bool,
}

impl Exact {
    pub(super) const EMPTY: Self = Self {
        words: [0; WORDS],
        has_nan: false,
        has_infinity: [false; 2],
        is_empty: true,
        is_negative_zero: true,
    };

    pub(super) fn add(&mut self, value: f64) {
        self.is_empty = false;
        self.is_negative_zero &= value == 0.0 && value.is_sign_negative();
        if value.is_nan() {
            self.has_nan = true;
        } else if value.is_infinite() {
            self.has_infinity[usize::from(value < 0.0)] = true;
        } else {
            self.add_finite(value);
        }
    }

    fn add_finite(&mut self, value: f64) {
        let bits = value.abs().to_bits();
        let (fraction, exponent) = (bits & ((1 << 52) - 1), bits >> 52);
        let (integer, place) = match exponent {
            0 => (fraction, 0),
            _ => (fraction | 1 << 52, exponent - 1),
        };
        let place = usize::try_from(place).expect("eleven bits");
        let moved = u128::from(integer) << (place % 64);
        // To subtract is to add the complement, and one; above them, all ones or zeros.
        let (sign, mut carry) = if value.is_sign_negative() { (u64::MAX, 1) } else { (0, 0) };
        let mut parts = [low(moved), low(moved >> 64)].into_iter();
        for word in self.words.iter_mut().skip(place / 64) {
            let part = match parts.next() {
                Some(part) => part,
                None if carry == u128::from(sign & 1) => break,
                None => 0,
            };
            let sum = u128::from(*word) + u128::from(part ^ sign) + carry;
            (*word, carry) = (low(sum), sum >> 64);
        }
    }

    /// Adds all that the other has.
    pub(super) fn absorb(&mut self, other: &Self) {
        add(&mut self.words, &other.words);
        self.has_nan |= other.has_nan;
        for (one, other) in self.has_infinity.iter_mut().zip(other.has_infinity) {
            *one |= other;
        }
        self.is_empty &= other.is_empty;
        self.is_negative_zero &= other.is_negative_zero;
    }

    /// The nearest double; of two, that whose last bit is zero.
    pub(super) fn rounded(&self) -> f64 {
        match self.has_infinity {
            _ if self.has_nan => return f64::NAN,
            [true, true] => return f64::NAN,
            [true, false] => return f64::INFINITY,
            [false, true] => return f64::NEG_INFINITY,
            [false, false] => {}
        }
        if self.words == [0; WORDS] {
            return if self.is_negative_zero && !self.is_empty { -0.0 } else { 0.0 };
        }
        let is_negative = self.words[WORDS - 1] >> 63 == 1;
        let mut words = self.words;
        if is_negative {
            negate(&mut words);
        }
        let magnitude = nearest(&words);
        if is_negative { -magnitude } else { magnitude }
    }
}

/// Of a positive integer.
fn nearest(words: &[u64; WORDS]) -> f64 {
    let bit = |place: usize| words[place / 64] >> (place % 64) & 1;
    let top_word = words.iter().rposition(|word| *word != 0).expect("not zero");
    let top = top_word * 64 + words[top_word].ilog2() as usize;
    let is_any_below = |place: usize| {
        let part = words[place / 64] & ((1 << (place % 64)) - 1);
        part != 0 || words.iter().take(place / 64).any(|word| *word != 0)
    };
    // The leading bit and 52 that follow, as far as there are so many.
    let last = top.saturating_sub(52);
    let kept = (last..=top).rev().fold(0, |kept, place| kept << 1 | bit(place));
    let half = last > 0 && bit(last - 1) == 1;
    let up = half && (kept & 1 == 1 || is_any_below(last - 1));
    // Once it is rounded, it may have one bit more.
    let (kept, last) = match kept + u64::from(up) {
        carried if carried == 1 << 53 => (1 << 52, last + 1),
        kept => (kept, last),
    };
    // Its exponent is one more than its place, if it has all bits; none, if it has not.
    let exponent = last as u64 + (kept >> 52);
    if exponent >= 0x7ff {
        return f64::INFINITY;
    }
    f64::from_bits(exponent << 52 | kept & ((1 << 52) - 1))
}

fn add(words: &mut [u64; WORDS], more: &[u64; WORDS]) {
    let mut carry = 0;
    for (word, more) in words.iter_mut().zip(more) {
        let sum = u128::from(*word) + u128::from(*more) + carry;
        (*word, carry) = (low(sum), sum >> 64);
    }
}

fn negate(words: &mut [u64; WORDS]) {
    let mut one = [0; WORDS];
    one[0] = 1;
    *words = words.map(|word| !word);
    add(words, &one);
}

#[allow(clippy::cast_possible_truncation, reason = "that is what is asked for")]
const fn low(number: u128) -> u64 {
    number as u64
}
