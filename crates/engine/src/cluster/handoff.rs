//! What makes a hand-over of partitions safe, as pure functions. Must stay what the workers really call: a model checks
//! every order of events on these.

use std::collections::BTreeMap;

use pilotage_domain::event::Position;

use crate::port::shared::Day;

/// Which of the names are to take effect: those that are not known on their day, and of equal ones the first as long as its day
/// knows the others'. `known` says for each where it took effect, if it did.
pub(super) fn first_of_each<N: Ord>(names: &[(N, Day)], known: &[Option<Position>]) -> Vec<bool> {
    let mut seen: BTreeMap<&N, Day> = BTreeMap::new();
    let mut all = Vec::with_capacity(names.len());
    for ((name, day), known) in names.iter().zip(known) {
        let fresh = known.is_none() && !seen.get(name).is_some_and(|first| first.knows(*day));
        if fresh {
            seen.insert(name, *day);
        }
        all.push(fresh);
    }
    all
}

#[cfg(test)]
mod model;
