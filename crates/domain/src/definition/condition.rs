//! The condition tree and the counters that its `event` forms stand for. Must not know how a profile is folded.

use crate::definition::table::Ix;
use crate::definition::{Attribute, EventType, Milestone};
use crate::id::ErrorName;
use crate::time::Millis;
use crate::value::Scalar;

/// A compiled condition; at most eight levels deep.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every one holds; holds when empty.
    All(Vec<Condition>),
    /// At least one holds; does not hold when empty.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The counter is at its count.
    Event(Ix<Counter>),
    /// The attribute's current value (or default) passes.
    Attribute {
        /// Which.
        attribute: Ix<Attribute>,
        /// How.
        test: Test,
    },
    /// The milestone has that status.
    Milestone {
        /// Which.
        milestone: Ix<Milestone>,
        /// Which status.
        status: Status,
    },
    /// The time since then lies in the bounds; does not hold where "then" has not been.
    Since {
        /// Then.
        anchor: Anchor,
        /// At least this long ago.
        gte: Option<Millis>,
        /// At most this long ago.
        lte: Option<Millis>,
    },
    /// The last error is this one and is at most so old.
    Error {
        /// Which; `other` for those undeclared.
        name: ErrorName,
        /// How old at the most.
        within: Millis,
    },
}

/// A milestone's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A required milestone is not reached.
    Locked,
    /// May be worked on.
    Open,
    /// Its blocked condition holds.
    Blocked,
    /// Done, for ever.
    Reached,
}

/// What a `since` condition counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The user's signup.
    Signup,
    /// The user's newest event.
    LastEvent,
    /// The reaching of a milestone.
    Milestone(Ix<Milestone>),
}

/// A comparison with a scalar; every part that is given must pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Test {
    /// Equal to this.
    pub eq: Option<Scalar>,
    /// Present or absent, but not equal to this.
    pub ne: Option<Scalar>,
    /// Equal to one of these.
    pub any_of: Option<Vec<Scalar>>,
    /// At least this: numbers by size, versions (for version attributes) by precedence.
    pub gte: Option<Scalar>,
    /// At most this.
    pub lte: Option<Scalar>,
    /// Present (`true`) or absent (`false`).
    pub exists: Option<bool>,
    /// Compare `gte`, `lte`, `eq`, `ne` and `any_of` by semantic version precedence instead of as text.
    pub as_version: bool,
}

/// What a profile counts for one distinct `event` form.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    /// The same form has the same key in every version of a definition.
    pub key: u64,
    /// The kind of event.
    pub event: Ix<EventType>,
    /// What its payload must pass, all of them: dotted path, split, and test.
    pub filter: Vec<(Vec<Box<str>>, Test)>,
    /// How many it takes; at least 1.
    pub count: u32,
    /// In the last so long; ever where `None`.
    pub within: Option<Millis>,
}
