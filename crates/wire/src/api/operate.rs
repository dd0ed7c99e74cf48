//! The bodies of operating a server: pausing, reporting, health. Must not compute anything.

use pilotage_domain::decide::Group;
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
