//! From a tree to a checked definition, or to everything that is wrong with it. Must not stop at the first fault, and must
//! not let anything through that the rest of the engine would have to doubt.
//!
//! First the tree is held against the grammar (`form`). Then each section is read for what it means; a reader passes over,
//! without a word, what has not the form: that is noted already. Last, what was read is judged as a whole (`reach`,
//! `warnings`).

mod assemble;
mod attributes;
mod circles;
mod comparisons;
mod conditions;
mod copy;
mod counters;
mod events;
mod features;
mod form;
mod guides;
mod journey;
mod names;
mod places;
mod possible;
mod reach;
mod scalar;
mod scope;
mod settings;
mod suggest;
mod template;
#[cfg(test)]
mod tests;
mod values;
mod warnings;

use super::Definition;
use super::fault::{Fault, FaultCode, Faults};
use super::grammar::{Form, PRODUCT};
use super::node::Node;

/// The version of the format that this reads.
const FORMAT: f64 = 1.0;

/// A definition that may be used, and what is doubtful about it.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The definition.
    pub definition: Definition,
    /// Warnings, in file order.
    pub warnings: Vec<Fault>,
}

/// Checks a product file. The same tree always gives the same answer.
///
/// The tree may be no deeper than `wire::yaml` lets it be; the checker goes down it by recursion.
///
/// # Errors
/// Every fault, in file order, without warnings; at least one, at most a thousand. A file with more entries than fit
/// somewhere is held against the grammar alone.
pub fn check(root: &Node) -> Result<Checked, Vec<Fault>> {
    let mut faults = Faults::default();
    let parts = read(root, &mut faults);
    let (errors, warnings) = faults.into_sorted(root);
    match parts {
        Some(parts) if errors.is_empty() => {
            Ok(Checked { definition: Definition::from_checked(parts), warnings })
        }
        _ => Err(errors),
    }
}

fn read(root: &Node, faults: &mut Faults) -> Option<super::Parts> {
    if is_other_format(root, faults) {
        return None;
    }
    form::check(root, &Form::Shape(&PRODUCT), faults);
    if faults.has(FaultCode::TooMany) || faults.is_full() {
        return None;
    }
    assemble::assemble(root, faults)
}

/// Whether the file says that it is of another format: then nothing else in it can be judged.
fn is_other_format(root: &Node, faults: &mut Faults) -> bool {
    let format = root.get("format").and_then(|node| Some((node.span, node.number()?)));
    let Some((span, format)) = format.filter(|(_, format)| *format != FORMAT) else { return false };
    let message = format!("this reads format 1, and the file is of format {format}");
    faults.add(FaultCode::UnsupportedFormat, span, message);
    true
}
