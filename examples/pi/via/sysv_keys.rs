//! Keys that tell who made a System V object, so that the next driver can remove what a killed one
//! has left.

use std::fs;

use rawipc::Errno;
use rawipc::process::{self, Pid};
use rawipc::sysv::Key;

/// A pid has at most 22 bits. Those above say that the object is one of ours.
const PID: i32 = (1 << 22) - 1;
const OURS: i32 = 0x0c5 << 22;

/// The key for what this driver makes; it has one object of a kind at a time.
pub(super) fn own() -> Key {
    Key::from_raw(OURS | process::id().as_raw_nonzero().get())
}

/// Those objects of a kind (as in `/proc/sysvipc`) whose makers are no more.
pub(super) fn orphaned(kind: &str) -> Vec<Key> {
    // One line for each object, its key first. Without /proc, nothing is found.
    let objects = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
    let keys = objects.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    keys.filter(|&key| is_orphaned(key)).map(Key::from_raw).collect()
}

fn is_orphaned(key: i32) -> bool {
    // One of our own pid is a namesake's.
    let has_gone = |maker| {
        maker == process::id() || rustix::process::test_kill_process(maker) == Err(Errno::SRCH)
    };
    key & !PID == OURS && Pid::from_raw(key & PID).is_none_or(has_gone)
}
