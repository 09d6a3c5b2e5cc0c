//! See `src/shm_bytes.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("shm_bytes", data));
