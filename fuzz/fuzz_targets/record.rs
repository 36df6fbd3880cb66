//! Fuzzes one line of a frame.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nats_hindsight_tests::targets::record(bytes));
