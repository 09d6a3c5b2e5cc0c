//! [`Claim`]: whose a place is that only one at a time may use.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use super::{AtomicU32, const_fn};

const FREE: u32 = 0;
const TAKEN: u32 = 1;

/// Whether somebody has it: at most one, as long as all keep to it.
#[derive(FromBytes)]
#[repr(transparent)]
pub(crate) struct Claim(AtomicU32);

impl Claim {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self(AtomicU32::new(FREE))
        }
    }

    /// Takes it, if it is free.
    pub(crate) fn take(&self) -> bool {
        // Acquire pairs with the Release in give_back: what the last one left is seen.
        self.0.compare_exchange(FREE, TAKEN, Acquire, Relaxed).is_ok()
    }

    /// Takes it from whoever had it.
    pub(crate) fn seize(&self) {
        self.0.swap(TAKEN, Acquire);
    }

    pub(crate) fn give_back(&self) {
        self.0.store(FREE, Release);
    }
}
