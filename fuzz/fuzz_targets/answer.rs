//! libFuzzer's way into the answers of models. Must do no more than call the body, which the normal tests run, too.
#![no_main]

#[path = "../bodies/answer.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
