//! What the learner went by in a decision, for whoever asks for an explanation. Must not weigh anything itself.

use pilotage_domain::learn::Weighing;
use pilotage_domain::learn::features::ONE;
use schemars::JsonSchema;
use serde::Serialize;

/// What the learner went by.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Learner")]
pub struct LearnerBody<'a> {
    /// The log position up to which it had learnt; 0 before it had learnt anything.
    pub posterior: u64,
    /// The number of 32 bits that decided the draw: the same for as long as the page asks again in a session.
    pub number: u32,
    /// What the situation looked like.
    pub context: Vec<FeatureBody<'a>>,
    /// What was expected of showing nothing.
    pub no_guide: ExpectedBody,
}

/// What the learner expects of an arm.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Weighed")]
pub struct WeighedBody<'a> {
    /// The chance of activation after it.
    #[serde(flatten)]
    pub expected: ExpectedBody,
    /// How often it had been seen.
    pub exposures: u64,
    /// It is dismissed too often to be drawn.
    pub barred: bool,
    /// What it looked like.
    pub features: Vec<FeatureBody<'a>>,
}

/// A chance of activation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Expected")]
pub struct ExpectedBody {
    /// What is expected, in [0, 1].
    pub mean: f64,
    /// Its standard deviation, save for what all arms share.
    pub sd: f64,
}

/// A feature that is not 0.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Feature")]
pub struct FeatureBody<'a> {
    /// What it is called: `tier=trial`.
    pub name: &'a str,
    /// Its value; 1 where it holds.
    pub value: f64,
}

impl<'a> LearnerBody<'a> {
    /// What stands in the decision.
    pub fn new(weighing: &'a Weighing) -> Self {
        Self {
            posterior: weighing.posterior,
            number: weighing.number,
            context: named(weighing, &weighing.context),
            no_guide: ExpectedBody { mean: weighing.silence.mean, sd: weighing.silence.sd },
        }
    }
}

impl<'a> WeighedBody<'a> {
    /// What stands in the decision, for each arm.
    pub fn all(weighing: &'a Weighing) -> impl Iterator<Item = Self> {
        weighing.arms.iter().map(|arm| Self {
            expected: ExpectedBody { mean: arm.expected.mean, sd: arm.expected.sd },
            exposures: arm.exposures,
            barred: arm.barred,
            features: named(weighing, &arm.features),
        })
    }
}

fn named<'a>(weighing: &'a Weighing, features: &[(u16, i32)]) -> Vec<FeatureBody<'a>> {
    let body = |(name, value): &(u16, i32)| {
        let name = weighing.names.get(usize::from(*name))?;
        Some(FeatureBody { name, value: f64::from(*value) / f64::from(ONE) })
    };
    features.iter().filter_map(body).collect()
}
