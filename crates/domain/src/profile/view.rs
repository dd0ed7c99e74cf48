//! A profile at a moment, through a definition: what holds of a user. Must not change either of the two.

use crate::definition::condition::{Anchor, Condition, Counter, Status};
use crate::definition::table::Ix;
use crate::definition::{Attribute, Definition, Milestone};
use crate::id::ErrorName;
use crate::profile::{Count, Profile};
use crate::time::{Millis, Timestamp};
use crate::value::Scalar;

/// How many milestones a chain of `blocked` conditions may lead through, each asking whether the next is open or
/// blocked. A checked definition has no longer chain and no circle; past it a milestone counts as not blocked.
pub const STATUS_CHAIN: usize = 8;

/// A profile, seen at a moment through the definition in force.
///
/// Windows hold their ends: what happened exactly `within` ago still counts. What lies ahead of `now` (callers' clocks
/// run up to five minutes fast) counts as happening now.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What the product says.
    pub definition: &'a Definition,
    /// What the user did.
    pub profile: &'a Profile,
    /// The moment.
    pub now: Timestamp,
}

impl<'a> View<'a> {
    /// Whether the condition holds.
    pub fn holds(self, condition: &Condition) -> bool {
        self.holds_within(condition, STATUS_CHAIN)
    }

    /// The milestone's status: reached for ever; else locked, blocked or open, in this order.
    pub fn status(self, milestone: Ix<Milestone>) -> Status {
        self.status_within(milestone, STATUS_CHAIN)
    }

    /// When the milestone was reached: the time of the event that reached it.
    pub fn reached_at(self, milestone: Ix<Milestone>) -> Option<Timestamp> {
        self.profile
            .reached_at(&self.definition.milestones[milestone].id)
    }

    /// The attribute's value, or its default.
    pub fn attribute(self, attribute: Ix<Attribute>) -> Option<&'a Scalar> {
        let declared = &self.definition.attributes[attribute];
        self.profile
            .attribute(&declared.name)
            .or(declared.default.as_ref())
    }

    /// The version of the user's app.
    pub fn app_version(self) -> Option<&'a str> {
        self.text(self.definition.app_version)
    }

    /// The user's locale.
    pub fn locale(self) -> Option<&'a str> {
        self.text(self.definition.locale)
    }

    /// How many events the counter has and how many its form asks for. Never says more than it asks for.
    pub fn count(self, counter: Ix<Counter>) -> (u32, u32) {
        let counter = &self.definition.counters[counter];
        let have = match (self.profile.counter(counter.key), counter.within) {
            (Some(Count::Ever(n)), _) => *n,
            (Some(Count::Newest(times)), Some(within)) => {
                let inside = times
                    .iter()
                    .filter(|at| self.now.since(**at) <= within)
                    .count();
                u32::try_from(inside).unwrap_or(u32::MAX)
            }
            _ => 0,
        };
        (have.min(counter.count), counter.count)
    }

    /// Whether the last error is this one and at most so old.
    pub fn error_within(self, name: &ErrorName, within: Millis) -> bool {
        let last = self.profile.last_error.as_ref();
        last.is_some_and(|(error, at)| error == name && self.now.since(*at) <= within)
    }

    /// The time since then; `None` where "then" has not been.
    pub fn since(self, anchor: Anchor) -> Option<Millis> {
        let then = match anchor {
            Anchor::Signup => self.profile.signup,
            Anchor::LastEvent => self.profile.last_seen,
            Anchor::Milestone(milestone) => self.reached_at(milestone),
        };
        then.map(|then| self.now.since(then))
    }

    fn text(self, attribute: Ix<Attribute>) -> Option<&'a str> {
        match self.attribute(attribute)? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    fn holds_within(self, condition: &Condition, chain: usize) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds_within(part, chain)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds_within(part, chain)),
            Condition::Not(part) => !self.holds_within(part, chain),
            Condition::Event(counter) => {
                let (have, need) = self.count(*counter);
                have >= need
            }
            Condition::Attribute { attribute, test } => test.passes(self.attribute(*attribute)),
            Condition::Milestone { milestone, status } => {
                self.has_status(*milestone, *status, chain)
            }
            Condition::Since { anchor, gte, lte } => self.since(*anchor).is_some_and(|elapsed| {
                gte.is_none_or(|least| elapsed >= least) && lte.is_none_or(|most| elapsed <= most)
            }),
            Condition::Error { name, within } => self.error_within(name, *within),
        }
    }

    // Only open and blocked ask for another condition: reached and locked are facts, and may be asked for in circles.
    fn has_status(self, milestone: Ix<Milestone>, wanted: Status, chain: usize) -> bool {
        match wanted {
            Status::Reached => self.reached_at(milestone).is_some(),
            Status::Locked => self.reached_at(milestone).is_none() && self.is_held_back(milestone),
            Status::Open | Status::Blocked => self.status_within(milestone, chain) == wanted,
        }
    }

    fn status_within(self, milestone: Ix<Milestone>, chain: usize) -> Status {
        if self.reached_at(milestone).is_some() {
            return Status::Reached;
        }
        if self.is_held_back(milestone) {
            return Status::Locked;
        }
        let blocked = self.definition.milestones[milestone].blocked.as_ref();
        let further = chain.checked_sub(1);
        match blocked.zip(further) {
            Some((condition, further)) if self.holds_within(condition, further) => Status::Blocked,
            _ => Status::Open,
        }
    }

    fn is_held_back(self, milestone: Ix<Milestone>) -> bool {
        let requires = &self.definition.milestones[milestone].requires;
        requires
            .iter()
            .any(|required| self.reached_at(*required).is_none())
    }
}
