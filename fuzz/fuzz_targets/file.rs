//! Fuzzes a whole file, up to its report.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nats_hindsight_tests::targets::file(bytes));
