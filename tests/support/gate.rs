//! A gate between two processes: a pipe, through which one lets the other go on.

use rawipc::pipe::{Reader, Writer};

use super::soon;

/// Lets the process at the other end of `gate` go on.
pub(crate) fn open(gate: &Writer) {
    gate.write_all(b".").expect("somebody at the gate");
}

/// Waits until the process at the other end of `gate` opens it.
#[track_caller]
pub(crate) fn pass(gate: &Reader) {
    assert_eq!(gate.read_all_until(&mut [0; 1], soon()).expect("an open gate"), b".");
}
