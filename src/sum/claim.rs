//! [`Claim`]: whose a lane is.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use zerocopy::FromBytes;

use crate::prim::{AtomicU32, const_fn};

const FREE: u32 = 0;
const TAKEN: u32 = 1;

/// Whether an adder has a lane: at most one, as long as all keep to it.
#[derive(FromBytes)]
#[repr(transparent)]
pub(super) struct Claim(AtomicU32);

impl Claim {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self(AtomicU32::new(FREE))
        }
    }

    /// Takes it, if it is free.
    pub(super) fn take(&self) -> bool {
        // Acquire pairs with the Release in give_back: what the last adder left is seen.
        self.0.compare_exchange(FREE, TAKEN, Acquire, Relaxed).is_ok()
    }

    /// Takes it from whoever had it.
    pub(super) fn seize(&self) {
        self.0.swap(TAKEN, Acquire);
    }

    pub(super) fn give_back(&self) {
        self.0.store(FREE, Release);
    }
}
