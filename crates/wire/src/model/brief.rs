//! A brief as JSON, for records and for whoever looks at what was asked. Must not hold more than the model was told.

use pilotage_domain::advise::Brief;
use pilotage_domain::advise::brief::{KeptBrief, Offered};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::{GuideId, PromptId};
use pilotage_domain::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::unhex;

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
        let option = |o: &Offered| OptionBody { id: o.guide.clone(), about: o.about.clone() };
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

impl BriefBody {
    /// The question again, where it is one under this definition.
    pub fn recall(self, definition: &Definition) -> Option<Brief> {
        let situation: Value = serde_json::from_str(self.situation.get()).ok()?;
        let Value::Map(features) = situation.member("features")?.clone() else { return None };
        let Value::Map(milestones) = situation.member("milestones")? else { return None };
        let status =
            |(id, status): &(Box<str>, Value)| Some((id.clone(), Box::from(status.as_text()?)));
        let option = |o: OptionBody| Offered { guide: o.id, about: o.about };
        let kept = KeptBrief {
            signature: unhex(&self.signature)?,
            parent: unhex(&self.parent)?,
            catalogue: unhex(&self.catalogue)?,
            prompt: self.prompt,
            options: self.options.into_iter().map(option).collect(),
            features,
            milestones: milestones.iter().map(status).collect::<Option<_>>()?,
        };
        Brief::recall(kept, definition)
    }
}
