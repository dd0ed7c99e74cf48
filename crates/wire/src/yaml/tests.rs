//! The product file end to end: what the examples say, what never happens whatever comes in, and how faults are drawn. Must
//! not test single rules; the corpus in `tests/definitions` does.

mod drawing;
mod properties;
mod reading;

use super::*;

fn example(name: &str) -> String {
    let path = format!("{}/../../examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn loaded(text: &str) -> Checked {
    load(text).unwrap_or_else(|faults| panic!("\n{}", render("it", text, &faults, Colour::Plain)))
}
