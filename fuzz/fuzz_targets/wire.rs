//! Fuzzes one reply, into every struct.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nats_hindsight_tests::targets::wire(bytes));
