//! A place of its own for objects that outlive the process.
//!
//! libFuzzer ends the process where a target panics, and nobody removes what there is. So where
//! the process may, it has an IPC namespace of its own, which goes with it; there the system's
//! limits are those of a system that has just started, too.

use rawipc::sysv::Mode;
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// For its owner, to read and to write.
pub(super) const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

/// Goes there, the first time that this thread calls it; stays outside where that takes privilege
/// that it has not got.
pub(super) fn apart() {
    thread_local!(static APART: () = {
        // SAFETY: descriptors stay shared between the threads.
        let _privileged = unsafe { unshare_unsafe(UnshareFlags::NEWIPC) };
    });
    APART.with(|()| ());
}
