//! From what is expected of each arm to the exact law of the draw. Must not know where the expectations come from.

use super::best::{Normal, chances};
use super::math::normal_quantile;
use super::settings::{Budget, Nursery, Settings};
use crate::policy::{ArmView, Distribution, weights};

/// What is expected of one arm, or of silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The chance of activation.
    pub mean: f64,
    /// Its standard deviation, save for what all arms share.
    pub sd: f64,
    /// How often it was exposed, ever.
    pub exposures: i64,
    /// Whether it is proven to be dismissed more often than it may be: it is not drawn.
    pub barred: bool,
}

/// A law, and what it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// How likely each arm and no guide is.
    pub distribution: Distribution,
    /// What is expected of each arm.
    pub arms: Vec<Standing>,
    /// What is expected of no guide.
    pub silence: Standing,
}

/// The law over these arms, in file order: Thompson sampling's chances, within the budget, over an even floor.
pub(super) fn law(
    views: &[ArmView<'_>],
    arms: Vec<Standing>,
    silence: Standing,
    settings: &Settings,
) -> Law {
    // By id, so that the last bits of a sum do not depend on the order of the file.
    let mut order: Vec<usize> = (0..views.len()).collect();
    order.sort_by_key(|place| views.get(*place));
    let mut open: Vec<(usize, Standing)> = order
        .iter()
        .filter_map(|place| arms.get(*place).map(|arm| (*place, *arm)))
        .filter(|(_, arm)| !arm.barred)
        .collect();
    admit(&mut open, &settings.nursery, settings.scale);
    let mut shares = shares(&open, silence, settings.scale);
    if let Some(budget) = settings.budget {
        keep_within(&mut shares, &open, silence, budget);
    }
    let (no_guide, shares) =
        shares.split_last().map_or((1.0, &[][..]), |(last, rest)| (*last, rest));
    // What waits has the floor, as everything has that may be shown; what is barred has nothing.
    let mut weighed: Vec<Option<f64>> =
        arms.iter().map(|arm| (!arm.barred).then_some(0.0)).collect();
    for ((place, _), share) in open.iter().zip(shares) {
        if let Some(entry) = weighed.get_mut(*place) {
            *entry = Some(*share);
        }
    }
    let distribution = weights::distribution(views, &weighed, no_guide, settings.explore);
    Law { distribution, arms, silence }
}

/// Lets new arms in beside known ones: the furthest few, each beginning with the nursery's chance to beat the best known
/// arm, and moving to its own expectation as exposures come; the others wait. Where no arm is known, none is new.
fn admit(open: &mut Vec<(usize, Standing)>, nursery: &Nursery, scale: f64) {
    let is_new = |arm: &Standing| arm.exposures < nursery.exposures;
    let known = open.iter().map(|(_, arm)| *arm).filter(|arm| !is_new(arm));
    let Some(best) = known.reduce(|a, b| if b.mean > a.mean { b } else { a }) else { return };
    let mut new: Vec<(usize, i64)> = open
        .iter()
        .filter(|(_, arm)| is_new(arm))
        .map(|(place, arm)| (*place, arm.exposures))
        .collect();
    if new.is_empty() {
        return;
    }
    // A stable sort: equal ones stay in the order of their ids.
    new.sort_by_key(|(_, exposures)| -exposures);
    new.truncate(nursery.most);
    open.retain(|(place, arm)| !is_new(arm) || new.iter().any(|(admitted, _)| admitted == place));
    let quantile = normal_quantile(nursery.chance);
    for (_, arm) in open.iter_mut().filter(|(_, arm)| is_new(arm)) {
        let spread = scale * (arm.sd * arm.sd + best.sd * best.sd).sqrt();
        let begins = best.mean + quantile * spread;
        let grown = arm.exposures as f64 / nursery.exposures as f64;
        arm.mean = begins + grown * (arm.mean - begins);
    }
}

/// How likely each open arm, and silence last, has the highest expectation.
fn shares(open: &[(usize, Standing)], silence: Standing, scale: f64) -> Vec<f64> {
    let arms = open.iter().map(|(_, arm)| arm).chain([&silence]);
    let scores: Vec<Normal> =
        arms.map(|arm| Normal { mean: arm.mean, sd: scale * arm.sd }).collect();
    chances(&scores)
}

/// Moves weight to the default arm, the first open one in file order, until no more than the budget can be lost against it:
/// what an arm may lose is what the default is expected to bring, less the arm's own cautious expectation, which is not below 0.
fn keep_within(shares: &mut [f64], open: &[(usize, Standing)], silence: Standing, budget: Budget) {
    let Some(place) = (0..open.len()).min_by_key(|n| open.get(*n).map(|(place, _)| *place)) else {
        return;
    };
    let Some((_, default)) = open.get(place) else { return };
    let arms: Vec<Standing> = open.iter().map(|(_, arm)| *arm).chain([silence]).collect();
    let loss = |(n, arm): (usize, &Standing)| {
        let spread = (arm.sd * arm.sd + default.sd * default.sd).sqrt();
        let cautious = (arm.mean - budget.caution * spread).max(0.0);
        if n == place { 0.0 } else { (default.mean - cautious).max(0.0) }
    };
    let risked = arms
        .iter()
        .enumerate()
        .map(loss)
        .zip(shares.iter())
        .fold(0.0, |sum, (loss, share)| sum + loss * share);
    let allowed = budget.share * default.mean;
    if risked <= allowed {
        return;
    }
    let kept = allowed / risked;
    shares.iter_mut().for_each(|share| *share *= kept);
    let moved = 1.0 - shares.iter().fold(0.0, |sum, share| sum + share);
    if let Some(share) = shares.get_mut(place) {
        *share += moved;
    }
}

#[cfg(test)]
mod tests;
