//! The bodies of taking events: what a caller writes, what it is answered. Must not read an event: `event` does.

use std::collections::BTreeMap;

use pilotage_domain::id::EventId;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::object::Members;
use crate::problem::{ErrorCode, Fault};

/// The most events in one batch.
pub const MAX_BATCH: usize = 2_500;

/// One event as a caller writes it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Event")]
pub struct EventBody {
    /// Whom it is about; a UUID where the product's definition says `userId: uuid`.
    #[schemars(length(min = 1, max = 200))]
    pub user_id: String,
    /// In which visit.
    #[schemars(length(min = 1, max = 200))]
    pub session_id: String,
    /// A built-in event type, or one that the product's definition declares.
    #[schemars(length(min = 1, max = 64))]
    pub event_type: String,
    /// Free data, nested at most 32 deep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<BTreeMap<String, Value>>,
    /// When it happened: RFC 3339, any offset. The arrival where absent or more than five minutes ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Instant>")]
    pub timestamp: Option<String>,
    /// The caller's name for it: a second event of the user with this id changes nothing. Made by the server where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub event_id: Option<String>,
    /// The name that the user had before being identified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub anonymous_id: Option<String>,
    /// Attribute values to set; a value that does not fit its declared type is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, Value>>,
    /// The user's surroundings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextBody>,
    /// A signed user (JWT, HS256), where the key demands one and the header `x-pilotage-user-token` is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_token: Option<String>,
}

/// An instant in RFC 3339.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Instant(#[schemars(extend("format" = "date-time"))] pub String);

/// The surroundings of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventContext")]
pub struct ContextBody {
    /// Sets the version attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub app_version: Option<String>,
    /// Sets the locale attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub locale: Option<String>,
    /// The page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub path: Option<String>,
    /// IANA name of the user's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub timezone: Option<String>,
}

/// Many events as a caller writes them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventBatch")]
pub struct BatchBody {
    /// The events, at most 2,500.
    #[schemars(length(max = 2500))]
    pub events: Vec<EventBody>,
    /// As in a single event; speaks for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_token: Option<String>,
}

/// The events of a batch, each still to be read on its own, and the token that came with them.
#[derive(Debug)]
pub struct Batch<'a> {
    /// In request order.
    pub events: Vec<&'a str>,
    /// `userToken`, unchecked.
    pub user_token: Option<Box<str>>,
}

/// Reads `{ "events": […] }` as far as the single events.
pub fn read_batch(text: &str) -> Result<Batch<'_>, Vec<Fault>> {
    const BATCH: [&str; 2] = ["events", "userToken"];
    let mut body = Members::read(text, &BATCH, "").map_err(|fault| vec![fault])?;
    let user_token = body.text(1).map(Into::into);
    let events = match body.raw(0).map(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get())) {
        Some(Ok(events)) => events,
        Some(Err(_)) => {
            body.fault(0, "must be a list");
            Vec::new()
        }
        None => {
            body.fault(0, "is required");
            Vec::new()
        }
    };
    if !body.faults.is_empty() {
        return Err(body.faults);
    }
    Ok(Batch { events: events.into_iter().map(RawValue::get).collect(), user_token })
}

/// Splits NDJSON into the texts of its events; blank lines are passed over.
pub fn read_lines(text: &str) -> Batch<'_> {
    let events = text.split('\n').filter(|line| !line.trim().is_empty()).collect();
    Batch { events, user_token: None }
}

/// The answer to one event: it is durable.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Queued {
    /// Always `queued`.
    pub status: QueuedStatus,
    /// The event's name: the caller's, or the one that it was given.
    #[schemars(with = "String")]
    pub event_id: EventId,
}

/// The one status of an event that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum QueuedStatus {
    /// Durable.
    Queued,
}

/// The answer to a batch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchAnswer {
    /// One for each event, in request order.
    pub results: Vec<BatchResult>,
}

/// What became of one event of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchResult {
    /// The event's name; null where a refused event had none that could be read.
    #[schemars(with = "Option<String>")]
    pub event_id: Option<EventId>,
    /// What became of it.
    pub status: BatchStatus,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// Everything that is wrong with it; paths are inside the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<Fault>>,
}

/// What became of one event of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Durable.
    Queued,
    /// Known already; counted once.
    Duplicate,
    /// Not taken.
    Rejected,
}
