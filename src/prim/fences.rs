//! Two fences that only together order a store before a load: a light one for who is in a hurry,
//! and a heavy one for who is about to sleep, and makes up for it.
//!
//! One side stores that something is there, and then loads whether anybody sleeps; the other stores
//! that it sleeps, and then loads whether something is there. One of the two must see the other's
//! store, and for that each needs a fence between the two, which takes as long as it takes to get
//! the cache line that is stored to: a hundred nanoseconds, for each message. So the first side has
//! a fence for the compiler only, and the second has the kernel interrupt the first with a real
//! one: either that comes after the first side's store, which is then seen, or before its load,
//! which then sees.
//!
//! # References
//!
//! - [membarrier(2)](https://man7.org/linux/man-pages/man2/membarrier.2.html)
//! - ISO C++ paper P1202, "Asymmetric fences"

use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicU32, compiler_fence, fence};
use core::time::Duration;

use rustix::event::{Timespec, poll};
use rustix::thread::{MembarrierCommand, membarrier};

use crate::Deadline;

/// Whether the kernel interrupts this process where another one asks for it.
static STATE: AtomicU32 = AtomicU32::new(UNASKED);

const UNASKED: u32 = 0;
const INTERRUPTED: u32 = 1;
const REFUSED: u32 = 2;

/// Between a store and a load, with [`heavy_fence`] on the other side.
#[inline]
pub(crate) fn light_fence() {
    // A child has this from its parent, as it has what the kernel knows of it.
    if STATE.load(Relaxed) == INTERRUPTED {
        compiler_fence(SeqCst);
    } else {
        full_fence();
    }
}

/// Before the kernel interrupts this process, and where it never does.
#[cold]
fn full_fence() {
    if STATE.load(Relaxed) == UNASKED {
        let is_registered = membarrier(MembarrierCommand::RegisterGlobalExpedited).is_ok();
        STATE.store(if is_registered { INTERRUPTED } else { REFUSED }, Relaxed);
    }
    fence(SeqCst);
}

/// Between a store and a load, with [`light_fence`] on the other side; takes microseconds.
pub(crate) fn heavy_fence() {
    fence(SeqCst);
    if membarrier(MembarrierCommand::GlobalExpedited).is_err() {
        wait_for_stores();
    }
}

/// Where the kernel interrupts nobody for this process (a filter of system calls): the other side's
/// stores take their way all the same, and that way is shorter than this.
#[cold]
fn wait_for_stores() {
    const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
    let long_enough = Deadline::after(Duration::from_millis(1));
    while !long_enough.has_passed() {
        let _a_signal = poll(&mut [], Some(&MOMENT));
    }
    fence(SeqCst);
}
