//! How many descriptors this process has open.

use std::fs::read_dir;

/// Lets `body` run, which has to leave as many open as there were.
pub(super) fn unchanged(body: impl FnOnce()) {
    let before = count();
    body();
    assert_eq!(count(), before, "descriptors are left open, or too many were closed");
}

pub(super) fn count() -> usize {
    read_dir("/proc/self/fd").expect("descriptors of our own").count()
}
