//! See `targets.rs`.

#![no_main]

#[allow(dead_code, reason = "each binary runs one target of the list")]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::comparison(bytes));
