//! libFuzzer's way into the product file. Must do no more than call the body, which the normal tests run, too.
#![no_main]

#[path = "../bodies/definition.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
