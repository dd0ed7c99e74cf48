//! What is known to have followed from records that are folded once more, so that a rebuild does not put it on record again.
//! Must not be needed for anything to be right: whatever stands twice is known by its name.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use pilotage_domain::event::Position;

use super::Cluster;
use crate::port::feed::Partition;
use crate::port::log::EntryName;

/// Up to where in each partition the log holds what follows from its records.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Events that were passed on: whatever they were folded under.
    pub(super) events: BTreeMap<Partition, Position>,
    /// What was carried over, as folded under the definitions in force.
    pub(super) carried: BTreeMap<Partition, Position>,
}

impl Cluster {
    pub(super) fn note_followed(&self, followed: Followed) {
        *self.followed.lock().unwrap_or_else(PoisonError::into_inner) = followed;
    }

    /// Whether the log holds the record of that name that follows from the one at that position.
    pub(super) fn has_followed(&self, from: Position, name: &EntryName) -> bool {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let up_to = match name {
            EntryName::Carried(..) => &followed.carried,
            _ => &followed.events,
        };
        up_to.get(&Partition::of(from)).is_some_and(|up_to| from <= *up_to)
    }
}
