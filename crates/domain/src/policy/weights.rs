//! From weights to an exact law: an even floor, the rest by weight, in parts of 2³². Must not know where weights come from.

use super::{ArmView, Distribution};
use crate::number::{Probability, Propensity};

/// The law over these arms, given in file order, and no guide. An arm without a weight is closed: it gets nothing at all.
///
/// `floor` is spread evenly over the open arms and no guide, each at least ⌊2³²·floor/n⌋ parts of 2³²; what it leaves goes
/// by weight. What is lost to rounding goes to the open arms by id, one part each. Weights that are no weights (negative, or
/// no numbers, or all 0) give an even law.
pub fn distribution(
    arms: &[ArmView<'_>],
    weights: &[Option<f64>],
    no_guide: f64,
    floor: Probability,
) -> Distribution {
    let mut order: Vec<usize> = (0..arms.len()).collect();
    order.sort_by_key(|&place| arms.get(place));
    let open = || order.iter().filter_map(|place| Some((*place, weights.get(*place).copied()??)));
    let choices = open().count() as u64 + 1;
    let total = open().fold(no_guide, |sum, (_, weight)| sum + weight);
    let sound = open().all(|(_, weight)| weight >= 0.0) && no_guide >= 0.0;
    let sound = sound && total > 0.0 && total.is_finite();
    // Exact: 2³² times a share has no more than 53 bits of its own.
    let least = (Propensity::SCALE as f64 * floor.get()) as u64 / choices;
    let rest = (Propensity::SCALE - least * choices) as f64;
    let share = |weight: f64| match sound {
        true => least + (weight / total * rest) as u64,
        false => Propensity::SCALE / choices,
    };
    let mut parts = vec![0; arms.len()];
    let mut left = Propensity::SCALE - share(no_guide).min(Propensity::SCALE);
    for (place, weight) in open() {
        let given = share(weight).min(left);
        left -= given;
        parts.get_mut(place).into_iter().for_each(|entry| *entry = given);
    }
    for (place, _) in open() {
        let odd = left.min(1);
        left -= odd;
        parts.get_mut(place).into_iter().for_each(|entry| *entry += odd);
    }
    Distribution { arms: parts, order, no_guide: share(no_guide).min(Propensity::SCALE) + left }
}

#[cfg(test)]
mod tests;
