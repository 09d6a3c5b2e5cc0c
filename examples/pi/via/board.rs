//! What children write on in shared memory: a sum of whatever kind, and how long it took.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rawipc::shm::ShmSafe;
use zerocopy::FromBytes;

#[derive(FromBytes)]
#[repr(C)]
pub(super) struct Board<S> {
    pub(super) sum: S,
    nanoseconds: AtomicU64,
}

// SAFETY: `repr(C)`, and both fields are `ShmSafe`.
unsafe impl<S: ShmSafe> ShmSafe for Board<S> {}

impl<S> Board<S> {
    pub(super) const fn new(sum: S) -> Self {
        Self { sum, nanoseconds: AtomicU64::new(0) }
    }

    /// Notes how long a child has taken.
    pub(super) fn took(&self, nanoseconds: u64) {
        self.nanoseconds.fetch_max(nanoseconds, Relaxed);
    }

    /// The longest that one has taken.
    pub(super) fn slowest(&self) -> u64 {
        self.nanoseconds.load(Relaxed)
    }
}
