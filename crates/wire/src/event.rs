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
    /// The W3C `traceparent` that it came under, as `trace_parent` takes it.
    pub trace_parent: Option<Box<str>>,
}

/// The header's text, where it is a `traceparent` of W3C Trace Context: version, trace, caller's span and flags in
/// hexadecimal. One that is none begins no trace and is passed over, as the standard has it.
pub fn trace_parent(text: &str) -> Option<&str> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |part: &str| part.bytes().all(|b| b == b'0');
    let [version, trace, span, flags] = parts[..] else { return None };
    let fits = [version, trace, span, flags].map(str::len) == [2, 32, 16, 2];
    let is_one = fits && parts.iter().all(is_hex) && version != "ff";
    (is_one && !is_zero(trace) && !is_zero(span)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::trace_parent;

    #[test]
    fn a_trace_parent_is_taken_as_it_is_or_not_at_all() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_parent(good), Some(good));
        let bad = [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902-b701",
        ];
        assert!(bad.iter().all(|text| trace_parent(text).is_none()));
    }
}
