//! A brief as JSON, for records and for whoever looks at what was asked. Must not hold more than the model was told.

use pilotage_domain::advise::Brief;
use pilotage_domain::id::{GuideId, PromptId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a model was asked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Brief")]
pub struct BriefBody {
    /// The situation, in hexadecimal.
    pub signature: Box<str>,
    /// The wider situation around it, in hexadecimal.
    pub parent: Box<str>,
    /// The hash of the definition that the options are from, in hexadecimal.
    pub catalogue: Box<str>,
    /// What it was asked with.
    #[schemars(with = "String")]
    pub prompt: PromptId,
    /// The guides that it could choose, by id; it could choose no guide as well.
    pub options: Vec<OptionBody>,
    /// `{"features": {…}, "milestones": {…}}`, as it was told.
    #[schemars(with = "serde_json::Value")]
    pub situation: Box<RawValue>,
}

/// A guide that could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BriefOption")]
pub struct OptionBody {
    /// Which.
    #[schemars(with = "String")]
    pub id: GuideId,
    /// What it is for, as it was told.
    pub about: Box<str>,
}

impl From<&Brief> for BriefBody {
    fn from(brief: &Brief) -> Self {
        let option = |o: &pilotage_domain::advise::brief::Offered| OptionBody {
            id: o.guide.clone(),
            about: o.about.clone(),
        };
        Self {
            signature: brief.signature().to_string().into(),
            parent: brief.parent().to_string().into(),
            catalogue: brief.catalogue().to_string().into(),
            prompt: brief.prompt().clone(),
            options: brief.options().iter().map(option).collect(),
            situation: RawValue::from_string(brief.situation()).expect("canonical JSON is JSON"),
        }
    }
}
