//! [`Barrier`]: waiting for each other.
//!
//! All that changes is one word of 64 bits, changed by compare-and-swap only:
//!
//! | bits | |
//! |---|---|
//! | 0 | whether the barrier is broken |
//! | 1 – 31 | the turn: goes up when all have come, and when those who wait are told that they wait in vain |
//! | 32 – 47 | how many have come |
//! | 48 – 55 | how the last 8 turns have ended, the latest lowest: one if all had come |
//! | 56 – 63 | how many turns have ended otherwise |
//!
//! Who waits sleeps on the low half. It may be slow to look: others can have come for the next turn
//! meanwhile, that may have been broken, and reset. So the ends of some turns are kept; of those
//! before, one can tell whether any has ended badly since.

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{ALL, AtomicU32, Padding, Sleep, Spinner, WideFutex, const_fn, real_only};
use crate::shm::plain::ShmSafe;

static SPINNER: Spinner = Spinner::new();

/// The fields of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    is_broken: bool,
    /// 31 bits.
    turn: u32,
    arrived: u16,
    ends: u8,
    failures: u8,
}

impl State {
    const fn unpack(word: u64) -> Self {
        let [low0, low1, low2, low3, come0, come1, ends, failures] = word.to_le_bytes();
        let low = u32::from_le_bytes([low0, low1, low2, low3]);
        Self {
            is_broken: low & 1 != 0,
            turn: low >> 1,
            arrived: u16::from_le_bytes([come0, come1]),
            ends,
            failures,
        }
    }

    const fn pack(self) -> u64 {
        let [low0, low1, low2, low3] = self.low().to_le_bytes();
        let [come0, come1] = self.arrived.to_le_bytes();
        u64::from_le_bytes([low0, low1, low2, low3, come0, come1, self.ends, self.failures])
    }

    /// The half on which one sleeps.
    const fn low(self) -> u32 {
        self.turn << 1 | self.is_broken as u32
    }

    /// The next turn, in which nobody has come yet.
    const fn next(self, all_had_come: bool) -> Self {
        Self {
            is_broken: self.is_broken,
            turn: self.turn.wrapping_add(1) & (u32::MAX >> 1),
            arrived: 0,
            ends: self.ends << 1 | all_had_come as u8,
            failures: self.failures.wrapping_add(!all_had_come as u8),
        }
    }

    /// How the turn of `then` has ended: nothing, if it has not.
    fn end_of(self, then: Self) -> Option<Result<(), Broken>> {
        let ago = self.turn.wrapping_sub(then.turn) & (u32::MAX >> 1);
        let latest = ago.checked_sub(1)?;
        let all_had_come = match self.ends.checked_shr(latest) {
            Some(end) => end & 1 != 0,
            // Longer ago than is kept. If a turn has failed since, it may have been that one.
            None => self.failures == then.failures,
        };
        Some(if all_had_come { Ok(()) } else { Err(Broken) })
    }
}

/// Where a fixed number of parties wait for each other: all get on when the last has come.
///
/// Then the next turn begins, for the same or others. What each did before it came is seen by all
/// that have waited with it.
///
/// A party that cannot come can [`abort`](Self::abort): then all who wait, and all who come, learn
/// that the barrier is broken, until it is [`reset`](Self::reset). The same happens when one gives
/// up waiting. A process that is killed while it waits counts as come: its turn ends when the
/// others have come; for the next, one is missing.
///
/// Zero parties are one: nobody ever waits.
///
/// # Examples
///
/// ```
/// use rawipc::sync::Barrier;
///
/// let barrier = Barrier::new(3);
/// let leaders = std::thread::scope(|scope| {
///     let party = || barrier.wait().unwrap().is_leader();
///     let parties = [scope.spawn(party), scope.spawn(party), scope.spawn(party)];
///     parties.into_iter().filter_map(|party| party.join().ok()).filter(|leads| *leads).count()
/// });
/// assert_eq!(leaders, 1);
/// ```
///
/// # References
///
/// - [pthread_barrier_wait(3p)](https://man7.org/linux/man-pages/man3/pthread_barrier_wait.3p.html)
/// - Python's [threading.Barrier](https://docs.python.org/3/library/threading.html#barrier-objects)
#[doc(alias = "pthread_barrier_t")]
#[derive(FromBytes)]
#[repr(C)]
pub struct Barrier {
    word: WideFutex,
    parties: AtomicU32,
    unused: Padding,
}

impl Barrier {
    const_fn! {
        /// Of so many parties.
        ///
        /// # Examples
        ///
        /// See [`Barrier`].
        #[must_use]
        pub const fn new(parties: u16) -> Self {
            Self {
                word: WideFutex::new(0),
                parties: AtomicU32::new(parties as u32),
                unused: Padding::new(),
            }
        }
    }

    /// Comes, and waits until all have come.
    ///
    /// # Errors
    ///
    /// [`Broken`] if the barrier is, or is before all have come.
    ///
    /// # Examples
    ///
    /// See [`Barrier`].
    ///
    /// # References
    ///
    /// - [pthread_barrier_wait(3p)](https://man7.org/linux/man-pages/man3/pthread_barrier_wait.3p.html)
    #[doc(alias = "pthread_barrier_wait")]
    pub fn wait(&self) -> Result<BarrierWaitResult, Broken> {
        self.wait_until(Deadline::NEVER).map_err(|_| Broken)
    }

    /// As [`wait`](Self::wait), if it is the last to come; otherwise it does not come: `None`.
    ///
    /// # Errors
    ///
    /// [`Broken`] if the barrier is.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Barrier;
    ///
    /// let two = Barrier::new(2);
    /// assert_eq!(two.try_wait(), Ok(None));
    /// let one = Barrier::new(1);
    /// assert!(one.try_wait().is_ok_and(|last| last.is_some()));
    /// ```
    pub fn try_wait(&self) -> Result<Option<BarrierWaitResult>, Broken> {
        let mut word = self.word.load(Acquire);
        loop {
            let state = State::unpack(word);
            if state.is_broken {
                return Err(Broken);
            }
            if !self.is_last(state) {
                return Ok(None);
            }
            match self.change(word, state.next(true)) {
                Ok(()) => return Ok(Some(self.lead(state))),
                Err(now) => word = now,
            }
        }
    }

    /// As [`wait`](Self::wait), but gives up at a deadline, and breaks the barrier then.
    ///
    /// # Errors
    ///
    /// [`BarrierError`] says which.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::sync::{Barrier, Broken, BarrierError};
    ///
    /// let barrier = Barrier::new(2);
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(barrier.wait_until(soon), Err(BarrierError::TimedOut));
    /// assert_eq!(barrier.wait(), Err(Broken));
    /// barrier.reset();
    /// assert!(!barrier.is_broken());
    /// ```
    pub fn wait_until(&self, by: Deadline) -> Result<BarrierWaitResult, BarrierError> {
        let mut word = self.word.load(Acquire);
        loop {
            let state = State::unpack(word);
            if state.is_broken {
                return Err(BarrierError::Broken);
            }
            if self.is_last(state) {
                match self.change(word, state.next(true)) {
                    Ok(()) => return Ok(self.lead(state)),
                    Err(now) => word = now,
                }
                continue;
            }
            // Below the number of parties, so that it cannot overflow.
            let arrived = State { arrived: state.arrived.wrapping_add(1), ..state };
            match self.change(word, arrived) {
                Ok(()) => return self.sleep(arrived, by),
                Err(now) => word = now,
            }
        }
    }

    /// Breaks the barrier: who waits now learns it, and who comes, until it is reset.
    ///
    /// Whoever learns it sees what was done before.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::{Barrier, Broken};
    ///
    /// let barrier = Barrier::new(2);
    /// barrier.abort();
    /// assert!(barrier.is_broken());
    /// assert_eq!(barrier.wait(), Err(Broken));
    /// ```
    pub fn abort(&self) {
        let _given = self.end_turn(|state| {
            (!state.is_broken).then(|| State { is_broken: true, ..state.next(false) })
        });
    }

    /// Makes it as new: who waits now learns that it was broken; who comes begins a turn.
    ///
    /// # Examples
    ///
    /// See [`wait_until`](Self::wait_until).
    pub fn reset(&self) {
        let _given = self.end_turn(|state| {
            let anew = if state.arrived == 0 { state } else { state.next(false) };
            Some(State { is_broken: false, ..anew })
        });
    }

    /// Whether it is broken: may be reset by the time that one knows.
    ///
    /// # Examples
    ///
    /// See [`abort`](Self::abort) and [`wait_until`](Self::wait_until).
    #[must_use]
    pub fn is_broken(&self) -> bool {
        State::unpack(self.word.load(Relaxed)).is_broken
    }

    /// How many wait: may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// assert_eq!((barrier.waiting(), barrier.parties()), (0, 2));
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| barrier.wait());
    ///     while barrier.waiting() == 0 {
    ///         std::thread::yield_now();
    ///     }
    ///     assert!(barrier.wait().is_ok_and(|last| last.is_leader()));
    /// });
    /// ```
    #[must_use]
    pub fn waiting(&self) -> u16 {
        State::unpack(self.word.load(Relaxed)).arrived
    }

    /// How many have to come.
    ///
    /// # Examples
    ///
    /// See [`waiting`](Self::waiting).
    #[must_use]
    pub fn parties(&self) -> u16 {
        u16::try_from(self.parties.load(Relaxed)).unwrap_or(u16::MAX)
    }

    /// Whether whoever comes now is the last.
    fn is_last(&self, state: State) -> bool {
        state.arrived >= self.parties().saturating_sub(1)
    }

    /// Release pairs with the Acquire of each look at the word: who comes last sees what all have
    /// done before they came, and all see it by way of the turn that it begins. No Acquire here: to
    /// come changes the word for good, so that one that is the same still was looked at before.
    fn change(&self, word: u64, to: State) -> Result<(), u64> {
        self.word.compare_exchange_weak(word, to.pack(), Release, Acquire).map(drop)
    }

    /// Ends a turn before all have come, and wakes those who have; unless `end` finds nothing to
    /// do. Release pairs with the Acquire of whoever learns it.
    fn end_turn(&self, mut end: impl FnMut(State) -> Option<State>) -> Result<u64, u64> {
        let end = |word| end(State::unpack(word)).map(State::pack);
        let ended = self.word.fetch_update(Release, Relaxed, end)?;
        if State::unpack(ended).arrived != 0 {
            self.word.wake(ALL);
        }
        Ok(ended)
    }

    /// By the last to come, who has ended the turn of `mine`.
    fn lead(&self, mine: State) -> BarrierWaitResult {
        if mine.arrived != 0 {
            self.word.wake(ALL);
        }
        BarrierWaitResult { is_leader: true }
    }

    /// Having arrived in the turn of `mine`, sleeps until that has ended.
    fn sleep(&self, mine: State, by: Deadline) -> Result<BarrierWaitResult, BarrierError> {
        let end = || State::unpack(self.word.load(Acquire)).end_of(mine);
        let mut ended = SPINNER.spin(by, end);
        loop {
            if let Some(end) = ended {
                return end.map(|()| BarrierWaitResult { is_leader: false }).map_err(Into::into);
            }
            let sleep = self.word.wait(mine.low(), by);
            ended = end();
            if sleep == Sleep::TimedOut && ended.is_none() {
                let give_up = |state: State| match state.end_of(mine) {
                    None => Some(State { is_broken: true, ..state.next(false) }),
                    // In the nick of time.
                    Some(_) => None,
                };
                self.end_turn(give_up).map_or(Ok(()), |_| Err(BarrierError::TimedOut))?;
            }
        }
    }
}

// SAFETY: `repr(C)`, of a futex that is shared between processes and numbers, all of any bits; what
// changes is atomic. Zero is a barrier that nobody waits at.
#[allow(unsafe_code, reason = "a promise about layout; see SAFETY.md")]
unsafe impl ShmSafe for Barrier {}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties())
            .field("waiting", &self.waiting())
            .field("is_broken", &self.is_broken())
            .finish()
    }
}

/// That all have come to a [`Barrier`].
///
/// # Examples
///
/// See [`Barrier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Whether this is the one that came last, of all that have waited together: to do what one of
    /// them has to do.
    ///
    /// # Examples
    ///
    /// See [`Barrier`].
    #[doc(alias = "PTHREAD_BARRIER_SERIAL_THREAD")]
    #[must_use]
    pub const fn is_leader(self) -> bool {
        self.is_leader
    }
}

/// A [`Barrier`] was aborted, or reset, or one of the others gave up, before all had come.
///
/// # Examples
///
/// See [`Barrier::abort`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier is broken")
    }
}

impl core::error::Error for Broken {}

/// Why one did not get past a [`Barrier`].
///
/// # Examples
///
/// See [`Barrier::wait_until`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BarrierError {
    /// As [`struct@Broken`].
    Broken,
    /// Not all had come by the deadline; the barrier is broken now.
    TimedOut,
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => Broken.fmt(f),
            Self::TimedOut => TimedOut.fmt(f),
        }
    }
}

impl core::error::Error for BarrierError {}

impl From<Broken> for BarrierError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

real_only! {
    static_assertions::assert_eq_size!(Barrier, [u64; 2]);
    static_assertions::const_assert_eq!(core::mem::offset_of!(Barrier, parties), 8);
    static_assertions::assert_impl_all!(Barrier: ShmSafe, Send, Sync);
}
