//! What is known of a user, as a body. Must not compute anything.

use std::collections::BTreeMap;

use pilotage_domain::decide::{Group, Reason};
use pilotage_domain::definition::condition::Status;
use pilotage_domain::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::schema;
use crate::instant;
use crate::record::decision::OutcomeName;

/// What is known of a user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "User")]
pub struct UserBody {
    /// Who.
    pub user_id: String,
    /// Of which product.
    pub product: String,
    /// Into whom this anonymous user was merged: from there on that user has what is said of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// The anonymous users who were merged into this one, the latest last; at most 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    pub merged_from: Vec<String>,
    /// The user's group.
    #[schemars(with = "schema::Group")]
    pub group: Group,
    /// The user is in the holdout: never sees a guide.
    pub holdout: bool,
    /// The moment that all of this is true of.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The earliest event; null before the first.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub first_seen_at: Option<Timestamp>,
    /// The latest event; null before the first.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_seen_at: Option<Timestamp>,
    /// When the user's clock started.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub signup_at: Option<Timestamp>,
    /// When the activation milestone was reached.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub activated_at: Option<Timestamp>,
    /// How many events, redeliveries not counted.
    pub events: u64,
    /// Values by name: text, number or boolean; declared defaults where nothing was set.
    #[schemars(with = "BTreeMap<String, ScalarSchema>")]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// Every milestone, in file order.
    pub milestones: Vec<MilestoneBody>,
    /// The last error event; null where there was none.
    pub last_error: Option<LastErrorBody>,
    /// Visits.
    pub sessions: SessionsBody,
    /// What the user was shown and did with it.
    pub contact: ContactBody,
    /// The newest decisions, newest first, at most 10.
    pub decisions: Vec<DecisionSummary>,
}

/// A value of an attribute.
#[derive(JsonSchema)]
#[schemars(rename = "Scalar", untagged)]
pub enum ScalarSchema {
    /// Text.
    Text(String),
    /// A finite number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// A milestone of the user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Milestone")]
pub struct MilestoneBody {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub status: MilestoneStatus,
    /// When it was reached; null where it was not.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub reached_at: Option<Timestamp>,
}

/// Where a milestone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MilestoneStatus {
    /// A required milestone is not reached.
    Locked,
    /// It can be reached.
    Open,
    /// Its blocked condition holds.
    Blocked,
    /// It is reached, for ever.
    Reached,
}

impl From<Status> for MilestoneStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Locked => Self::Locked,
            Status::Open => Self::Open,
            Status::Blocked => Self::Blocked,
            Status::Reached => Self::Reached,
        }
    }
}

/// The last error of a user.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LastError")]
pub struct LastErrorBody {
    /// A declared name, or `other`.
    pub name: String,
    /// When.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// A user's visits.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Sessions")]
pub struct SessionsBody {
    /// How many.
    pub count: u32,
    /// When the current one began; null before the first.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
}

/// What a user was shown and did with it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Contact")]
pub struct ContactBody {
    /// The latest exposure of any guide; null where there was none.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_shown_at: Option<Timestamp>,
    /// Guides that were shown, by id.
    pub guides: Vec<GuideContactBody>,
    /// Milestones whose guides were dismissed, by id.
    pub dismissed: Vec<DismissedBody>,
}

/// What became of one guide's exposures.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GuideContact")]
pub struct GuideContactBody {
    /// The guide.
    pub id: String,
    /// Exposures.
    pub shows: u32,
    /// Exposures that were clicked.
    pub clicks: u32,
    /// Exposures that were dismissed.
    pub dismissals: u32,
    /// The latest exposure.
    #[serde(with = "instant::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_shown_at: Option<Timestamp>,
}

/// The dismissals of guides that serve one milestone.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Dismissed")]
pub struct DismissedBody {
    /// The milestone.
    pub milestone: String,
    /// How many.
    pub count: u32,
    /// The latest.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_at: Timestamp,
}

/// A decision in brief.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DecisionSummary")]
pub struct DecisionSummary {
    /// Its name; `GET /api/v1/decisions/{id}` has the rest.
    pub decision_id: String,
    /// When.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What came of it.
    #[schemars(with = "schema::Outcome")]
    pub outcome: OutcomeName,
    /// The guide that was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide: Option<String>,
    /// Its wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Why nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Reason>")]
    pub reason: Option<Reason>,
}
