//! The version that loom explores: its atomics, and a futex of its mutex and condition variable.
//!
//! What it leaves out: time (a wait with a deadline may end at any moment, a wait without one never
//! does), the slices of a long sleep (so that nothing relies on them; only of one whose deadline is
//! days away, the first ends), stray wakes, and spinning (one look). Its lock orders more than the
//! kernel promises, but only where somebody sleeps: in the schedules in which nobody does, each
//! ordering stands on its own.

#![allow(unsafe_code, reason = "references from cells; see SAFETY.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is how a model fails"
)]

extern crate std;

use core::hash::{Hash as _, Hasher as _};
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::time::Duration;
use std::hash::DefaultHasher;

pub(crate) use loom::hint::spin_loop as pause;
pub(crate) use loom::sync::atomic::fence;
use loom::sync::{Condvar, Mutex, atomic};
use zerocopy::FromBytes;

use super::Sleep;
use crate::Deadline;
use crate::shm::plain::Plain;
use crate::sys::futex;

/// One of loom's own.
///
/// `FromBytes`, as the real one is, so that the types made of it are: `zerocopy` takes it that
/// uninitialised memory is of any bytes. Nothing is made from bytes in a model; all are from `new`.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Modelled<T>(MaybeUninit<T>);

impl<T> Modelled<T> {
    fn new(inner: T) -> Self {
        Self(MaybeUninit::new(inner))
    }

    fn into_inner(self) -> T {
        // SAFETY: initialised by `new`, the only way to one of these in a model.
        unsafe { self.0.assume_init() }
    }
}

impl<T> Deref for Modelled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: initialised by `new`, the only way to one of these in a model.
        unsafe { self.0.assume_init_ref() }
    }
}

macro_rules! atomics {
    ($($name:ident: $value:ty),*) => {$(
        #[derive(FromBytes)]
        #[repr(transparent)]
        pub(crate) struct $name(Modelled<atomic::$name>);

        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self(Modelled::new(atomic::$name::new(value)))
            }
        }

        impl Deref for $name {
            type Target = atomic::$name;

            fn deref(&self) -> &atomic::$name {
                &self.0
            }
        }
    )*};
}
atomics!(AtomicU32: u32, AtomicU64: u64);

impl AtomicU64 {
    pub(crate) fn into_inner(self) -> u64 {
        self.0.into_inner().into_inner()
    }
}

/// A word of 32 bits on which one can sleep until it changes.
#[derive(FromBytes)]
#[repr(C)]
pub(crate) struct Futex {
    word: AtomicU32,
    sleepers: Sleepers,
}

impl Futex {
    pub(crate) fn new(value: u32) -> Self {
        Self { word: AtomicU32::new(value), sleepers: Sleepers::new() }
    }

    pub(crate) fn wait(&self, expected: u32, by: Deadline) -> Sleep {
        self.sleepers.wait(|| self.word.load(Relaxed) == expected, by)
    }

    pub(crate) fn wake(&self, most: u32) -> usize {
        self.sleepers.wake(most)
    }
}

impl Deref for Futex {
    type Target = AtomicU32;

    fn deref(&self) -> &AtomicU32 {
        &self.word
    }
}

/// A word of 64 bits, on whose low half one can sleep until that changes.
#[derive(FromBytes)]
#[repr(C)]
pub(crate) struct WideFutex {
    word: AtomicU64,
    sleepers: Sleepers,
}

impl WideFutex {
    pub(crate) fn new(value: u64) -> Self {
        Self { word: AtomicU64::new(value), sleepers: Sleepers::new() }
    }

    pub(crate) fn wait(&self, expected: u32, by: Deadline) -> Sleep {
        let low = || self.word.load(Relaxed) & u64::from(u32::MAX);
        self.sleepers.wait(|| low() == u64::from(expected), by)
    }

    pub(crate) fn wake(&self, most: u32) -> usize {
        self.sleepers.wake(most)
    }
}

impl Deref for WideFutex {
    type Target = AtomicU64;

    fn deref(&self) -> &AtomicU64 {
        &self.word
    }
}

/// The kernel's side of a futex: who sleeps, and who of them has been woken.
///
/// As in the kernel, a wake counts those whom it wakes, and it goes to who slept then: who comes
/// later cannot take it, and who gives up at the same moment has either been woken or not.
#[derive(FromBytes)]
#[repr(C)]
struct Sleepers {
    bed: Modelled<Mutex<Bed>>,
    change: Modelled<Condvar>,
}

struct Bed {
    places: [Place; MOST_SLEEPERS],
    /// Whether a slice has ended; more of them would only do the same again.
    has_sliced: bool,
}

/// What this stands in for, which is not dead code for that.
const _: () = {
    let _ = (futex::wait, futex::wake);
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
    let _ = crate::sys::copy::copy;
};

/// As many threads as loom can model, and one more.
const MOST_SLEEPERS: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Empty,
    Asleep,
    Woken,
}

/// What is later is for a wait that ends, but not while the model runs.
const DAYS: Duration = Duration::from_secs(1 << 20);

impl Sleepers {
    fn new() -> Self {
        let bed = Bed { places: [Place::Empty; MOST_SLEEPERS], has_sliced: false };
        Self { bed: Modelled::new(Mutex::new(bed)), change: Modelled::new(Condvar::new()) }
    }

    /// Looks at the word under the lock, so that no wake comes between the look and the sleep.
    fn wait(&self, is_expected: impl Fn() -> bool, by: Deadline) -> Sleep {
        let mut bed = self.bed.lock().unwrap();
        if !is_expected() {
            return Sleep::Vain;
        }
        let is_empty = |&place: &Place| place == Place::Empty;
        let mine = bed.places.iter().position(is_empty).expect("a place for every thread");
        bed.places[mine] = Place::Asleep;
        let is_late = by > Deadline::after(DAYS);
        let ends_as = match by {
            Deadline::NEVER => Sleep::Woken,
            _ if is_late && bed.has_sliced => Sleep::Woken,
            _ if is_late => Sleep::Sliced,
            _ => Sleep::TimedOut,
        };
        if ends_as == Sleep::Woken {
            while bed.places[mine] != Place::Woken {
                bed = self.change.wait(bed).unwrap();
            }
        } else {
            // The time is up as soon as this thread runs again: in some schedules before a wake, in
            // some after it.
            drop(bed);
            bed = self.bed.lock().unwrap();
        }
        if core::mem::replace(&mut bed.places[mine], Place::Empty) == Place::Woken {
            return Sleep::Woken;
        }
        bed.has_sliced |= ends_as == Sleep::Sliced;
        ends_as
    }

    fn wake(&self, most: u32) -> usize {
        let mut bed = self.bed.lock().unwrap();
        let asleep = bed.places.iter_mut().filter(|place| **place == Place::Asleep);
        let woken = asleep.take(most as usize).map(|place| *place = Place::Woken).count();
        if woken > 0 {
            self.change.notify_all();
        }
        woken
    }
}

/// A cell of which loom knows who reads and who writes it.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct UnsafeCell<T>(Modelled<loom::cell::UnsafeCell<T>>);

impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Modelled::new(loom::cell::UnsafeCell::new(value)))
    }

    /// # Safety
    ///
    /// Nobody has a `&mut` to the value for as long as the reference lives.
    pub(crate) unsafe fn as_ref(&self) -> &T {
        // SAFETY: of a cell, so never null, aligned and initialised; the caller keeps writers away.
        self.0.with(|value| unsafe { &*value })
    }

    /// # Safety
    ///
    /// Nobody else has any reference to the value for as long as this one lives.
    #[allow(clippy::mut_from_ref, reason = "as the cell's own get")]
    pub(crate) unsafe fn as_mut(&self) -> &mut T {
        // SAFETY: of a cell, so never null, aligned and initialised; the caller keeps others away.
        self.0.with_mut(|value| unsafe { &mut *value })
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        // SAFETY: `&mut self`: nobody else has a reference.
        unsafe { self.as_mut() }
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().into_inner()
    }
}

/// What is copied, with all its bytes at once: loom sees to it that nobody does so while another
/// writes there.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Payload<T>(Modelled<loom::cell::UnsafeCell<MaybeUninit<T>>>);

// SAFETY: loom tells who reads while another writes.
unsafe impl<T: Send> Sync for Payload<T> {}

impl<T> Payload<T> {
    pub(crate) fn new() -> Self {
        Self(Modelled::new(loom::cell::UnsafeCell::new(MaybeUninit::zeroed())))
    }

    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0.with_mut(<*mut MaybeUninit<T>>::cast)
    }
}

impl<T: Plain> Payload<T> {
    pub(crate) fn store(&self, value: &T) {
        // SAFETY: of a cell, so never null and aligned; that nobody else uses it, loom sees to.
        self.0.with_mut(|room| unsafe { room.write(MaybeUninit::new(*value)) });
    }

    pub(crate) fn load(&self) -> T {
        // SAFETY: as in `store`; zero or stored, either of which is a `T`.
        self.0.with(|room| unsafe { room.cast::<T>().read() })
    }

    pub(crate) fn load_into(&self, value: &mut T) {
        *value = self.load();
    }
}

/// As many words as fit into `BYTES`, next to each other in a circle.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Region<const BYTES: usize>([Spot; BYTES]);

/// A word. (There is one for each byte, of which those beyond the last word are never made.)
#[derive(FromBytes)]
#[repr(C)]
struct Spot {
    word: AtomicU64,
    /// By which loom sees to it that nobody copies in while another copies in or out.
    copies: Modelled<loom::cell::UnsafeCell<()>>,
}

// SAFETY: loom tells who reads while another writes.
unsafe impl<const BYTES: usize> Sync for Region<BYTES> {}

impl Spot {
    fn new() -> Self {
        let copies = Modelled::new(loom::cell::UnsafeCell::new(()));
        Self { word: AtomicU64::new(0), copies }
    }

    const fn unused() -> Self {
        let word = AtomicU64(Modelled(MaybeUninit::uninit()));
        Self { word, copies: Modelled(MaybeUninit::uninit()) }
    }
}

impl<const BYTES: usize> Region<BYTES> {
    const WORDS: usize = {
        assert!(BYTES.is_power_of_two() && BYTES >= size_of::<u64>(), "a power of two, in words");
        BYTES / size_of::<u64>()
    };

    pub(crate) fn new() -> Self {
        let spot = |number| if number < Self::WORDS { Spot::new() } else { Spot::unused() };
        Self(core::array::from_fn(spot))
    }

    /// Nothing that a model may use.
    pub(crate) const fn as_ptr(&self) -> *mut u8 {
        self.0.as_ptr().cast_mut().cast()
    }

    #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    fn spot(&self, position: u64) -> &Spot {
        &self.0[(position / 8) as usize & Self::WORDS.wrapping_sub(1)]
    }

    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        &self.spot(position).word
    }

    pub(crate) fn read(&self, position: u64) -> u64 {
        let spot = self.spot(position);
        spot.copies.with(|_| spot.word.load(Relaxed))
    }

    pub(crate) fn write(&self, position: u64, value: u64) {
        let spot = self.spot(position);
        spot.copies.with_mut(|_| spot.word.store(value, Relaxed));
    }
}

/// With [`heavy_fence`] on the other side; both are the same here, as what sets them apart is how
/// they are done.
pub(crate) fn light_fence() {
    fence(SeqCst);
}

/// With [`light_fence`] on the other side.
pub(crate) fn heavy_fence() {
    fence(SeqCst);
}

/// Does without: one look, as spinning is nothing else.
pub(crate) struct Spinner;

impl Spinner {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) const fn backing_off() -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "as the real one")]
    pub(crate) fn spin<T>(&self, _: Deadline, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        attempt()
    }

    pub(crate) fn spin_seldom<T>(
        &self,
        _: u32,
        by: Deadline,
        attempt: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        self.spin(by, attempt)
    }
}

/// Of a modelled thread.
pub(crate) fn thread_id() -> u32 {
    let mut hasher = DefaultHasher::new();
    loom::thread::current().id().hash(&mut hasher);
    let [a, b, c, d, ..] = hasher.finish().to_ne_bytes();
    // As few bits as the real ones have.
    (u32::from_ne_bytes([a, b, c, d]) >> 10) | 1
}
