//! Which users are one person: an anonymous one is merged into the known one that names it. Must not be changed by anything
//! but the fold.
//!
//! Only an anonymous id can be named, and only by an id that is not anonymous: so there are no chains and no circles, and
//! nobody takes over a known user by naming it. The first naming counts, for ever.
//!
//! - **The anonymous one** notes into whom it is merged. From there on its profile and track stay as they were; what is said
//!   of it later belongs to the other.
//! - **The known one** takes over what was carried to it, once.
//! - **The group** of a person is that of the id under which the person was first seen.

use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::event::Position;
use crate::id::UserId;
use crate::profile::Profile;
use crate::profile::fold::{FoldOutcome, Folded, fold_decision};

/// How the ids begin that can be merged into others.
pub const ANONYMOUS: &str = "anon-";

/// How many of the newest users that were taken over are known by name: the fold's own guard against a second time. (Longer
/// memories are the log's.)
pub const ABSORBED_KEPT: usize = 64;

/// A user who is one person with nobody else.
pub static ALONE: Kin = Kin { merged: None, absorbed: Vec::new(), group_by: None };

/// With whom a user is one person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kin {
    /// Into whom this user was merged.
    pub merged: Option<Merged>,
    /// The users who were merged into this one, in log order, the newest `ABSORBED_KEPT`.
    pub absorbed: Vec<UserId>,
    /// The id under which the person was first seen, where it is not the user's own.
    pub group_by: Option<UserId>,
}

/// That a user was merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Into whom.
    pub into: UserId,
    /// The record that said so.
    pub at: Position,
}

impl UserId {
    /// Whether it is an id of somebody who is not known yet, by how it begins.
    pub fn is_anonymous(&self) -> bool {
        self.as_str().starts_with(ANONYMOUS)
    }
}

/// Whether the one can be merged into the other.
pub fn may_name(known: &UserId, anonymous: &UserId) -> bool {
    anonymous.is_anonymous() && !known.is_anonymous()
}

impl Kin {
    /// Whether the user is one person with nobody else.
    pub fn is_alone(&self) -> bool {
        *self == ALONE
    }

    /// Whether the user was merged into another: shown nothing, counted and learnt from no more.
    pub fn is_merged(&self) -> bool {
        self.merged.is_some()
    }

    /// The id whose hash says in which group the user is.
    pub fn group_id<'a>(&'a self, own: &'a UserId) -> &'a UserId {
        self.group_by.as_ref().unwrap_or(own)
    }
}

/// Folds that this user is one person with that known one. `Redelivered` where the user was merged before, into whomever: it
/// stays so.
pub fn fold_named(
    profile: &mut Profile,
    kin: &mut Kin,
    into: &UserId,
    at: Position,
) -> FoldOutcome {
    match fold_late(profile, at) {
        FoldOutcome::New if kin.is_merged() => FoldOutcome::Redelivered,
        FoldOutcome::New => {
            kin.merged = Some(Merged { into: into.clone(), at });
            FoldOutcome::New
        }
        known => known,
    }
}

/// Folds a later record of a user who is merged: it moves only `applied`.
pub fn fold_late(profile: &mut Profile, at: Position) -> FoldOutcome {
    fold_decision(profile, None, at)
}

/// Folds what was carried from a user who was merged into this one. `Redelivered` where that was done before.
pub fn fold_carried(
    profile: &mut Profile,
    kin: &mut Kin,
    definition: &Definition,
    (from, carried): (&UserId, Profile),
    at: Position,
) -> Folded {
    if kin.absorbed.contains(from) {
        let outcome = match fold_late(profile, at) {
            FoldOutcome::New => FoldOutcome::Redelivered,
            known => known,
        };
        return Folded { outcome, ..Folded::default() };
    }
    let seen_first = match (carried.first_seen, profile.first_seen) {
        (Some(theirs), Some(ours)) => theirs < ours,
        (theirs, _) => theirs.is_some(),
    };
    let folded = profile.absorb(definition, carried, at);
    if folded.outcome == FoldOutcome::New {
        if seen_first {
            kin.group_by = Some(from.clone());
        }
        if kin.absorbed.len() >= ABSORBED_KEPT {
            kin.absorbed.remove(0);
        }
        kin.absorbed.push(from.clone());
    }
    folded
}

#[cfg(test)]
mod tests;
