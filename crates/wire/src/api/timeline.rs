//! A user's timeline as a body. Must not order or filter anything.

use pilotage_domain::event::Event;
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Value;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::user::DecisionSummary;
use crate::instant;
use crate::record::merge::{Carried, Named};

/// The most items in one answer.
pub const MAX_LIMIT: usize = 10_000;
/// How many items an answer has where the caller does not say.
pub const DEFAULT_LIMIT: usize = 100;

/// A part of a user's timeline.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Timeline")]
pub struct TimelineBody {
    /// In the order in which the server took them.
    pub items: Vec<ItemBody>,
    /// The cursor of the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "TimelineItem")]
pub enum ItemBody {
    /// A fact of the product.
    Event(EventItem),
    /// A decision of ours.
    Decision(DecisionSummary),
    /// What became of a decision.
    Outcome(OutcomeItem),
    /// Two users became one.
    Merge(MergeItem),
}

/// That an anonymous user was merged into a known one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MergeItem {
    /// When it was said.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// When the server took it.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub received_at: Timestamp,
    /// In which visit.
    pub session_id: String,
    /// Into whom, in the anonymous user's timeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// Who, in the known user's timeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The same in plain words.
    pub text: String,
}

impl MergeItem {
    /// In the timeline of the anonymous user, who was named; received then.
    pub fn named(named: Named, received_at: Timestamp) -> Self {
        let Named { into, session, at } = named;
        let text = format!(
            "This user was merged into {into}, who has from here on what is said of this one."
        );
        let session_id = session.to_string();
        Self { at, received_at, session_id, into: Some(into.to_string()), from: None, text }
    }

    /// In the timeline of the known user, to whom that was carried; received then.
    pub fn carried(carried: Carried, received_at: Timestamp) -> Self {
        let Carried { from, session, at, profile, .. } = carried;
        let events = profile.events;
        let text = format!("{from} was merged into this user. Events taken over: {events}.");
        let session_id = session.to_string();
        Self { at, received_at, session_id, into: None, from: Some(from.to_string()), text }
    }
}

/// A fact of the product.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventItem {
    /// When it happened, as it counts.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// When the server took it.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub received_at: Timestamp,
    /// Its name.
    pub event_id: String,
    /// What it is.
    pub event_type: String,
    /// In which visit.
    pub session_id: String,
    /// The page that it happened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Box<str>>,
    /// Attribute values that it set out to set.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "members")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub attributes: Vec<(Box<str>, Value)>,
    /// The rest, as it came.
    #[serde(skip_serializing_if = "is_null")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub payload: Value,
}

fn is_null(value: &Value) -> bool {
    *value == Value::Null
}

fn members<S: Serializer>(members: &[(Box<str>, Value)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(members.iter().map(|(name, value)| (name, value)))
}

impl From<Event> for EventItem {
    fn from(event: Event) -> Self {
        Self {
            at: event.at,
            received_at: event.received_at,
            event_id: event.id.to_string(),
            event_type: event.kind.into(),
            session_id: event.session.to_string(),
            path: event.context.path,
            attributes: event.attributes,
            payload: event.payload,
        }
    }
}

/// What became of a decision.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeItem {
    /// The decision.
    pub decision_id: String,
    /// What became of it.
    pub outcome: OutcomeKind,
    /// The event that says so.
    #[serde(flatten)]
    pub event: EventItem,
}

/// What becomes of a guide that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// It was seen.
    Shown,
    /// Its call to action was used.
    Clicked,
    /// It was closed.
    Dismissed,
}

#[cfg(test)]
mod tests {
    use pilotage_domain::hash::ContentHash;
    use pilotage_domain::id::{SessionId, UserId};
    use serde_json::json;

    use super::*;
    use crate::record::user::UserRecord;

    #[test]
    fn a_merge_is_told_in_both_timelines_in_plain_words() {
        let at = instant::parse("2026-11-22T20:15:00Z").expect("valid");
        let received_at = instant::parse("2026-11-22T20:15:01Z").expect("valid");
        let id = |text: &str| UserId::new(text).expect("valid");
        let named = Named { into: id("u"), session: SessionId::new("s").expect("valid"), at };
        let mut record = UserRecord::default();
        record.profile.events = 3;
        let fold = ContentHash::of_bytes(b"");
        let carried = Carried::new(id("anon-1"), &named, fold, &record);
        let told = |item| serde_json::to_value(ItemBody::Merge(item)).expect("writable");
        assert_eq!(
            told(MergeItem::named(named, received_at)),
            json!({
                "kind": "merge", "at": "2026-11-22T20:15:00.000Z", "receivedAt": "2026-11-22T20:15:01.000Z",
                "sessionId": "s", "into": "u",
                "text": "This user was merged into u, who has from here on what is said of this one.",
            })
        );
        assert_eq!(
            told(MergeItem::carried(carried, received_at)),
            json!({
                "kind": "merge", "at": "2026-11-22T20:15:00.000Z", "receivedAt": "2026-11-22T20:15:01.000Z",
                "sessionId": "s", "from": "anon-1",
                "text": "anon-1 was merged into this user. Events taken over: 3.",
            })
        );
    }
}
