//! The signal that comes with a broken pipe, which ends a process that does not ignore it.

#![allow(unsafe_code, reason = "there is no safe way to ignore a signal")]

use std::sync::Once;

/// Ignores it from now on, as a Rust program's runtime does: libFuzzer's `main` is none.
pub(super) fn ignore() {
    const SIGPIPE: i32 = 13;
    const SIG_IGN: usize = 1;

    // The C library's, with a pointer for its `void (*)(int)`, which may be `SIG_IGN`.
    unsafe extern "C" {
        safe fn signal(number: i32, handler: usize) -> usize;
    }
    static IGNORED: Once = Once::new();

    IGNORED.call_once(|| assert_ne!(signal(SIGPIPE, SIG_IGN), usize::MAX));
}
