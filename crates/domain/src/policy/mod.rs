//! The chooser: from eligible arms to a distribution over them and no guide, and from a number to a choice. Must not
//! know any rule: every arm that it sees may be shown.

pub mod model;
pub mod sticky;
pub mod weights;

use crate::hash::uniform;
use crate::id::{DecisionId, GuideId, VariantId};
use crate::number::Propensity;

/// Which chooser is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The first eligible arm in file order, always.
    Static,
    /// Every eligible arm and no guide alike.
    Random,
    /// As a model has advised, over an even floor; as `Random` where there is no advice.
    Model,
    /// What leads to activation, as far as is learnt; as `Random` where nothing is believed.
    Learner,
}

impl Policy {
    /// Its name and version, as decisions record it; also a key of the draw, so that a new version draws afresh.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Random => "random",
            Self::Model => "model",
            Self::Learner => crate::learn::NAME,
        }
    }
}

/// What a policy may know of an eligible arm: one wording of one guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArmView<'a> {
    /// The guide.
    pub guide: &'a GuideId,
    /// The wording.
    pub variant: &'a VariantId,
}

/// What a draw comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The arm at this place of the list that the distribution was made for.
    Arm(usize),
    /// Show nothing.
    NoGuide,
}

/// How likely each arm and no guide is, in parts of 2³² that sum to exactly 2³².
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Parts by the arm's place.
    arms: Vec<u64>,
    /// The arms' places in the order in which the draw passes them.
    order: Vec<usize>,
    no_guide: u64,
}

impl Distribution {
    /// How likely the choice is; `None` where it can't be drawn.
    pub fn propensity(&self, choice: Choice) -> Option<Propensity> {
        let parts = match choice {
            Choice::Arm(place) => self.arms.get(place).copied().unwrap_or(0),
            Choice::NoGuide => self.no_guide,
        };
        Propensity::from_parts(parts)
    }

    /// The same law in a list of `count` arms, of which only those at these places have a part in it.
    #[must_use]
    pub fn among(self, places: &[usize], count: usize) -> Self {
        let mut arms = vec![0; count];
        for (place, parts) in places.iter().zip(self.arms) {
            arms.get_mut(*place).into_iter().for_each(|entry| *entry = parts);
        }
        let order = self.order.iter().filter_map(|at| places.get(*at).copied()).collect();
        Self { arms, order, no_guide: self.no_guide }
    }

    /// The choice that this number falls on; every number of 32 bits stands for one part.
    pub fn draw(&self, number: u32) -> Choice {
        let mut rest = u64::from(number);
        for &place in &self.order {
            let parts = self.arms.get(place).copied().unwrap_or(0);
            if rest < parts {
                return Choice::Arm(place);
            }
            rest -= parts;
        }
        Choice::NoGuide
    }
}

/// The law by which the policy chooses among these arms, given in file order. Without an arm it is no guide for sure.
pub fn distribution(policy: Policy, arms: &[ArmView<'_>]) -> Distribution {
    match policy {
        Policy::Static => first(arms.len()),
        Policy::Random | Policy::Model | Policy::Learner => even(arms),
    }
}

fn first(count: usize) -> Distribution {
    let arms = (0..count).map(|place| if place == 0 { Propensity::SCALE } else { 0 }).collect();
    let no_guide = if count == 0 { Propensity::SCALE } else { 0 };
    Distribution { arms, order: (0..count).collect(), no_guide }
}

fn even(views: &[ArmView<'_>]) -> Distribution {
    filled_up(views, vec![0; views.len()], 0)
}

/// The parts that are given so far, and the rest of 2³² spread evenly on top.
///
/// Equal standing goes by id, so that neither the draw nor the few odd parts depend on the order of the file: the first
/// ones by id get one part more where the choices don't divide the rest.
fn filled_up(views: &[ArmView<'_>], mut arms: Vec<u64>, no_guide: u64) -> Distribution {
    let choices = views.len() as u64 + 1;
    let given: u64 = arms.iter().sum::<u64>() + no_guide;
    let rest = Propensity::SCALE.saturating_sub(given);
    let (share, odd) = (rest / choices, rest % choices);
    let mut order: Vec<usize> = (0..views.len()).collect();
    order.sort_by_key(|&place| views.get(place));
    arms.iter_mut().for_each(|parts| *parts += share);
    for &place in order.iter().take(usize::try_from(odd).unwrap_or(usize::MAX)) {
        if let Some(parts) = arms.get_mut(place) {
            *parts += 1;
        }
    }
    Distribution { arms, order, no_guide: no_guide + share }
}

/// The number that decides a draw: a keyed hash of the decision and the policy, so that it can be drawn again.
pub fn draw_number(decision: DecisionId, policy: Policy) -> u32 {
    let parts: [&[u8]; 2] = [&decision.draw_bits().to_be_bytes(), policy.name().as_bytes()];
    (uniform("draw", &parts) >> 32) as u32
}

#[cfg(test)]
mod tests;
