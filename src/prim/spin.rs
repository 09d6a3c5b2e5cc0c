//! [`Spinner`]: looking again and again before going to sleep, where that pays.
//!
//! To sleep and be woken takes microseconds where CPUs do not halt and 70 or more where they do, on
//! virtual machines above all; to hear of a change while spinning takes 0.3. So whoever waits first
//! spins, for as long as a sleep costs at least. That is wasted where the wait is longer, and harm
//! where the other side needs this CPU, on which it cannot get on meanwhile. So each kind of
//! waiting learns, per process, how often it helped.
//!
//! Two sides that both sleep at once find out nothing: each is woken too late for the other. So now
//! and then, ever more seldom, one of them spins for as long as it may take to wake the other.

use core::hint;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use crate::Deadline;

/// What one kind of waiting has learnt of spinning, in this process.
///
/// Its numbers are advice, and wrong ones cost time only: so all accesses are relaxed, and updates
/// may get lost.
pub(crate) struct Spinner {
    /// How many pauses there may be between two looks.
    most_pauses: u32,
    /// How well spinning has done lately: zero is "not at all".
    credit: AtomicU32,
    /// How many waits have gone without, for lack of credit.
    skipped: AtomicU32,
    /// How many are to go without before one tries again.
    patience: AtomicU32,
}

impl Spinner {
    /// For how long to spin at first: what a sleep costs at least.
    const SHORT: Duration = Duration::from_micros(10);
    /// And then, where that does not do well: what it may take to wake the other side.
    const LONG: Duration = Duration::from_micros(60);
    /// After how many pauses to ask for the time. That is a system call, and who waits for the
    /// answer to a message is not to be in it when the answer comes: so for longer than a line
    /// takes to the other side and back, with some copying, where pauses are short as well.
    const CLOCK: u32 = 64;
    /// Where one backs off: half a microsecond or so.
    const MOST_PAUSES: u32 = 32;
    /// A vain attempt halves it: five in a row end it.
    const MOST_CREDIT: u32 = 16;
    /// What a success adds.
    const REWARD: u32 = 3;
    /// Without credit, one wait in so many tries whether spinning helps now; in twice as many, each
    /// time that it does not.
    const LEAST_PATIENCE: u32 = 16;
    const MOST_PATIENCE: u32 = 4096;

    /// Looks all the time: for those who wait for what another does once.
    pub(crate) const fn new() -> Self {
        Self::pausing(1)
    }

    /// Looks ever more seldom: for those who wait for what others take from each other. Whoever has
    /// it gets on faster if the line that it is in stays for a while.
    pub(crate) const fn backing_off() -> Self {
        Self::pausing(Self::MOST_PAUSES)
    }

    const fn pausing(most_pauses: u32) -> Self {
        Self {
            most_pauses,
            credit: AtomicU32::new(Self::MOST_CREDIT),
            skipped: AtomicU32::new(0),
            patience: AtomicU32::new(Self::LEAST_PATIENCE),
        }
    }

    /// Makes `attempt` again and again, until it succeeds or that is not worth it any more, and not
    /// beyond `by`, but for the microsecond or so in which it does not ask for the time.
    #[inline]
    pub(crate) fn spin<T>(&self, by: Deadline, attempt: impl FnMut() -> Option<T>) -> Option<T> {
        self.spin_seldom(1, by, attempt)
    }

    /// As [`spin`](Self::spin), with so many pauses between two attempts at least: for those whose
    /// every look keeps another from what they wait for.
    pub(crate) fn spin_seldom<T>(
        &self,
        pauses: u32,
        by: Deadline,
        mut attempt: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let credit = self.credit.load(Relaxed);
        if credit == 0 && !self.is_time_to_try() {
            return None;
        }
        if let Some(success) = self.spin_for(Self::SHORT, pauses, by, &mut attempt) {
            self.trust(credit.saturating_add(Self::REWARD).min(Self::MOST_CREDIT));
            return Some(success);
        }
        // Not more: so whoever needs this long goes on to spin for so long.
        if credit <= Self::REWARD {
            if let Some(success) = self.spin_for(Self::LONG, pauses, by, &mut attempt) {
                self.trust(Self::REWARD);
                return Some(success);
            }
        }
        self.distrust(credit);
        None
    }

    /// Without credit: whether it is this wait's turn to spin all the same.
    fn is_time_to_try(&self) -> bool {
        let skipped = self.skipped.load(Relaxed).wrapping_add(1);
        let is_time = skipped >= self.patience.load(Relaxed);
        self.skipped.store(if is_time { 0 } else { skipped }, Relaxed);
        is_time
    }

    fn trust(&self, credit: u32) {
        self.credit.store(credit, Relaxed);
        self.patience.store(Self::LEAST_PATIENCE, Relaxed);
    }

    fn distrust(&self, credit: u32) {
        if credit == 0 {
            let patience = self.patience.load(Relaxed).saturating_mul(2);
            self.patience.store(patience.min(Self::MOST_PATIENCE), Relaxed);
        } else {
            self.credit.store(credit / 2, Relaxed);
        }
    }

    fn spin_for<T>(
        &self,
        longest: Duration,
        mut pauses: u32,
        by: Deadline,
        attempt: &mut impl FnMut() -> Option<T>,
    ) -> Option<T> {
        // Most waits that are short at all are over before the clock has to be asked.
        let mut until = None;
        let most_pauses = self.most_pauses.max(pauses);
        loop {
            let mut waited = 0_u32;
            while waited < Self::CLOCK {
                if let Some(success) = attempt() {
                    return Some(success);
                }
                (0..pauses).for_each(|_| hint::spin_loop());
                waited = waited.saturating_add(pauses);
                pauses = pauses.saturating_mul(2).min(most_pauses);
            }
            if until.get_or_insert_with(|| by.min(Deadline::after(longest))).has_passed() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Spinner};

    /// Whether a wait spins that would spin in vain.
    fn spins_in_vain(spinner: &Spinner) -> bool {
        let mut spins = false;
        let never = spinner.spin(Deadline::NEVER, || {
            spins = true;
            None::<()>
        });
        assert_eq!(never, None);
        spins
    }

    /// How many attempts there are before the first look at the clock.
    fn attempts(spinner: &Spinner, pauses: u32) -> u32 {
        let mut attempts = 0_u32;
        let past = Deadline::now();
        let success = spinner.spin_seldom(pauses, past, || {
            attempts = attempts.saturating_add(1);
            None::<()>
        });
        assert_eq!(success, None);
        attempts
    }

    #[test]
    fn between_two_attempts_there_are_as_many_pauses_as_is_said() {
        let pauses = [1, 16, Spinner::CLOCK];
        assert_eq!(pauses.map(|pauses| attempts(&Spinner::new(), pauses)), [64, 4, 1]);
        // 1 + 2 + 4 + 8 + 16 + 32, and once more.
        assert_eq!(pauses.map(|pauses| attempts(&Spinner::backing_off(), pauses)), [7, 3, 1]);
    }

    #[test]
    fn what_never_helps_is_given_up_and_tried_ever_more_seldom() {
        let spinner = Spinner::new();
        for wait in 1..=200 {
            let spins = [1, 2, 3, 4, 5, 21, 53, 117].contains(&wait);
            assert_eq!(spins_in_vain(&spinner), spins, "wait {wait}");
        }
    }

    #[test]
    fn it_is_never_given_up_for_good() {
        let spinner = Spinner::new();
        for _ in 0..20_000 {
            let _spins = spins_in_vain(&spinner);
        }
        let tries = (0..Spinner::MOST_PATIENCE).filter(|_| spins_in_vain(&spinner)).count();
        assert_eq!(tries, 1);
    }

    #[test]
    fn what_helps_again_is_done_again() {
        let spinner = Spinner::new();
        while spins_in_vain(&spinner) {}
        let helps = || spinner.spin(Deadline::NEVER, || Some(7)).is_some();
        let tries_again_at = (0..Spinner::MOST_PATIENCE).find(|_| helps());
        assert!(tries_again_at.is_some());
        assert!(helps());
    }

    #[test]
    fn what_helps_half_the_time_is_not_given_up() {
        let spinner = Spinner::new();
        for _ in 0..100 {
            assert!(spins_in_vain(&spinner));
            assert_eq!(spinner.spin(Deadline::NEVER, || Some(7)), Some(7));
        }
    }
}
