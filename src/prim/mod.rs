//! What locks in shared memory are made of: atomics, a cell, a futex, and spinning before it; in
//! two versions, the real one and the one that loom explores. The only place that knows which.
//!
//! Orderings are those of the C11 model. All operations on atomics may race with those of other
//! processes, which the model treats as threads.

use core::sync::atomic::AtomicU32 as Word;

use zerocopy::FromBytes;

#[cfg(not(loom))]
mod fences;
#[cfg(not(loom))]
mod native;
#[cfg(not(loom))]
mod payload;
mod region;
#[cfg(not(loom))]
mod spin;
#[cfg(not(loom))]
mod thread;
#[cfg(not(loom))]
pub(crate) use {fences::*, native::*, payload::Payload, spin::Spinner, thread::thread_id};

#[cfg(loom)]
mod model;
#[cfg(loom)]
pub(crate) use model::*;

mod claim;
pub(crate) use claim::Claim;

/// What ended a sleep on a futex. Never proof of anything: look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleep {
    /// A wake.
    Woken,
    /// A word that was another already, or a signal: nobody's wake has been used up.
    Vain,
    /// The time after which every sleeper looks again by itself, as a wake that was meant for it
    /// may have gone to a process that was killed before it could act on it.
    Sliced,
    /// The deadline.
    TimedOut,
}

/// Bytes between others, which mean nothing. A peer may write there all the same: so they are
/// atomic.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Padding(Word);

impl Padding {
    pub(crate) const fn new() -> Self {
        Self(Word::new(0))
    }
}

/// All who sleep.
pub(crate) const ALL: u32 = i32::MAX.unsigned_abs();

/// A `const fn`; under loom, whose atomics are registered when they are made, only a `fn`.
macro_rules! const_fn {
    ($(#[$attribute:meta])* $visibility:vis const fn $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$attribute])*
        $visibility const fn $($rest)*

        #[cfg(loom)]
        $(#[$attribute])*
        #[allow(clippy::cast_lossless, reason = "without `as` it could not be const")]
        $visibility fn $($rest)*
    };
}
pub(crate) use const_fn;

/// What there is, and holds, in the real version only: layouts, above all.
macro_rules! real_only {
    ($($item:item)*) => { $(#[cfg(not(loom))] $item)* };
}
pub(crate) use real_only;

/// As many of the same as it says; under loom made one by one.
macro_rules! array {
    ($element:expr; $count:expr) => {{
        #[cfg(not(loom))]
        let all = [const { $element }; $count];
        #[cfg(loom)]
        let all = core::array::from_fn::<_, { $count }, _>(|_| $element);
        all
    }};
}
pub(crate) use array;
