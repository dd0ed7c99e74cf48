//! What a decision takes from an advice: shares of the options, worth at most ten exposures, and less as the advice ages or
//! rewards speak against it. Must not choose, nor count for more than that.

use std::collections::BTreeMap;

use super::brief::Pick;
use super::history::{OUT_OF_DATE, STALE};
use super::ladder::{Advice, Share};
use crate::id::GuideId;
use crate::learn::math::{exp, ln};
use crate::learn::space::advice_for;
use crate::number::{Probability, Propensity};
use crate::time::{Millis, Timestamp};

/// What fresh advice counts for that nothing speaks against: so many exposures, never seen.
pub const MOST_EXPOSURES: f64 = 10.0;

/// What became of an option in the situation that an advice is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Which option.
    pub pick: Pick,
    /// How often it was chosen and, where it is a guide, seen.
    pub exposures: u64,
    /// How often the reward followed.
    pub rewards: u64,
}

/// How much rewards leave of an advice: 1 where they agree with it, and towards 0 as they speak against it.
///
/// The claim that is tested is a mild one: that an option's rate of reward goes with the mean of its share and an even
/// share. Under it, a reward came from an option as often as exposures times that mean say; without it, as often as its
/// exposures alone. The likelihood of the first over that of the second is what is left, at most 1. A doubled number of
/// rewards against the advice squares what is left; no number of rewards for it makes it count for more.
pub fn agreement(advice: &Advice, tallies: &[Tally]) -> Probability {
    let even = 1.0 / advice.ranked().len().max(1) as f64;
    let claim = |pick: &Pick| {
        let share = advice.ranked().iter().find(|share| share.pick == *pick);
        share.map(|share| f64::midpoint(share.parts as f64 / Propensity::SCALE as f64, even))
    };
    let counted: Vec<(f64, f64, f64)> = tallies
        .iter()
        .filter_map(|t| Some((claim(&t.pick)?, t.exposures as f64, t.rewards as f64)))
        .collect();
    let exposures: f64 = counted.iter().map(|(_, seen, _)| seen).sum();
    let claimed: f64 = counted.iter().map(|(claim, seen, _)| claim * seen).sum();
    if exposures == 0.0 {
        return Probability::ONE;
    }
    let log: f64 =
        counted.iter().map(|(claim, _, rewards)| rewards * ln(claim * exposures / claimed)).sum();
    Probability::new(exp(log.min(0.0))).unwrap_or(Probability::ZERO)
}

/// How much its age leaves of an advice: all of it until it is stale, then evenly less until it is out of date.
fn freshness(age: Millis) -> f64 {
    let life = OUT_OF_DATE.get() - STALE.get();
    let left = OUT_OF_DATE.get().saturating_sub(age.get()).min(life);
    left as f64 / life as f64
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
    pub fn new(
        advice: &Advice,
        at: Timestamp,
        agreement: Probability,
        admits: impl Fn(&GuideId) -> bool,
    ) -> Self {
        let mut guides = BTreeMap::new();
        let mut no_guide = 0;
        for Share { pick, parts } in advice.ranked() {
            match pick {
                Pick::NoGuide => no_guide = *parts,
                Pick::Guide(id) if admits(id) => drop(guides.insert(id.clone(), *parts)),
                Pick::Guide(_) => {}
            }
        }
        let strength = agreement.get() * freshness(at.since(advice.at()));
        let strength = Probability::new(strength).unwrap_or(Probability::ZERO);
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

    /// Among how many options the shares were given, no guide among them; with the shares this is what a learner needs to
    /// tell praise from the even share.
    pub const fn options(&self) -> usize {
        self.options
    }

    /// What is left of the advice: 1 while it is fresh and nothing speaks against it.
    pub const fn strength(&self) -> Probability {
        self.strength
    }

    /// For how many exposures it counts, over all options: at most `MOST_EXPOSURES`. A learner starts an option with this
    /// times the option's share.
    pub fn exposures(&self) -> f64 {
        MOST_EXPOSURES * self.strength.get()
    }
}

#[cfg(test)]
mod tests;
