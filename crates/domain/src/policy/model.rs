//! The law of a model's advice over the arms of a decision: mixed with an even floor, in exact parts. Must not give anything to
//! what is no arm: the rules have passed every arm, and the model has passed none.

use super::{ArmView, Distribution, even, filled_up};
use crate::advise::Prior;
use crate::number::Propensity;

/// The share that is always spread evenly, so that every arm stays possible and the log can be evaluated: a tenth.
const FLOOR: u64 = Propensity::SCALE / 10;

/// The law over these arms, given in file order. What the floor leaves goes by the advice as far as the prior is strong,
/// and evenly as far as it is not. The share of a guide that can't be shown now falls to the others in their proportions;
/// a guide's wordings get equal parts of its share. Without a prior, or where it says nothing about these arms, the law is
/// even.
pub fn distribution(arms: &[ArmView<'_>], prior: Option<&Prior>) -> Distribution {
    let Some(prior) = prior else { return even(arms) };
    let wordings = |arm: &ArmView<'_>| arms.iter().filter(|a| a.guide == arm.guide).count() as u64;
    let weight = |arm: &ArmView<'_>| prior.parts(arm.guide) / wordings(arm).max(1);
    let weights: Vec<u64> = arms.iter().map(weight).collect();
    let whole = weights.iter().sum::<u64>() + prior.no_guide();
    if whole == 0 || arms.is_empty() {
        return even(arms);
    }
    let most = (Propensity::SCALE - FLOOR) as f64 * prior.strength().get();
    let advised = u128::from(most as u64);
    // At most the advised parts, rounded down: the quotient fits.
    let parts = |weight: u64| (u128::from(weight) * advised / u128::from(whole)) as u64;
    filled_up(arms, weights.iter().map(|weight| parts(*weight)).collect(), parts(prior.no_guide()))
}

#[cfg(test)]
mod tests;
