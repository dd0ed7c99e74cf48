//! An event as a caller sends it. Must not be stored: `record` has the stored form.

mod read;

use pilotage_domain::event::EventContext;
use pilotage_domain::id::{EventId, SessionId, UserId};
use pilotage_domain::time::Timestamp;
use serde_json::value::RawValue;

pub use read::{MAX_PATH, MAX_TAG, MAX_TYPE, Received, Refused, read};
pub(crate) use read::{timestamp, user_id};

/// A checked event on its way in.
#[derive(Debug, Clone)]
pub struct IncomingEvent {
    /// The caller's name for it; the server makes one where absent.
    pub id: Option<EventId>,
    /// Whom it is about.
    pub user: UserId,
    /// In which visit.
    pub session: SessionId,
    /// The event type, one that the definition knows.
    pub kind: Box<str>,
    /// When it happened, by the caller's clock.
    pub claimed: Option<Timestamp>,
    /// The name the user had before being identified.
    pub anonymous: Option<UserId>,
    /// Attribute values: a JSON object.
    pub attributes: Option<Box<RawValue>>,
    /// The caller's surroundings.
    pub context: EventContext,
    /// The rest: a JSON object.
    pub payload: Option<Box<RawValue>>,
    /// The `x-api-version` header.
    pub api_version: Option<Box<str>>,
}
