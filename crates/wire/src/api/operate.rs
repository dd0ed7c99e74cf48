//! The bodies of operating a server: pausing, reporting, health. Must not compute anything.

use pilotage_domain::decide::Group;
use pilotage_domain::learn::Arm;
use pilotage_domain::learn::tally::Tally;
use schemars::JsonSchema;
use serde::Serialize;

use super::schema;

/// A guide was paused or resumed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GuideState")]
pub struct GuideState {
    /// The guide.
    pub id: String,
    /// Whether it is kept from being shown.
    pub paused: bool,
}

/// Users and activations by group.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Report")]
pub struct ReportBody {
    /// Of which product.
    pub product: String,
    /// Every group, also those without users.
    pub groups: Vec<GroupBody>,
    /// What became of exposures by wording, where the learner has drawn; by guide and wording.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmReport>,
}

/// What became of the exposures of one wording, of draws that gave every wording a chance.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ArmReport {
    /// The guide.
    pub guide: String,
    /// The wording.
    pub variant: String,
    /// Exposures.
    pub shown: i64,
    /// Of these, those that were clicked in time.
    pub clicked: i64,
    /// Of these, those that were dismissed.
    pub dismissed: i64,
    /// Of these, those that are credited with an activation.
    pub activated: i64,
    /// The rate of credited exposures, each weighed by its inverse propensity: a plain mean is biased, since a wording is shown
    /// more after it was lucky. Null without an exposure before activation.
    pub rate: Option<f64>,
    /// Its standard error; not for looking again and again.
    pub error: Option<f64>,
}

impl From<(&Arm, &Tally)> for ArmReport {
    fn from((arm, tally): (&Arm, &Tally)) -> Self {
        let rate = tally.rate();
        Self {
            guide: arm.guide.to_string(),
            variant: arm.variant.to_string(),
            shown: tally.shown,
            clicked: tally.clicked,
            dismissed: tally.dismissed,
            activated: tally.activated,
            rate: rate.map(|rate| rate.mean),
            error: rate.map(|rate| rate.error),
        }
    }
}

/// Users and activations of one group.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GroupReport")]
pub struct GroupBody {
    /// Which.
    #[schemars(with = "schema::Group")]
    pub group: Group,
    /// Users with at least one event.
    pub users: u64,
    /// Of these, those whose clock has started.
    pub signed_up: u64,
    /// Of these, those who reached activation.
    pub activated: u64,
    /// `activated` by `signedUp`; null where nobody has signed up.
    pub rate: Option<f64>,
}

/// The server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub struct HealthBody {
    /// `alive` at `/healthz`, `ready` at `/readyz`.
    pub status: HealthStatus,
}

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// The process answers.
    Alive,
    /// It can serve.
    Ready,
}
