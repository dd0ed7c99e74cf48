//! The product file: from YAML text to a checked definition, and from its faults to what people and programs read; and
//! back, as a patch. Must not judge what a definition says; that is the domain's.

mod patch;
mod read;
mod render;
mod scalar;

pub use patch::{NewVariant, PatchError, diff, with_drafts};
pub use read::{MAX_BYTES, MAX_DEPTH, parse};
pub use render::{Colour, render, to_json};

use pilotage_domain::definition::fault::Fault;
use pilotage_domain::definition::{Checked, check};

/// Reads and checks a product file. JSON is YAML, so it may be that, too.
///
/// # Errors
/// Everything that keeps the text from being a definition, in file order; at least one fault.
pub fn load(text: &str) -> Result<Checked, Vec<Fault>> {
    check(&parse(text)?)
}

#[cfg(test)]
mod tests;
