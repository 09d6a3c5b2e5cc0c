//! See `src/sysv_sem.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("sysv_sem", data));
