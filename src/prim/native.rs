//! The real version: the core atomics, and the kernel's futex, shared between processes.

#![allow(unsafe_code, reason = "references from cells; see SAFETY.md")]

use core::cell;
pub(crate) use core::hint::spin_loop as pause;
use core::ops::Deref;
use core::slice;
use core::sync::atomic::Ordering::Relaxed;
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, fence};
use core::time::Duration;

use rustix::event::{Timespec, poll};
use zerocopy::FromBytes;

use super::Sleep;
use crate::sys::futex;
use crate::{Deadline, Errno};

/// A word of 32 bits on which one can sleep until it changes.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Futex(AtomicU32);

impl Futex {
    pub(crate) const fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }

    /// Sleeps while the word is `expected`, until `by` at the latest.
    pub(crate) fn wait(&self, expected: u32, by: Deadline) -> Sleep {
        wait(self.0.as_ptr(), expected, by)
    }

    /// Wakes up to so many sleepers, and says how many.
    pub(crate) fn wake(&self, most: u32) -> usize {
        wake(self.0.as_ptr(), most)
    }
}

impl Deref for Futex {
    type Target = AtomicU32;

    fn deref(&self) -> &AtomicU32 {
        &self.0
    }
}

/// A word of 64 bits, on whose low half one can sleep until that changes.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct WideFutex(AtomicU64);

impl WideFutex {
    pub(crate) const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// Sleeps while the low half is `expected`, until `by` at the latest.
    pub(crate) fn wait(&self, expected: u32, by: Deadline) -> Sleep {
        wait(self.low(), expected, by)
    }

    /// Wakes up to so many sleepers, and says how many.
    pub(crate) fn wake(&self, most: u32) -> usize {
        wake(self.low(), most)
    }

    /// The address of the low half, for the kernel only: here it is used whole or not at all.
    fn low(&self) -> *const u32 {
        let halves = self.0.as_ptr().cast::<u32>();
        halves.wrapping_add(usize::from(cfg!(target_endian = "big")))
    }
}

impl Deref for WideFutex {
    type Target = AtomicU64;

    fn deref(&self) -> &AtomicU64 {
        &self.0
    }
}

/// How long anybody sleeps without looking again.
const SLICE: Duration = Duration::from_secs(1);

fn wait(word: *const u32, expected: u32, by: Deadline) -> Sleep {
    let left = by.remaining().filter(|&left| left <= SLICE);
    if left == Some(Duration::ZERO) {
        // Also where a peer changes the word all the time, so that nobody ever sleeps. And even
        // with no time left, the kernel would sleep: for as long as its timers are slack.
        return Sleep::TimedOut;
    }
    // At most a second: both conversions hold.
    let slice = left.unwrap_or(SLICE);
    let timeout = Timespec {
        tv_sec: i32::try_from(slice.as_secs()).unwrap_or(1).into(),
        tv_nsec: slice.subsec_nanos().into(),
    };
    match futex::wait(word, expected, &timeout) {
        Ok(()) => Sleep::Woken,
        Err(Errno::AGAIN | Errno::INTR) => Sleep::Vain,
        Err(Errno::TIMEDOUT) if left.is_some() => Sleep::TimedOut,
        Err(Errno::TIMEDOUT) => Sleep::Sliced,
        Err(_) => sleep_without(),
    }
}

/// Where the kernel lets nobody sleep on that word (a filter of system calls, memory that is no
/// more): looks again now and then, which is slow, but neither wrong nor a busy loop.
#[cold]
fn sleep_without() -> Sleep {
    const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
    let _a_signal = poll(&mut [], Some(&MOMENT));
    Sleep::Sliced
}

fn wake(word: *const u32, most: u32) -> usize {
    // Fails only where the word is gone, and with it whoever slept there.
    futex::wake(word, most).unwrap_or_default()
}

/// [`cell::UnsafeCell`], with the accessors that loom can follow.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct UnsafeCell<T>(cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(cell::UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// Nobody has a `&mut` to the value for as long as the reference lives.
    #[inline]
    pub(crate) unsafe fn as_ref(&self) -> &T {
        // SAFETY: of a cell, so never null, aligned and initialised; the caller keeps writers away.
        unsafe { &*self.0.get() }
    }

    /// # Safety
    ///
    /// Nobody else has any reference to the value for as long as this one lives.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "as the cell's own get")]
    pub(crate) unsafe fn as_mut(&self) -> &mut T {
        // SAFETY: of a cell, so never null, aligned and initialised; the caller keeps others away.
        unsafe { &mut *self.0.get() }
    }

    pub(crate) const fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// `BYTES` of memory, a power of two, of which each word is always read and written at once:
/// whoever breaks the rules of what it is part of can make them wrong, and nothing else.
///
/// Whatever position is asked for, it is taken modulo `BYTES`.
#[derive(FromBytes)]
#[repr(C, align(8))]
pub(crate) struct Region<const BYTES: usize>(cell::UnsafeCell<[u8; BYTES]>);

// SAFETY: bytes of any bits, which are used as atomic words (or by an instruction which takes them
// as they come).
unsafe impl<const BYTES: usize> Sync for Region<BYTES> {}

impl<const BYTES: usize> Region<BYTES> {
    const WORDS: usize = {
        assert!(BYTES.is_power_of_two() && BYTES >= size_of::<u64>(), "a power of two, in words");
        BYTES / size_of::<u64>()
    };

    /// All zero.
    pub(crate) const fn new() -> Self {
        Self(cell::UnsafeCell::new([0; BYTES]))
    }

    /// The first byte.
    #[inline]
    pub(crate) const fn as_ptr(&self) -> *mut u8 {
        self.0.get().cast()
    }

    /// The word that the byte at that position is in.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "the remainder is less than what it is divided by")]
    #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        // SAFETY: of a cell, so never null; aligned, and so many words long, as `repr` and `WORDS`
        // say; of any bits, and initialised, as shared memory always is, or by `new`.
        let words = unsafe { slice::from_raw_parts(self.0.get().cast(), Self::WORDS) };
        &words[(position / 8) as usize & Self::WORDS.wrapping_sub(1)]
    }

    /// That word, as part of what is copied out.
    #[inline]
    pub(crate) fn read(&self, position: u64) -> u64 {
        self.word(position).load(Relaxed)
    }

    /// That word, as part of what is copied in.
    #[inline]
    pub(crate) fn write(&self, position: u64, value: u64) {
        self.word(position).store(value, Relaxed);
    }
}
