//! The bodies of operating a server: pausing, health. Must not compute anything.

use schemars::JsonSchema;
use serde::Serialize;

/// A guide was paused or resumed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GuideState")]
pub struct GuideState {
    /// The guide.
    pub id: String,
    /// Whether it is kept from being shown.
    pub paused: bool,
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
