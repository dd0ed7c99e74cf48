//! What a decision notes of its weighing: what the situation and the arms looked like, what was expected of each, which number
//! decided. Must hold names, not coordinates: what is on record is read under later definitions, too.

use serde::{Deserialize, Serialize};

use super::features::Features;
use super::law::Standing;
use super::space::Space;
use crate::number::Propensity;

/// How the arms of one decision were weighed. Features come as places in `names` with values in parts of 2¹⁶.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weighing {
    /// The log position that the beliefs stand for; 0 before the first.
    pub posterior: u64,
    /// The number of 32 bits that decided the draw.
    pub number: u32,
    /// The place of what was drawn in `arms`; `None` is no guide.
    pub chosen: Option<u16>,
    /// With which probability it was drawn.
    pub propensity: Option<Propensity>,
    /// What the features are called.
    pub names: Vec<Box<str>>,
    /// What the situation looked like.
    pub context: Vec<(u16, i32)>,
    /// The arms in the order of the trace: guides in file order, wordings as they passed.
    pub arms: Vec<Weighed>,
    /// What was expected of no guide.
    pub silence: Expected,
}

/// How one arm was weighed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weighed {
    /// What it looked like.
    pub features: Vec<(u16, i32)>,
    /// What was expected of it.
    pub expected: Expected,
    /// How often it had been exposed.
    pub exposures: u64,
    /// It is dismissed too often to be drawn.
    pub barred: bool,
}

/// The chance of activation that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The mean, in [0, 1].
    pub mean: f64,
    /// The standard deviation, save for what all arms share.
    pub sd: f64,
}

impl Weighed {
    /// An arm that looks so, and stands so.
    pub(super) fn new(features: Vec<(u16, i32)>, standing: &Standing) -> Self {
        Self {
            features,
            expected: Expected::from(standing),
            exposures: standing.exposures.unsigned_abs(),
            barred: standing.barred,
        }
    }
}

impl From<&Standing> for Expected {
    fn from(standing: &Standing) -> Self {
        Self { mean: standing.mean, sd: standing.sd }
    }
}

impl Weighing {
    /// What the situation and the drawn arm look like in that space; features that it does not know are left out.
    pub fn features(&self, space: &Space) -> Features {
        let drawn = self.chosen.and_then(|place| self.arms.get(usize::from(place)));
        let arm = drawn.map_or(&[][..], |arm| &arm.features);
        let named = self.context.iter().chain(arm).filter_map(|(name, value)| {
            let name = self.names.get(usize::from(*name))?;
            Some((space.place(name)?, *value))
        });
        Features::of_parts(named.collect())
    }
}
