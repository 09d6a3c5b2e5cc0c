//! See `src/sync/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("sync", data));
