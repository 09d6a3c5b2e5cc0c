//! Doubles of every kind: any bits, and those that meet, cancel, and lie halfway.

use arbitrary::Arbitrary;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Number {
    Any(u64),
    /// One bit, near those of others.
    Power {
        is_negative: bool,
        exponent: u8,
    },
    Alike {
        is_negative: bool,
        exponent: u8,
        fraction: u64,
    },
    Subnormal {
        is_negative: bool,
        exponent: u8,
        fraction: u64,
    },
    Huge {
        is_negative: bool,
        exponent: u8,
        fraction: u64,
    },
    Known(u8),
}

const KNOWN: [f64; 14] = [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    f64::MIN_POSITIVE,
    -f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    1.0,
    f64::EPSILON / 2.0,
    -f64::EPSILON / 2.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

impl Number {
    pub(super) fn value(self) -> f64 {
        match self {
            Self::Any(bits) => f64::from_bits(bits),
            Self::Power { is_negative, exponent } => {
                double(is_negative, 920 + u64::from(exponent), 0)
            }
            Self::Alike { is_negative, exponent, fraction } => {
                double(is_negative, 1020 + u64::from(exponent % 8), fraction)
            }
            Self::Subnormal { is_negative, exponent, fraction } => {
                double(is_negative, u64::from(exponent % 3), fraction)
            }
            Self::Huge { is_negative, exponent, fraction } => {
                double(is_negative, 2040 + u64::from(exponent % 7), fraction)
            }
            Self::Known(which) => KNOWN[usize::from(which) % KNOWN.len()],
        }
    }
}

/// Of these parts; of the fraction, the upper bits, which short inputs have.
fn double(is_negative: bool, exponent: u64, fraction: u64) -> f64 {
    f64::from_bits(u64::from(is_negative) << 63 | exponent << 52 | fraction.swap_bytes() >> 12)
}
