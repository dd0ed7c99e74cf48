//! Everything that was ever advised about one situation, and which of it is in force. Must not change what was
//! advised.

use serde::{Deserialize, Serialize};

use super::ladder::{Advice, InForce};
use super::refusal::{Provenance, Refusal};
use crate::time::{Millis, Timestamp};

/// Advice of this age is asked for again, while it stays in force.
pub const STALE: Millis = Millis::days(7);
/// Advice of this age is out of force.
pub const OUT_OF_DATE: Millis = Millis::days(30);

/// What a person said about an advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// Nothing yet.
    Open,
    /// It may be used where approval is needed.
    Approved,
    /// It is never used.
    Rejected,
}

/// Whether advice needs a person's approval before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// It does.
    Needed,
    /// It does not; a rejection still holds.
    NotNeeded,
}

/// On which terms advice is used in a decision.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// What is in force at the moment of the decision.
    pub in_force: InForce<'a>,
    /// Whether a person has to have approved it.
    pub approval: Approval,
}

/// One advice with its review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which answer of record it is; 0 where it is none.
    pub answer: u64,
    /// What was advised.
    pub advice: Advice,
    /// What a person said about it.
    pub review: Review,
}

impl Entry {
    /// L9 in a decision: same catalogue and prompt, not out of date, approved where that is needed.
    ///
    /// # Errors
    /// The refusal, of the advice as a whole. Single guides are the gates' and the prior's matter.
    pub fn holds(&self, terms: &Terms<'_>) -> Result<(), Refusal> {
        let InForce { at, .. } = terms.in_force;
        let fault = |fault: Provenance| Err(Refusal::whole(fault));
        let advice = &self.advice;
        terms.in_force.holds(advice.catalogue(), advice.prompt()).map_err(Refusal::whole)?;
        if at.since(advice.at()) >= OUT_OF_DATE {
            return fault(Provenance::OutOfDate);
        }
        match (self.review, terms.approval) {
            (Review::Rejected, _) => fault(Provenance::Rejected),
            (Review::Open, Approval::Needed) => fault(Provenance::NotApproved),
            _ => Ok(()),
        }
    }
}

/// What was advised about one situation, oldest first. It only grows, save for what is too old to
/// be in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    entries: Vec<Entry>,
}

impl History {
    /// Nothing was ever advised.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds an advice, behind all that are as old or older.
    pub fn add(&mut self, advice: Advice) {
        self.insert(Entry { answer: 0, advice, review: Review::Open });
    }

    /// Adds an entry as it was kept, behind all that are as old or older.
    pub fn insert(&mut self, entry: Entry) {
        let at = entry.advice.at();
        let place = self.entries.partition_point(|known| known.advice.at() <= at);
        self.entries.insert(place, entry);
    }

    /// Everything, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A person's word on the newest advice; `None` where there is none.
    pub fn review(&mut self, review: Review) -> Option<&Entry> {
        let entry = self.entries.last_mut()?;
        entry.review = review;
        Some(entry)
    }

    /// A person's word on that answer; false where there is none.
    pub fn review_answer(&mut self, answer: u64, review: Review) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.answer == answer);
        entry.map(|entry| entry.review = review).is_some()
    }

    /// Drops what no decision can take any more: advice from before that instant.
    pub fn forget_before(&mut self, at: Timestamp) {
        self.entries.retain(|entry| entry.advice.at() >= at);
    }

    /// The newest advice that is in force on these terms: where the newest of all is refused, the last good one.
    pub fn current(&self, terms: &Terms<'_>) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.holds(terms).is_ok())
    }

    /// Whether a model should be asked: nothing is in force, or what is has this age. Approval has no say: asking again
    /// would not bring it.
    pub fn wants_asking(&self, in_force: InForce<'_>, stale: Millis) -> bool {
        let terms = Terms { in_force, approval: Approval::NotNeeded };
        let fresh = |entry: &Entry| {
            let rejected = entry.review == Review::Rejected;
            let young = in_force.at.since(entry.advice.at()) < stale;
            young && (rejected || entry.holds(&terms).is_ok())
        };
        !self.entries.last().is_some_and(fresh)
    }
}

/// Where a decision's advice comes from; every decision says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The newest about this very situation.
    Newest,
    /// An older one about it: the newest is refused.
    LastGood,
    /// The newest about another situation with the same parent: the same milestones and guides, other features.
    Parent,
}

impl Source {
    /// As records and traces name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::LastGood => "last_good",
            Self::Parent => "parent",
        }
    }
}

/// The advice for a decision: the situation's own, else the last good one, else that of a situation with the same parent,
/// else none. `kin` is what was advised about those others, in one history.
pub fn advice_for<'a>(
    own: &'a History,
    kin: &'a History,
    terms: &Terms<'_>,
) -> Option<(Source, &'a Entry)> {
    let Some(current) = own.current(terms) else {
        return kin.current(terms).map(|entry| (Source::Parent, entry));
    };
    let is_newest = own.entries.last().is_some_and(|newest| newest == current);
    Some((if is_newest { Source::Newest } else { Source::LastGood }, current))
}

#[cfg(test)]
mod tests;
