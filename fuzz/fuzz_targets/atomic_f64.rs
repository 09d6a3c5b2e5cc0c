//! See `src/atomic_f64.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("atomic_f64", data));
