//! One adder's part of an exact sum, in shared memory: its digits; what it is about to do to them,
//! so that it cannot be half done; and a copy of them, for readers that it would otherwise outrun.
//!
//! # All or nothing
//!
//! Only one adder changes a lane. For each deposit it writes the digits as they will be into the
//! *record*, marks it (an odd number), stores them as the digits that they are, and unmarks it (the
//! next even number). If it is killed before the mark, nothing has happened; after it, whoever
//! finds the mark odd goes by the record, and storing it once more changes nothing.
//!
//! # Reading
//!
//! A reader takes the digits, and where the mark is odd the record over them; if the mark is still
//! the same then, that is how things stood. An adder that never rests would let it try for ever. So
//! it asks for a copy: an adder looks, before each deposit, whether one is wanted, and makes it. An
//! adder that rests, or has been killed, makes none; but then the mark stays.

#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "digits are kept as words")]

use core::ops::Range;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use super::digits::{DIGITS, Deposit, Digits, Flags, carry, is_large, sum_of};
use crate::prim::{AtomicU64, Claim, Padding, array, const_fn, fence, pause, real_only};

/// Which digits are meant, and what flags there are, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Meta {
    first: u16,
    end: u16,
    flags: Flags,
}

impl Meta {
    #[allow(clippy::cast_possible_truncation, reason = "field by field")]
    const fn unpack(word: u64) -> Self {
        Self {
            first: word as u16,
            end: (word >> 16) as u16,
            flags: Flags::from_bits((word >> 32) as u32),
        }
    }

    #[allow(clippy::cast_lossless, reason = "From is not const")]
    const fn pack(self) -> u64 {
        self.first as u64 | (self.end as u64) << 16 | (self.flags.bits() as u64) << 32
    }

    /// Of digits that there are.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "at most 43")]
    const fn of(first: usize, end: usize, flags: Flags) -> Self {
        Self { first: first as u16, end: end as u16, flags }
    }

    /// As indices, of which the caller does not trust that there are such digits.
    fn range(self) -> Range<usize> {
        self.first.into()..self.end.into()
    }

    const fn covers(self, other: Self) -> bool {
        other.first == other.end || self.first <= other.first && other.end <= self.end
    }

    /// Wide enough for both.
    fn and(self, other: Self) -> Self {
        if self.first == self.end {
            return Self { flags: self.flags, ..other };
        }
        Self { first: self.first.min(other.first), end: self.end.max(other.end), ..self }
    }
}

/// Aligned so that no two lanes, nor the halves of one, share what CPUs fetch together.
#[derive(FromBytes)]
#[repr(C, align(128))]
pub(super) struct Lane {
    claim: Claim,
    unused: Padding,
    /// Odd while the record counts.
    mark: AtomicU64,
    /// Which digits have ever been used, and the flags.
    meta: AtomicU64,
    /// The record: which digits and what flags; and their values.
    record_meta: AtomicU64,
    record: [AtomicU64; DIGITS],
    digits: [AtomicU64; DIGITS],
    readers: Readers,
}

/// What readers have to do with: the adder only looks here, if nothing is wanted.
#[derive(FromBytes)]
#[repr(C, align(128))]
struct Readers {
    /// How many copies have been asked for.
    wanted: AtomicU64,
    /// Twice as many as were when the copy was made; odd before it is complete.
    answered: AtomicU64,
    meta: AtomicU64,
    copy: [AtomicU64; DIGITS],
}

impl Lane {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self {
                claim: Claim::new(),
                unused: Padding::new(),
                mark: AtomicU64::new(0),
                meta: AtomicU64::new(0),
                record_meta: AtomicU64::new(0),
                record: array!(AtomicU64::new(0); DIGITS),
                digits: array!(AtomicU64::new(0); DIGITS),
                readers: Readers {
                    wanted: AtomicU64::new(0),
                    answered: AtomicU64::new(0),
                    meta: AtomicU64::new(0),
                    copy: array!(AtomicU64::new(0); DIGITS),
                },
            }
        }
    }

    pub(super) const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Digits and flags, as they were at one moment between two deposits.
    pub(super) fn read(&self) -> (Digits, Flags) {
        if let Some(content) = self.read_as_it_is() {
            return content;
        }
        let mine = self.readers.wanted.fetch_add(1, Relaxed).wrapping_add(1);
        loop {
            if let Some(content) = self.read_copy(mine).or_else(|| self.read_as_it_is()) {
                return content;
            }
            pause();
        }
    }

    /// None, if there was a deposit meanwhile.
    fn read_as_it_is(&self) -> Option<(Digits, Flags)> {
        // Acquire pairs with the Release in mark and in unmark.
        let mark = self.mark.load(Acquire);
        let meta = Meta::unpack(self.meta.load(Relaxed));
        let (mut digits, mut flags) = ([0; DIGITS], meta.flags);
        copy(&self.digits, meta.range(), &mut digits);
        if mark & 1 == 1 {
            let record = Meta::unpack(self.record_meta.load(Relaxed));
            let places = digits.iter_mut().take(record.end.into()).skip(record.first.into());
            for (digit, recorded) in places.zip(&self.record) {
                *digit = recorded.load(Relaxed) as i64;
            }
            flags = record.flags;
        }
        // Pairs with the fences in begin and mark: if anything above is later, so is the mark.
        fence(Acquire);
        (self.mark.load(Relaxed) == mark).then_some((digits, flags))
    }

    /// None, if no copy has been made since `wanted`, or another is being made.
    fn read_copy(&self, wanted: u64) -> Option<(Digits, Flags)> {
        // Acquire pairs with the Release in answer.
        let answered = self.readers.answered.load(Acquire);
        // By their difference: whatever the numbers once were, they count on from there.
        let is_older = (answered.wrapping_sub(wanted.wrapping_mul(2)) as i64) < 0;
        if answered & 1 == 1 || is_older {
            return None;
        }
        let meta = Meta::unpack(self.readers.meta.load(Relaxed));
        let mut digits = [0; DIGITS];
        copy(&self.readers.copy, meta.range(), &mut digits);
        // Pairs with the fence in answer.
        fence(Acquire);
        (self.readers.answered.load(Relaxed) == answered).then_some((digits, meta.flags))
    }
}

/// Loads those digits that are in `range`.
fn copy(from: &[AtomicU64; DIGITS], range: Range<usize>, to: &mut Digits) {
    let places = to.iter_mut().zip(from).take(range.end).skip(range.start);
    for (digit, word) in places {
        *digit = word.load(Relaxed) as i64;
    }
}

/// The one who adds to a lane, and what only it changes there, as it knows it.
pub(super) struct Writer<'a> {
    lane: &'a Lane,
    /// Even.
    mark: u64,
    meta: Meta,
    answered: u64,
}

impl<'a> Writer<'a> {
    /// Of a lane that this has claimed; completes what the last one may have left half done.
    pub(super) fn new(lane: &'a Lane) -> Self {
        // Acquire pairs with the Release in mark: if one was killed, what it recorded is seen.
        let mark = lane.mark.load(Acquire);
        let meta = Meta::unpack(lane.meta.load(Relaxed));
        let answered = lane.readers.answered.load(Relaxed) >> 1;
        let mut writer = Self { lane, mark: mark & !1, meta, answered };
        if mark & 1 == 1 {
            let record = Meta::unpack(lane.record_meta.load(Relaxed));
            writer.store_recorded(record);
            writer.unmark(record.flags);
        }
        writer
    }

    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        self.answer_if_wanted();
        let bits = value.to_bits();
        let flags = self.meta.flags.and(Flags::of(bits));
        if value.is_finite() {
            self.deposit(Deposit::of(bits), flags);
        } else {
            self.flag(flags);
        }
    }

    /// Adds all, in one deposit.
    pub(super) fn add_all(&mut self, values: &[f64]) {
        self.answer_if_wanted();
        let (sum, flags) = sum_of(values);
        let flags = self.meta.flags.and(flags);
        let is_used = |digit: &i64| *digit != 0;
        let (Some(first), Some(last)) =
            (sum.iter().position(is_used), sum.iter().rposition(is_used))
        else {
            return self.flag(flags);
        };
        let record = Meta::of(first, last.saturating_add(1), flags);
        let range = record.range();
        let lane = self.lane;
        let digits = || lane.digits.iter().take(range.end).skip(range.start);
        if digits().any(|digit| is_large(digit.load(Relaxed) as i64)) {
            self.carry_from(first);
        }
        let added = sum.iter().take(range.end).skip(range.start);
        self.begin(record);
        for ((recorded, digit), added) in lane.record.iter().zip(digits()).zip(added) {
            recorded.store((digit.load(Relaxed) as i64).wrapping_add(*added) as u64, Relaxed);
        }
        self.mark();
        self.store_recorded(record);
        self.unmark(flags);
    }

    #[inline]
    fn deposit(&mut self, deposit: Deposit, flags: Flags) {
        let Some([low, high]) = self.pair(deposit.digit) else { return };
        let (mut at_low, mut at_high) = (low.load(Relaxed) as i64, high.load(Relaxed) as i64);
        if is_large(at_low) || is_large(at_high) {
            self.carry_from(deposit.digit);
            (at_low, at_high) = (low.load(Relaxed) as i64, high.load(Relaxed) as i64);
        }
        let sums = [at_low.wrapping_add(deposit.low), at_high.wrapping_add(deposit.high)];
        self.replace(deposit.digit, sums, flags);
    }

    /// Flags alone: no digits.
    #[cold]
    fn flag(&mut self, flags: Flags) {
        if flags != self.meta.flags {
            self.begin(Meta::of(0, 0, flags));
            self.mark();
            self.unmark(flags);
        }
    }

    /// Makes room in this digit and all above it. Each step is a deposit that changes nothing.
    #[cold]
    fn carry_from(&mut self, first: usize) {
        // From above, so that there is room for what comes from below.
        for place in (first..DIGITS.saturating_sub(1)).rev() {
            let Some([low, high]) = self.pair(place) else { return };
            let (at_low, at_high) = (low.load(Relaxed) as i64, high.load(Relaxed) as i64);
            if is_large(at_low) {
                let (stays, goes) = carry(at_low);
                self.replace(place, [stays, at_high.wrapping_add(goes)], self.meta.flags);
            }
        }
    }

    #[inline]
    fn pair(&self, place: usize) -> Option<[&'a AtomicU64; 2]> {
        let digits = &self.lane.digits;
        Some([digits.get(place)?, digits.get(place.wrapping_add(1))?])
    }

    /// One deposit: two digits become these, and the flags those; all of it or nothing.
    #[inline]
    fn replace(&mut self, place: usize, digits: [i64; 2], flags: Flags) {
        let (Some([low, high]), [first, second, ..]) = (self.pair(place), &self.lane.record) else {
            return;
        };
        let [at_low, at_high] = digits.map(|digit| digit as u64);
        self.begin(Meta::of(place, place.saturating_add(2), flags));
        first.store(at_low, Relaxed);
        second.store(at_high, Relaxed);
        self.mark();
        low.store(at_low, Relaxed);
        high.store(at_high, Relaxed);
        self.unmark(flags);
    }

    /// Begins the record.
    #[inline]
    fn begin(&mut self, record: Meta) {
        if !self.meta.covers(record) {
            self.widen(record);
        }
        // A reader that sees any of this record sees that the mark is not that of the last.
        fence(Release);
        self.lane.record_meta.store(record.pack(), Relaxed);
    }

    /// Digits that were never used are zero, and so may count as used sooner than they are.
    #[cold]
    fn widen(&mut self, record: Meta) {
        self.meta = self.meta.and(Meta { flags: self.meta.flags, ..record });
        self.lane.meta.store(self.meta.pack(), Relaxed);
    }

    /// From here on the record counts.
    #[inline]
    fn mark(&mut self) {
        // Release pairs with the Acquire in read_as_it_is: who sees the mark sees the record.
        self.lane.mark.store(self.mark | 1, Release);
        // A reader that sees any of the new digits sees that there is a mark.
        fence(Release);
    }

    fn store_recorded(&mut self, record: Meta) {
        let digits = self.lane.digits.iter().take(record.end.into()).skip(record.first.into());
        for (digit, recorded) in digits.zip(&self.lane.record) {
            digit.store(recorded.load(Relaxed), Relaxed);
        }
    }

    /// From here on the digits count again.
    #[inline]
    fn unmark(&mut self, flags: Flags) {
        if flags != self.meta.flags {
            self.meta.flags = flags;
            self.lane.meta.store(self.meta.pack(), Relaxed);
        }
        self.mark = self.mark.wrapping_add(2);
        // Release pairs with the Acquire in read_as_it_is: who sees this sees the digits.
        self.lane.mark.store(self.mark, Release);
    }

    #[inline]
    fn answer_if_wanted(&mut self) {
        let wanted = self.lane.readers.wanted.load(Relaxed);
        if wanted != self.answered {
            self.answer(wanted);
        }
    }

    #[cold]
    fn answer(&mut self, wanted: u64) {
        let Readers { answered, meta, copy, .. } = &self.lane.readers;
        self.answered = wanted;
        answered.store(wanted.wrapping_mul(2).wrapping_sub(1), Relaxed);
        // A reader that sees any of the new copy sees that the last is no more.
        fence(Release);
        meta.store(self.meta.pack(), Relaxed);
        let Range { start, end } = self.meta.range();
        let places = copy.iter().zip(&self.lane.digits).take(end).skip(start);
        for (copied, digit) in places {
            copied.store(digit.load(Relaxed), Relaxed);
        }
        // Pairs with the Acquire in read_copy: who sees this sees the copy.
        answered.store(wanted.wrapping_mul(2), Release);
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.lane.claim.give_back();
    }
}

real_only! {
    static_assertions::const_assert_eq!(core::mem::offset_of!(Lane, mark), 8);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Lane, record), 32);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Lane, digits), 376);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Lane, readers), 768);
}
