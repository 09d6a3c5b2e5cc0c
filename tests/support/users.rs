//! Other users: who may do nothing that is not permitted to all.

use rustix::process::geteuid;

use super::{child, join};

/// Users that own nothing.
pub(crate) const STRANGER: u32 = 65_534;
pub(crate) const OTHER: u32 = 65_533;

/// Whether this process may do what takes root; says so if not.
pub(crate) fn is_root(to_do_what: &str) -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        eprintln!("skipped: takes root, {to_do_what}");
    }
    is_root
}

/// From here on, this process is that user's, and has no privilege.
pub(crate) fn become_user(id: u32) {
    // SAFETY: takes no group, and so no pointer is read.
    assert_eq!(unsafe { libc::setgroups(0, core::ptr::null()) }, 0);
    // SAFETY: sets this process's group, as the test wants it.
    assert_eq!(unsafe { libc::setgid(id) }, 0);
    // SAFETY: sets this process's user, as the test wants it.
    assert_eq!(unsafe { libc::setuid(id) }, 0);
}

/// Runs `task` in a child of a user who owns nothing, and who is given nothing.
#[track_caller]
pub(crate) fn as_stranger(task: impl FnOnce()) {
    join(child(|| {
        become_user(STRANGER);
        task();
    }));
}

/// As [`as_stranger`] where this process is root's; otherwise as its own user, who has no privilege
/// either.
#[track_caller]
pub(crate) fn unprivileged(task: impl FnOnce()) {
    if geteuid().is_root() { as_stranger(task) } else { join(child(task)) }
}

/// As [`as_stranger`], where this process may become another user.
#[track_caller]
pub(crate) fn as_another_user(task: impl FnOnce()) {
    if is_root("to become another user") {
        as_stranger(task);
    }
}
