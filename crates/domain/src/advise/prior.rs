//! What a decision takes from an advice: shares of the options, and how much its age leaves of them. Must not choose, nor know of
//! rewards: what advice is worth after them is the learner's to say.

use std::collections::BTreeMap;

use super::brief::Pick;
use super::history::{OUT_OF_DATE, STALE};
use super::ladder::{Advice, Share};
use crate::id::GuideId;
use crate::learn::space::advice_for;
use crate::number::{Probability, Propensity};
use crate::time::{Millis, Timestamp};

/// How much its age leaves of an advice: all of it until it is stale, then evenly less until it is out of date.
fn freshness(age: Millis) -> Probability {
    let life = OUT_OF_DATE.get() - STALE.get();
    let left = OUT_OF_DATE.get().saturating_sub(age.get()).min(life);
    Probability::new(left as f64 / life as f64).unwrap_or(Probability::ZERO)
}

/// An advice as a decision uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    guides: BTreeMap<GuideId, u64>,
    no_guide: u64,
    options: usize,
    strength: Probability,
}

impl Prior {
    /// The prior of an advice that is in force, for the guides that may be shown on its word (`mode`): those that may not
    /// get nothing of it.
    pub fn new(advice: &Advice, at: Timestamp, admits: impl Fn(&GuideId) -> bool) -> Self {
        let mut guides = BTreeMap::new();
        let mut no_guide = 0;
        for Share { pick, parts } in advice.ranked() {
            match pick {
                Pick::NoGuide => no_guide = *parts,
                Pick::Guide(id) if admits(id) => drop(guides.insert(id.clone(), *parts)),
                Pick::Guide(_) => {}
            }
        }
        let strength = freshness(at.since(advice.at()));
        Self { guides, no_guide, options: advice.ranked().len(), strength }
    }

    /// The guide's share, in parts of 2³²; 0 for a guide that was not advised about.
    pub fn parts(&self, guide: &GuideId) -> u64 {
        self.guides.get(guide).copied().unwrap_or(0)
    }

    /// What it says for a guide, as a learner's coordinate (`learn::space::advice_for`); nothing for a guide that was not advised about, or
    /// may not be shown on its word.
    pub fn says_for(&self, guide: &GuideId) -> f64 {
        let share = self.guides.get(guide).map(|parts| *parts as f64 / Propensity::SCALE as f64);
        share.map_or(0.0, |share| advice_for(share, self.options, self.strength.get()))
    }

    /// The share of no guide, in parts of 2³².
    pub const fn no_guide(&self) -> u64 {
        self.no_guide
    }

    /// What its age leaves of the advice: 1 while it is fresh.
    pub const fn strength(&self) -> Probability {
        self.strength
    }
}

#[cfg(test)]
mod tests;
