//! The ladder when an answer arrives: L2, L3 and L9, in order. Must be pure and total: for whatever a provider sends, either
//! advice about the brief's own options or one refusal.

use std::collections::BTreeSet;

use super::brief::{Brief, Pick};
use super::proposal::Proposal;
pub use super::provenance::InForce;
use super::refusal::{Fault, Protocol, Refusal};
use crate::hash::ContentHash;
use crate::id::PromptId;
use crate::number::{Probability, Propensity};
use crate::time::Timestamp;

/// How far the probabilities of an answer may be from summing to 1.
pub const TOLERANCE: f64 = 0.02;

/// What comes of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The advice, or why there is none.
    pub advice: Result<Advice, Refusal>,
    /// Options that were refused while others stood.
    pub passed_over: Vec<Refusal>,
}

/// A model's answer that the ladder has passed: shares of a situation's options. Only the ladder can make one.
///
/// It is no permission to show anything: every decision judges every guide again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    signature: ContentHash,
    parent: ContentHash,
    catalogue: ContentHash,
    prompt: PromptId,
    at: Timestamp,
    ranked: Vec<Share>,
}

/// An option's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Which option.
    pub pick: Pick,
    /// Parts of 2³²; those of all options sum to exactly that.
    pub parts: u64,
}

/// An advice as it is kept: plain data, that anybody can make up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The situation that it is about.
    pub signature: ContentHash,
    /// The wider situation.
    pub parent: ContentHash,
    /// The hash of the definition that was asked about.
    pub catalogue: ContentHash,
    /// What was asked with.
    pub prompt: PromptId,
    /// When it was given.
    pub at: Timestamp,
    /// The options with their shares, in any order.
    pub ranked: Vec<Share>,
}

impl Advice {
    /// What was kept, as advice again; `None` where no ladder can have passed it: an option that stands twice, or shares
    /// that don't sum to exactly 1. Whether it is in force is for its history to say.
    pub fn recall(kept: Kept) -> Option<Self> {
        let Kept { signature, parent, catalogue, prompt, at, mut ranked } = kept;
        ranked.sort_by(|a, b| b.parts.cmp(&a.parts).then_with(|| a.pick.cmp(&b.pick)));
        let sum = ranked.iter().try_fold(0u64, |sum, share| sum.checked_add(share.parts))?;
        let picks: BTreeSet<&Pick> = ranked.iter().map(|share| &share.pick).collect();
        let sound = sum == Propensity::SCALE && picks.len() == ranked.len();
        sound.then_some(Self { signature, parent, catalogue, prompt, at, ranked })
    }

    /// The advice to be kept.
    pub fn keep(&self) -> Kept {
        let Self { signature, parent, catalogue, prompt, at, ranked } = self.clone();
        Kept { signature, parent, catalogue, prompt, at, ranked }
    }

    /// The situation that it is about.
    pub const fn signature(&self) -> ContentHash {
        self.signature
    }
    /// The wider situation, for which it may stand in.
    pub const fn parent(&self) -> ContentHash {
        self.parent
    }
    /// The hash of the definition that was asked about.
    pub const fn catalogue(&self) -> ContentHash {
        self.catalogue
    }
    /// What was asked with.
    pub const fn prompt(&self) -> &PromptId {
        &self.prompt
    }
    /// When it was given.
    pub const fn at(&self) -> Timestamp {
        self.at
    }
    /// The options from the most to the least probable; equal ones by id, no guide last.
    pub fn ranked(&self) -> &[Share] {
        &self.ranked
    }

    /// How unsure the answer is: 1 less the lead of the first option over the second.
    pub fn uncertainty(&self) -> Probability {
        let parts = |place: usize| self.ranked.get(place).map_or(0, |share| share.parts);
        let lead = parts(0).saturating_sub(parts(1)) as f64 / Propensity::SCALE as f64;
        Probability::new(1.0 - lead).unwrap_or(Probability::ONE)
    }
}

/// Climbs the ladder with an answer to this brief: L2 and L3, then L9 at the moment of its arrival.
///
/// From L3 on a refused option does not cost the others: the next one stands, with a refusal noted.
pub fn judge(brief: &Brief, proposal: &Proposal, in_force: &InForce<'_>) -> Verdict {
    let mut passed_over = Vec::new();
    let advice = climb(brief, proposal, in_force, &mut passed_over);
    Verdict { advice, passed_over }
}

/// An option with its weight, in any unit.
type Weighed = (Pick, f64);

fn climb(
    brief: &Brief,
    proposal: &Proposal,
    in_force: &InForce<'_>,
    passed_over: &mut Vec<Refusal>,
) -> Result<Advice, Refusal> {
    let offered = match proposal {
        Proposal::Weighed { options, chosen } => weighed(brief, options, chosen.as_deref())?,
        Proposal::Ranked(names) => ranked(brief, names, passed_over)?,
    };
    in_force.holds(brief.catalogue(), brief.prompt()).map_err(Refusal::whole)?;
    let mut standing = Vec::with_capacity(offered.len());
    for (pick, weight) in offered {
        let held = match &pick {
            Pick::Guide(id) => in_force.holds_guide(id),
            Pick::NoGuide => Ok(()),
        };
        match held {
            Ok(()) => standing.push((pick, weight)),
            Err(fault) => passed_over.push(Refusal::of(pick, fault)),
        }
    }
    let Some(ranked) = in_parts(standing) else {
        return Err(first_of(passed_over));
    };
    Ok(Advice {
        signature: brief.signature(),
        parent: brief.parent(),
        catalogue: brief.catalogue(),
        prompt: brief.prompt().clone(),
        at: in_force.at,
        ranked,
    })
}

/// L2 for an answer with probabilities: exactly the brief's options, once each, in range, summing to 1, the best one best.
/// Then L3 holds as well.
fn weighed(
    brief: &Brief,
    options: &[(Box<str>, f64)],
    chosen: Option<&str>,
) -> Result<Vec<Weighed>, Refusal> {
    let fault = |fault: Protocol| Err(Refusal::whole(fault));
    let mut picks: Vec<Weighed> = Vec::with_capacity(options.len());
    for (name, probability) in options {
        let Some(pick) = brief.pick(name) else { return fault(Protocol::Options) };
        if picks.iter().any(|(known, _)| *known == pick) {
            return fault(Protocol::Doubled);
        }
        if !(0.0..=1.0).contains(probability) {
            return fault(Protocol::Range);
        }
        picks.push((pick, *probability));
    }
    if picks.len() != brief.names().count() {
        return fault(Protocol::Options);
    }
    let sum: f64 = picks.iter().map(|(_, probability)| probability).sum();
    // The tolerance is a decimal number, and sums of decimals are a little off.
    if (sum - 1.0).abs() > TOLERANCE + 1e-9 {
        return fault(Protocol::Sum);
    }
    if let Some(name) = chosen {
        let best = picks.iter().map(|(_, probability)| *probability).fold(0.0, f64::max);
        match picks.iter().find(|(pick, _)| pick.name() == name) {
            None => return fault(Protocol::Options),
            Some((_, probability)) if *probability < best => return fault(Protocol::Choice),
            Some(_) => {}
        }
    }
    Ok(picks)
}

/// L2 and L3 for an answer that names the best options without numbers: what is named is weighed by its rank, and what is
/// not shares the rest.
fn ranked(
    brief: &Brief,
    names: &[Box<str>],
    passed_over: &mut Vec<Refusal>,
) -> Result<Vec<Weighed>, Refusal> {
    if names.is_empty() {
        return Err(Refusal::whole(Protocol::Empty));
    }
    let mut picks: Vec<Weighed> = Vec::new();
    let mut left = 1.0;
    for name in names {
        let Some(pick) = brief.pick(name) else {
            // The name is the provider's own: it is not repeated.
            passed_over.push(Refusal::whole(Fault::Membership));
            continue;
        };
        if picks.iter().any(|(known, _)| *known == pick) {
            return Err(Refusal::whole(Protocol::Doubled));
        }
        left /= 2.0;
        picks.push((pick, left));
    }
    if picks.is_empty() {
        return Err(first_of(passed_over));
    }
    let unnamed: Vec<Pick> = brief
        .names()
        .filter_map(|name| brief.pick(name))
        .filter(|pick| !picks.iter().any(|(known, _)| known == pick))
        .collect();
    let share = left / unnamed.len().max(1) as f64;
    picks.extend(unnamed.into_iter().map(|pick| (pick, share)));
    Ok(picks)
}

/// Where nothing stands, the first option's refusal is the answer's.
fn first_of(passed_over: &mut Vec<Refusal>) -> Refusal {
    let refusals = std::mem::take(passed_over);
    let mut refusals = refusals.into_iter();
    let first = refusals.next();
    passed_over.extend(refusals);
    first.unwrap_or_else(|| Refusal::whole(Protocol::Empty))
}

/// The weights as parts that sum to exactly 2³², the most first; what rounding leaves over goes to the first. `None` where
/// nothing has any weight.
fn in_parts(mut weighed: Vec<Weighed>) -> Option<Vec<Share>> {
    weighed.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.cmp(b)));
    let total: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    if !(total.is_finite() && total > 0.0) {
        return None;
    }
    let scale = Propensity::SCALE as f64;
    let parts = |weight: f64| (weight / total * scale) as u64;
    let mut shares: Vec<Share> = weighed
        .into_iter()
        .map(|(pick, weight)| Share { pick, parts: parts(weight).min(Propensity::SCALE) })
        .collect();
    let sum: u64 = shares.iter().map(|share| share.parts).sum();
    let first = shares.first_mut()?;
    first.parts = (first.parts + Propensity::SCALE).saturating_sub(sum);
    Some(shares)
}

#[cfg(test)]
mod tests;
