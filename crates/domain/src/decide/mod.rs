//! One decision: eligible guides, a distribution over them and no guide, one draw. Must not show what the rules have not passed.

mod choose;
mod counsel;
mod seal;

pub use crate::rules::{Rendered, ValidGuide};
pub use choose::{Chooser, decide};
pub use counsel::{Advised, Counsel, Matter};
pub use seal::{Sealed, SealedCopy, SealedGuide, seal, validation_hash};

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::hash::ContentHash;
use crate::id::{DecisionId, GuideId, SessionId, UserId, VariantId};
use crate::kin::Kin;
use crate::learn::Weighing;
use crate::number::Propensity;
use crate::profile::contact::Offer;
use crate::time::Timestamp;

/// What a caller asks, with the moment and the draw as arguments.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The decision to be made; its bits are the draw's key.
    pub id: DecisionId,
    /// For whom.
    pub user: &'a UserId,
    /// In which visit.
    pub session: &'a SessionId,
    /// The moment.
    pub at: Timestamp,
    /// The caller's surroundings.
    pub surface: Surface<'a>,
    /// Guides paused by an operator.
    pub paused: &'a [GuideId],
    /// Offers of this user that are made but not yet folded into the profile.
    pub pending: &'a [Offer],
    /// With whom the user is one person.
    pub kin: &'a Kin,
}

/// The caller's surroundings; what is absent is not checked, save for versions: a part with a version range needs one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surface<'a> {
    /// The page.
    pub path: Option<&'a str>,
    /// The app's version; else the profile's.
    pub app_version: Option<&'a str>,
    /// The locale; else the profile's, else the default.
    pub locale: Option<&'a str>,
    /// Component names that the caller can draw; unknown names are passed over.
    pub components: Option<&'a [String]>,
}

/// Which of the four groups a user is in, by a stable hash of product and user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The configured policy chooses.
    Guided,
    /// Never sees a guide.
    Holdout,
    /// Guides are drawn uniformly.
    Random,
    /// The first eligible guide in file order.
    Static,
}

/// Why no guide is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The user is in the holdout.
    Holdout,
    /// No guide is eligible.
    NoCandidate,
    /// Guides would be eligible, but the contact rules ask for silence.
    Contact,
    /// The policy chose no guide.
    Policy,
    /// A needed part is away.
    Degraded,
}

impl Reason {
    /// As answers and records name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holdout => "holdout",
            Self::NoCandidate => "no_candidate",
            Self::Contact => "contact",
            Self::Policy => "policy",
            Self::Degraded => "degraded",
        }
    }
}

/// The gates in their order; `Holdout` comes before all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The user is held out.
    Holdout,
    /// The state rule.
    State,
    /// `when` does not hold.
    When,
    /// `never` holds.
    Never,
    /// Draft, paused, expired or retired.
    Lifecycle,
    /// Component, route, target, app version, path.
    Surface,
    /// No wording can be filled.
    Copy,
    /// The rendered wording breaks a text rule.
    Text,
    /// Shows or gap of the guide.
    Limits,
    /// Session, day, gap, dismissed.
    Contact,
}

/// What was decided, with everything needed to explain and to evaluate it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Its name.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// What comes of it.
    pub outcome: Outcome,
    /// The user's group.
    pub group: Group,
    /// The policy that drew: `static`, `random`, `model`, `learner-3` …
    pub policy: &'static str,
    /// Drawn uniformly by the definition's `explore` share.
    pub explore: bool,
    /// The situation: SHA-256 of context and candidates.
    pub signature: ContentHash,
    /// How each guide fared.
    pub trace: Trace,
    /// How the learner weighed them, where one may learn of this draw.
    pub weighing: Option<Box<Weighing>>,
}

/// What comes of a decision.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Show this guide.
    Show {
        /// What to show.
        guide: Box<ValidGuide>,
        /// With which probability it was drawn.
        propensity: Propensity,
        /// Not to be shown from this instant on.
        expires: Timestamp,
    },
    /// Show nothing.
    Withhold {
        /// Why.
        reason: Reason,
        /// The probability of no guide, where a draw was made.
        propensity: Option<Propensity>,
    },
}

/// How each guide fared in one decision; stored with it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trace {
    /// How many guides were left after each gate, in gate order.
    pub stages: Vec<(Gate, u32)>,
    /// Every guide in file order.
    pub guides: Vec<GuideTrace>,
    /// The probability of no guide, where a draw was made and it could be drawn.
    pub no_guide: Option<Propensity>,
    /// The advice that the law was mixed with, where there was one.
    pub advice: Option<Advised>,
}

/// How one guide fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuideTrace {
    /// Which.
    pub id: GuideId,
    /// The gate that stopped it, and the nearest fact that would let it through.
    pub stopped: Option<(Gate, Near)>,
    /// Its wordings that passed every gate, each with its probability; `None` where the law gives it none.
    pub arms: Vec<(VariantId, Option<Propensity>)>,
}

/// The nearest fact that would let a stopped guide through its gate, as data; `sentence` puts it into words.
///
/// It names attributes, but never says what a personal one holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// A short stable code of the kind of fact: one of `rules::fact`.
    pub fact: Cow<'static, str>,
    /// What it is about: a milestone, an attribute, an event type, a component …
    pub subject: Option<Box<str>>,
    /// What is needed, in words that hold nothing personal.
    pub needed: Option<Cow<'static, str>>,
    /// What is, in words that hold nothing personal.
    pub actual: Option<Cow<'static, str>>,
    /// Where the subject is a locked milestone: a milestone that it requires and that is not reached.
    pub missing: Option<Box<str>>,
    /// The earliest instant at which the gate opens by time alone.
    pub at: Option<Timestamp>,
}

#[cfg(test)]
mod learner_tests;
#[cfg(test)]
mod tests;
