//! An event as the fold sees it: checked, typed, in its place in the log. Must not know how it arrived.

use crate::id::{EventId, SessionId, UserId};
use crate::time::{Millis, Timestamp};
use crate::value::Value;

/// How far ahead of its arrival an event's own time may lie; beyond that it is taken to have happened on arrival.
pub const FUTURE_TOLERANCE: Millis = Millis::minutes(5);

/// The place of a record in the log: grows by at least one from record to record; 0 is before the first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

/// An immutable fact about one user.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The key of redelivery: a second event of the same user with this id changes nothing.
    pub id: EventId,
    /// Whom it is about.
    pub user: UserId,
    /// In which visit.
    pub session: SessionId,
    /// As in the definition's `events`; one that the definition in force doesn't know is kept, and counts for nothing.
    pub kind: Box<str>,
    /// When it happened: the caller's time, or the arrival where absent or too far ahead.
    pub at: Timestamp,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Attribute values to set.
    pub attributes: Vec<(Box<str>, Value)>,
    /// The caller's surroundings.
    pub context: EventContext,
    /// The rest, untrusted.
    pub payload: Value,
}

/// The surroundings of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventContext {
    /// Sets the version attribute.
    pub app_version: Option<Box<str>>,
    /// Sets the locale attribute.
    pub locale: Option<Box<str>>,
    /// The page.
    pub path: Option<Box<str>>,
    /// IANA name of the user's time zone.
    pub timezone: Option<Box<str>>,
}

impl Event {
    /// The time that the fold uses for a caller's claim: never later than five minutes after the arrival.
    pub fn effective_time(claimed: Option<Timestamp>, received_at: Timestamp) -> Timestamp {
        match claimed {
            Some(at) if at <= received_at + FUTURE_TOLERANCE => at,
            _ => received_at,
        }
    }
}
