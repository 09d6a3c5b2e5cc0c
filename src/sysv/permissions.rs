use rustix::fs::Mode;
use rustix::process::{Gid, Uid};

use super::Key;
use crate::sys::sysv as sys;

/// Who owns a System V object, and who may use it.
///
/// # References
///
/// - [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html)
#[doc(alias = "ipc_perm")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permissions {
    /// The key it was created under.
    pub key: Key,
    /// Its owner, who can be set.
    pub uid: Uid,
    /// Its owner's group, which can be set.
    pub gid: Gid,
    /// Who created it.
    pub creator_uid: Uid,
    /// The creator's group.
    pub creator_gid: Gid,
    /// Who may read (receive, look) and write (send, alter).
    pub mode: Mode,
}

impl Permissions {
    pub(super) fn from_kernel(told: &sys::Permissions) -> Self {
        Self {
            key: Key::from_raw(told.key),
            uid: Uid::from_raw_unchecked(told.uid),
            gid: Gid::from_raw_unchecked(told.gid),
            creator_uid: Uid::from_raw_unchecked(told.creator_uid),
            creator_gid: Gid::from_raw_unchecked(told.creator_gid),
            mode: Mode::from_raw_mode(told.mode()),
        }
    }
}
