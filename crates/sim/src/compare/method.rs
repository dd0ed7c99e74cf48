//! The ways to guide that are compared. Must not guide: engines and baselines do.

use pilotage_domain::policy::Policy;
use serde::Serialize;

/// A way to guide visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Nobody is shown anything.
    Nothing,
    /// A fixed sequence of guides, one after the other on the page where each belongs, whatever the visitor has done.
    Sequence,
    /// A model is asked at every event; it sees the page and not the visitor.
    ModelPerEvent,
    /// The engine's rules; among what they pass, the wording with the luckiest draw from its clicks (Beta-Thompson).
    Clicks,
    /// The engine; the first guide that its rules pass.
    Static,
    /// The engine; every guide that its rules pass and no guide alike.
    Random,
    /// The engine; what it learns to lead to activation.
    Learner,
    /// The same under looser contact rules, as an owner might choose them whose visitors stay for some minutes.
    Looser,
}

impl Method {
    /// All of them, baselines first.
    pub const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Sequence,
        Self::ModelPerEvent,
        Self::Clicks,
        Self::Static,
        Self::Random,
        Self::Learner,
        Self::Looser,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no guide",
            Self::Sequence => "static sequence",
            Self::ModelPerEvent => "model per event",
            Self::Clicks => "beta on clicks",
            Self::Static => "engine, static",
            Self::Random => "engine, random",
            Self::Learner => "engine, learner",
            Self::Looser => "engine, looser",
        }
    }

    /// Who chooses in the engine; `None` for what is no engine.
    pub(crate) const fn policy(self) -> Option<Policy> {
        match self {
            Self::Static => Some(Policy::Static),
            Self::Random => Some(Policy::Random),
            Self::Learner | Self::Looser => Some(Policy::Learner),
            Self::Nothing | Self::Sequence | Self::ModelPerEvent | Self::Clicks => None,
        }
    }
}
