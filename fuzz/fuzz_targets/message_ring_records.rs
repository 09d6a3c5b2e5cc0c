//! See `src/message_ring_records.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rawipc_fuzz::run("message_ring_records", data));
