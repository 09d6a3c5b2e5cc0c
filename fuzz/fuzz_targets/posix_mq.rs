//! See `src/posix_mq/mod.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("posix_mq", data));
