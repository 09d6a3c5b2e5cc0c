//! Memory that a test shares with the children that it forks.

use core::slice;
use core::sync::atomic::{AtomicU8, AtomicU32};

use rawipc::shm::{Mapping, Shared, ShmSafe};

pub(crate) fn shared<T: ShmSafe>(value: T) -> Shared<T> {
    Shared::anonymous(value).expect("memory")
}

/// Its words, which anybody may write at any time: what a peer can do that keeps no protocol.
pub(crate) fn words<T: ShmSafe>(shared: &Shared<T>) -> &[AtomicU32] {
    assert_eq!(size_of::<T>() % 4, 0);
    let words = (&raw const **shared).cast::<AtomicU32>();
    // SAFETY: in bounds, aligned (to a cache line), and borrowed from what keeps it mapped; whoever
    // made `&T` has a type that lives with bytes which others change.
    unsafe { slice::from_raw_parts(words, size_of::<T>() / 4) }
}

/// The bytes of a mapping, which others may change.
pub(crate) fn bytes(mapping: &Mapping) -> &[AtomicU8] {
    // SAFETY: as many bytes as there are, mapped as long as it is borrowed, of any value, and
    // changed by atomics only; those that may only be read are only loaded.
    unsafe { slice::from_raw_parts(mapping.as_ptr().cast(), mapping.len()) }
}

pub(crate) fn page_size() -> usize {
    // SAFETY: takes a plain number.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.try_into().expect("a size")
}
