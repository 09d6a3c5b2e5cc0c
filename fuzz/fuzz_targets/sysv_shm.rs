//! See `src/sysv_shm.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("sysv_shm", data));
