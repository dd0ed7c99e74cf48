//! What must be so whatever a product file holds: the fuzz target and `wire/tests/fuzz_definition.rs` run it. Must not know
//! who calls it.

use pilotage_wire::yaml::{self, Colour};

/// Loads the bytes and draws what is wrong with them.
///
/// # Panics
/// Where a promise of the loader is broken.
pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match yaml::load(&text) {
        Ok(checked) => {
            let again = yaml::load(&text).expect("what loaded once loads again");
            assert_eq!(checked.definition.hash, again.definition.hash);
            assert_eq!(checked.warnings, again.warnings);
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            let drawn = yaml::render("file", &text, &faults, Colour::Plain);
            assert!(
                !drawn.chars().any(|c| c.is_control() && c != '\n'),
                "it could command a terminal"
            );
            yaml::to_json("file", &faults);
        }
    }
}
