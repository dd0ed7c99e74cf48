//! What makes a hand-over of partitions safe, as pure functions. Must stay what the workers really call: a model checks
//! every order of events on these.

use std::collections::BTreeSet;

use pilotage_domain::event::Position;

/// Which of the names are to take effect: those that have not yet, and of equal ones the first. `known` says for each where
/// it took effect, if it did.
pub(super) fn first_of_each<N: Ord>(names: &[N], known: &[Option<Position>]) -> Vec<bool> {
    let mut seen = BTreeSet::new();
    let fresh = |(name, known): (_, &Option<Position>)| known.is_none() && seen.insert(name);
    names.iter().zip(known).map(fresh).collect()
}

#[cfg(test)]
mod model;
