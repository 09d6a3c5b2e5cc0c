//! Memory that two processes share, with room for some messages, which are copied in and out by
//! `memcpy`. Whose turn it is somewhere else has to say.

use core::ptr;
use std::sync::Arc;

use rawipc::shm::Mapping;

/// Room for so many messages one after the other.
#[derive(Clone)]
pub(super) struct Slots {
    mapping: Arc<Mapping>,
    apart: usize,
    count: usize,
}

const LINE: usize = 64;

impl Slots {
    /// All that fit, each on lines of its own.
    pub(super) fn new(mapping: Mapping, bytes: usize) -> Self {
        Self::all(mapping, apart(bytes))
    }

    /// All that fit, with nothing between two of them.
    pub(super) fn dense(mapping: Mapping, bytes: usize) -> Self {
        Self::all(mapping, bytes)
    }

    fn all(mapping: Mapping, apart: usize) -> Self {
        let count = mapping.len() / apart;
        assert!(count > 0, "room for one");
        Self { mapping: Arc::new(mapping), apart, count }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Copies a message to where the message of that number belongs.
    ///
    /// # Safety
    ///
    /// Nobody else reads or writes there meanwhile.
    #[inline]
    pub(super) unsafe fn put(&self, number: usize, message: &[u8]) {
        assert!(message.len() <= self.apart, "fits a slot");
        let slot = self.slot(number);
        // SAFETY: a slot has so many bytes, and is the caller's.
        unsafe { ptr::copy_nonoverlapping(message.as_ptr(), slot, message.len()) };
    }

    /// Copies the message of that number.
    ///
    /// # Safety
    ///
    /// Nobody else writes there meanwhile.
    #[inline]
    pub(super) unsafe fn get(&self, number: usize, into: &mut [u8]) {
        assert!(into.len() <= self.apart, "fits a slot");
        let slot = self.slot(number);
        // SAFETY: a slot has so many bytes, and is the caller's.
        unsafe { ptr::copy_nonoverlapping(slot, into.as_mut_ptr(), into.len()) };
    }

    #[inline]
    fn slot(&self, number: usize) -> *mut u8 {
        assert!(number < self.count, "a slot");
        self.mapping.as_ptr().wrapping_add(number * self.apart)
    }

    /// Which one comes next.
    #[inline]
    pub(super) fn after(&self, number: usize) -> usize {
        if number + 1 == self.count { 0 } else { number + 1 }
    }
}

/// From one slot to the next.
fn apart(bytes: usize) -> usize {
    bytes.next_multiple_of(LINE)
}

/// As much memory as the queues have, or for one message.
pub(super) fn memory(bytes: usize, slots: Many) -> usize {
    let apart = apart(bytes);
    match slots {
        Many::One => apart,
        Many::Some => (256 << 10).max(8 * apart),
    }
}

/// How many messages there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Many {
    One,
    Some,
}
