//! See `src/named_semaphore/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("named_semaphore", data));
