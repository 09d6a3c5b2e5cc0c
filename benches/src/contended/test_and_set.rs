//! The simplest lock: the least that one takes that nobody else wants. Where others want it, who
//! looks all the time keeps taking the line from who holds it, and those who sleep may be faster.

use core::hint::spin_loop;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;

/// A flag, and the number that it protects beside it. Nobody sleeps, so that to unlock takes but a
/// store.
#[derive(Debug, Default)]
pub(super) struct TestAndSet {
    held: AtomicBool,
    value: AtomicU64,
}

impl TestAndSet {
    /// Takes it, adds one, and gives it back.
    pub(super) fn turn(&self) {
        while self.held.swap(true, Acquire) {
            self.look_until_free();
        }
        super::rivals::add_one(&self.value);
        self.held.store(false, Release);
    }

    fn look_until_free(&self) {
        /// Far longer than a turn: who holds it has lost its CPU, perhaps to us.
        const VAIN: u32 = 1000;
        let mut vain = 0;
        while self.held.load(Relaxed) {
            spin_loop();
            vain += 1;
            if vain >= VAIN {
                thread::yield_now();
            }
        }
    }
}
