//! [`RawRwLock`]: the words in which a reader-writer lock is, without what it protects.
//!
//! `state` counts the readers; all ones there is a writer. Two flags above say who may sleep:
//! readers on `state` itself, writers on a word of their own, so that one of them can be woken
//! without the readers.
//!
//! Whoever unlocks takes both flags away, wakes one writer, and only if there was none all readers.
//! So a woken writer has the readers to care for: it takes the lock, or sleeps again, with both
//! flags set. A writer that gives up may have been the only one to keep readers out: it takes both
//! flags away and wakes as if it had unlocked, and whoever has to wait on sets its flag again.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{ALL, Futex, Sleep, Spinner, const_fn};

const READER: u32 = 1;
const WRITER: u32 = (1 << 30) - 1;
/// The bits in which either is counted.
const HOLDERS: u32 = WRITER;
const MOST_READERS: u32 = WRITER - 1;
const READERS_WAIT: u32 = 1 << 30;
const WRITERS_WAIT: u32 = 1 << 31;

const fn is_free(state: u32) -> bool {
    state & HOLDERS == 0
}

/// Whether there is no writer, and room for a reader.
const fn has_room(state: u32) -> bool {
    state & HOLDERS < MOST_READERS
}

/// Whether a reader may come in, who lets writers go first.
const fn is_open(state: u32) -> bool {
    has_room(state) && state & WRITERS_WAIT == 0
}

static READ_SPINNER: Spinner = Spinner::new();
static WRITE_SPINNER: Spinner = Spinner::backing_off();

#[derive(FromBytes)]
#[repr(C)]
pub(super) struct RawRwLock {
    state: Futex,
    /// Counts the wakes of writers.
    writers: Futex,
}

impl RawRwLock {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self { state: Futex::new(0), writers: Futex::new(0) }
        }
    }

    #[inline]
    pub(super) fn try_read(&self) -> bool {
        let mut state = self.state.load(Relaxed);
        while is_open(state) {
            // Below the most that there can be: nothing is carried into the flags. Acquire pairs
            // with the Release of the last writer: what it wrote is seen.
            let more = state.wrapping_add(READER);
            match self.state.compare_exchange_weak(state, more, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    #[inline]
    pub(super) fn read_until(&self, by: Deadline) -> Result<(), TimedOut> {
        if self.try_read() { Ok(()) } else { self.read_slow(by) }
    }

    #[cold]
    fn read_slow(&self, by: Deadline) -> Result<(), TimedOut> {
        if READ_SPINNER.spin(by, || self.try_read().then_some(())).is_some() {
            return Ok(());
        }
        let mut sleep = Sleep::Vain;
        loop {
            if self.try_read() {
                return Ok(());
            }
            if sleep == Sleep::TimedOut {
                return Err(TimedOut);
            }
            if sleep == Sleep::Sliced {
                self.doubt_writers();
                sleep = Sleep::Vain;
                continue;
            }
            let state = self.state.load(Relaxed);
            if is_open(state) || !self.has_flags(state, READERS_WAIT) {
                continue;
            }
            sleep = self.state.wait(state | READERS_WAIT, by);
        }
    }

    /// By a reader that has let writers go first for long: they may have been killed while they
    /// waited. Those that live set the flag again.
    #[cold]
    fn doubt_writers(&self) {
        self.state.fetch_and(!WRITERS_WAIT, Relaxed);
        // Release: see write_slow.
        self.writers.fetch_add(1, Release);
        self.writers.wake(ALL);
    }

    /// By a reader.
    #[inline]
    pub(super) fn read_unlock(&self) {
        // Release pairs with the Acquire of the next writer: what was read has been read.
        let state = self.state.fetch_sub(READER, Release).wrapping_sub(READER);
        if is_free(state) && state != 0 {
            self.wake(state);
        }
    }

    #[inline]
    pub(super) fn try_write(&self) -> bool {
        let mut state = 0;
        // Free, it has flags only while somebody is about to wake, or was killed before that.
        while is_free(state) {
            // Acquire pairs with the Release of the readers, and of the last writer.
            match self.state.compare_exchange(state, state | WRITER, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    #[inline]
    pub(super) fn write_until(&self, by: Deadline) -> Result<(), TimedOut> {
        if self.try_write() { Ok(()) } else { self.write_slow(by) }
    }

    #[cold]
    fn write_slow(&self, by: Deadline) -> Result<(), TimedOut> {
        let attempt = || (is_free(self.state.load(Relaxed)) && self.try_write()).then_some(());
        if WRITE_SPINNER.spin(by, attempt).is_some() {
            return Ok(());
        }
        let mut sleep = Sleep::Vain;
        // What is left set, whether this takes the lock or sleeps.
        let mut flags = 0;
        loop {
            let state = self.state.load(Relaxed);
            if is_free(state) {
                // Acquire as in try_write.
                let taken = state | WRITER | flags;
                if self.state.compare_exchange_weak(state, taken, Acquire, Relaxed).is_ok() {
                    return Ok(());
                }
                continue;
            }
            if sleep == Sleep::TimedOut {
                let state = self.state.fetch_and(HOLDERS, Relaxed);
                self.wake_waiting(state);
                return Err(TimedOut);
            }
            // Before this sleeps for the first time, it has been woken by nobody.
            if !self.has_flags(state, if flags == 0 { WRITERS_WAIT } else { flags }) {
                continue;
            }
            flags = WRITERS_WAIT | READERS_WAIT;
            // Acquire pairs with the Release of who wakes writers: who sees that they were woken
            // sees also that the flags were taken away, and looks again instead of
            // sleeping.
            let seen = self.writers.load(Acquire);
            let state = self.state.load(Relaxed);
            if is_free(state) || state & WRITERS_WAIT == 0 {
                continue;
            }
            sleep = self.writers.wait(seen, by);
        }
    }

    /// By a writer.
    #[inline]
    pub(super) fn write_unlock(&self) {
        // Release pairs with the Acquire of whoever comes next: it sees what was written.
        let state = self.state.fetch_sub(WRITER, Release).wrapping_sub(WRITER);
        if state != 0 {
            self.wake(state);
        }
    }

    /// Makes the writer a reader, before any other writer can come in.
    pub(super) fn downgrade(&self) {
        const DIFFERENCE: u32 = WRITER - READER;
        // Release as in write_unlock, for the readers that now come in.
        let state = self.state.fetch_sub(DIFFERENCE, Release).wrapping_sub(DIFFERENCE);
        if state & READERS_WAIT != 0 {
            self.wake(state);
        }
    }

    /// Makes sure that `flags` are set, and says whether they are: not, if the state has changed.
    fn has_flags(&self, state: u32, flags: u32) -> bool {
        let flagged = state | flags;
        flagged == state
            || self.state.compare_exchange_weak(state, flagged, Relaxed, Relaxed).is_ok()
    }

    /// Wakes who can get on now, unless that has become another's business.
    #[cold]
    fn wake(&self, mut state: u32) {
        loop {
            let left = match state & (READERS_WAIT | WRITERS_WAIT) {
                READERS_WAIT if has_room(state) => state & !READERS_WAIT,
                _ if is_free(state) => 0,
                // Whoever holds it now wakes when it unlocks.
                _ => return,
            };
            match self.state.compare_exchange_weak(state, left, Relaxed, Relaxed) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        self.wake_waiting(state);
    }

    /// Wakes a writer, or else all readers, where the flags that were taken away say so.
    fn wake_waiting(&self, state: u32) {
        if state & WRITERS_WAIT != 0 {
            // Release: see write_slow.
            self.writers.fetch_add(1, Release);
            if self.writers.wake(1) > 0 {
                return;
            }
        }
        if state & READERS_WAIT != 0 {
            self.state.wake(ALL);
        }
    }

    pub(super) fn is_locked(&self) -> bool {
        !is_free(self.state.load(Relaxed))
    }

    pub(super) fn is_write_locked(&self) -> bool {
        self.state.load(Relaxed) & HOLDERS == WRITER
    }
}
