//! A profile at a moment, through a definition: what holds of a user. Must not change either of the two.

use crate::definition::condition::{Anchor, Condition, Counter, Status};
use crate::definition::table::Ix;
use crate::definition::{Attribute, Definition, Milestone};
use crate::id::ErrorName;
use crate::profile::{Count, Profile};
use crate::time::{Millis, Timestamp};
use crate::value::Scalar;

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
        self.holds_asking(condition, &mut Asked::default())
    }

    /// The milestone's status: reached for ever; else locked, blocked or open, in this order.
    pub fn status(self, milestone: Ix<Milestone>) -> Status {
        self.status_asking(milestone, &mut Asked::default())
    }

    /// When the milestone was reached: the time of the event that reached it.
    pub fn reached_at(self, milestone: Ix<Milestone>) -> Option<Timestamp> {
        self.profile.reached_at(&self.definition.milestones[milestone].id)
    }

    /// The attribute's value, or its default.
    pub fn attribute(self, attribute: Ix<Attribute>) -> Option<&'a Scalar> {
        let declared = &self.definition.attributes[attribute];
        self.profile.attribute(&declared.name).or(declared.default.as_ref())
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
                let inside = times.iter().filter(|at| self.now.since(**at) <= within).count();
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

    fn holds_asking(self, condition: &Condition, asked: &mut Asked) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds_asking(part, asked)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds_asking(part, asked)),
            Condition::Not(part) => !self.holds_asking(part, asked),
            Condition::Event(counter) => {
                let (have, need) = self.count(*counter);
                have >= need
            }
            Condition::Attribute { attribute, test } => test.passes(self.attribute(*attribute)),
            Condition::Milestone { milestone, status } => {
                self.has_status(*milestone, *status, asked)
            }
            Condition::Since { anchor, gte, lte } => self.since(*anchor).is_some_and(|elapsed| {
                gte.is_none_or(|least| elapsed >= least) && lte.is_none_or(|most| elapsed <= most)
            }),
            Condition::Error { name, within } => self.error_within(name, *within),
        }
    }

    // Only open and blocked ask a further condition: reached and locked are facts, and may be asked for in circles.
    fn has_status(self, milestone: Ix<Milestone>, wanted: Status, asked: &mut Asked) -> bool {
        match wanted {
            Status::Reached => self.reached_at(milestone).is_some(),
            Status::Locked => self.reached_at(milestone).is_none() && self.is_locked(milestone),
            Status::Open | Status::Blocked => self.status_asking(milestone, asked) == wanted,
        }
    }

    fn status_asking(self, milestone: Ix<Milestone>, asked: &mut Asked) -> Status {
        if self.reached_at(milestone).is_some() {
            Status::Reached
        } else if self.is_locked(milestone) {
            Status::Locked
        } else if self.is_blocked(milestone, asked) {
            Status::Blocked
        } else {
            Status::Open
        }
    }

    fn is_locked(self, milestone: Ix<Milestone>) -> bool {
        let requires = &self.definition.milestones[milestone].requires;
        requires.iter().any(|required| self.reached_at(*required).is_none())
    }

    fn is_blocked(self, milestone: Ix<Milestone>, asked: &mut Asked) -> bool {
        let Some(condition) = &self.definition.milestones[milestone].blocked else {
            return false;
        };
        let place = milestone.place();
        if !asked.before.has(place) {
            asked.before.add(place);
            if self.holds_asking(condition, asked) {
                asked.holds.add(place);
            }
        }
        asked.holds.has(place)
    }
}

/// Which milestones' `blocked` conditions one evaluation has asked, and which of them hold.
///
/// Each is asked once, so that milestones which refer to each other cost no more than there are of them. A checked
/// definition has no circle of them; in one, the milestone that is being asked would count as not blocked.
#[derive(Default)]
struct Asked {
    before: Places,
    holds: Places,
}

/// A set of places below 256; a definition has at most 200 milestones.
#[derive(Default)]
struct Places([u64; 4]);

impl Places {
    fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| (word >> (place % 64)) & 1 == 1)
    }

    fn add(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }
}

#[cfg(test)]
mod tests;
