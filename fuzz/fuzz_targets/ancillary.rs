//! See `src/ancillary.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("ancillary", data));
