//! Limits of queues, sets and segments that are the test's own.

use std::fs;
use std::io;

use super::{child, join};

/// Runs `task` where there are no other queues, sets and segments, and where limits of them are its
/// own. What it makes there goes with it.
#[track_caller]
pub(crate) fn in_own_namespace(task: impl FnOnce()) {
    join(child(|| {
        let namespace = || fs::read_link("/proc/self/ns/ipc").expect("a namespace");
        let outside = namespace();
        // SAFETY: changes what this process sees of such objects, and nothing of its memory.
        if unsafe { libc::unshare(libc::CLONE_NEWIPC) } != 0 {
            let error = io::Error::last_os_error();
            eprintln!("skipped: takes root, to have limits of its own: {error}");
            return;
        }
        assert_ne!(namespace(), outside, "the machine's own limits stay as they are");
        task();
    }));
}

/// As [`in_own_namespace`], with these limits of System V objects.
#[track_caller]
pub(crate) fn with_limits<L: ToString>(limits: &[(&str, L)], task: impl FnOnce()) {
    in_own_namespace(|| {
        for (name, limit) in limits {
            if fs::write(format!("/proc/sys/kernel/{name}"), limit.to_string()).is_err() {
                eprintln!("skipped: /proc/sys cannot be written to");
                return;
            }
        }
        task();
    });
}
