//! See `src/hostile_peer/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("hostile_peer", data));
