//! An event as it stands in the log: the caller's fields under their own names, and when it came. Must stay readable JSON.

mod members;

use std::borrow::Cow;

use pilotage_domain::event::{Event, EventContext};
use pilotage_domain::id::{EventId, ProductId, SessionId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{RecordError, newer_or};
use crate::event::IncomingEvent;
use crate::instant;

pub(super) const VERSION: u64 = 1;

/// Room for all but the free data of most events.
const HEAD: usize = 512;

/// Version 1 of a stored event; its free data as `D`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventV1<'a, D> {
    v: u64,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    product: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    /// When it happened, as the fold takes it.
    #[serde(with = "instant::text")]
    timestamp: Timestamp,
    /// What the caller claimed, where the fold takes something else.
    #[serde(default, with = "instant::optional", skip_serializing_if = "Option::is_none")]
    claimed: Option<Timestamp>,
    #[serde(with = "instant::text")]
    received_at: Timestamp,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    anonymous_id: Option<Cow<'a, str>>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    attributes: Option<D>,
    #[serde(default, borrow, skip_serializing_if = "ContextV1::is_empty")]
    context: ContextV1<'a>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    payload: Option<D>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    api_version: Option<Cow<'a, str>>,
    #[serde(default, borrow, rename = "traceparent", skip_serializing_if = "Option::is_none")]
    trace_parent: Option<Cow<'a, str>>,
}

/// `Default` would ask it of `D`, too.
fn none<D>() -> Option<D> {
    None
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContextV1<'a> {
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    app_version: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    locale: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    timezone: Option<Cow<'a, str>>,
}

impl<'a> ContextV1<'a> {
    fn is_empty(&self) -> bool {
        self.app_version.is_none()
            && self.locale.is_none()
            && self.path.is_none()
            && self.timezone.is_none()
    }

    fn of(context: &'a EventContext) -> Self {
        let text = |part: &'a Option<Box<str>>| part.as_deref().map(Cow::Borrowed);
        Self {
            app_version: text(&context.app_version),
            locale: text(&context.locale),
            path: text(&context.path),
            timezone: text(&context.timezone),
        }
    }

    fn into_domain(self) -> EventContext {
        let text = |part: Option<Cow<'_, str>>| part.map(|t| t.into_owned().into_boxed_str());
        EventContext {
            app_version: text(self.app_version),
            locale: text(self.locale),
            path: text(self.path),
            timezone: text(self.timezone),
        }
    }
}

/// The stored form of an event that arrives now, under the name `id`.
pub fn encode(
    product: &ProductId,
    id: &EventId,
    event: &IncomingEvent,
    received_at: Timestamp,
) -> Vec<u8> {
    let timestamp = Event::effective_time(event.claimed, received_at);
    let stored = EventV1 {
        v: VERSION,
        event_id: Cow::Borrowed(id.as_str()),
        product: Cow::Borrowed(product.as_str()),
        user_id: Cow::Borrowed(event.user.as_str()),
        session_id: Cow::Borrowed(event.session.as_str()),
        event_type: Cow::Borrowed(&event.kind),
        timestamp,
        claimed: event.claimed.filter(|claimed| *claimed != timestamp),
        received_at,
        anonymous_id: event.anonymous.as_ref().map(|a| Cow::Borrowed(a.as_str())),
        attributes: event.attributes.as_deref(),
        context: ContextV1::of(&event.context),
        payload: event.payload.as_deref(),
        api_version: event.api_version.as_deref().map(Cow::Borrowed),
        trace_parent: event.trace_parent.as_deref().map(Cow::Borrowed),
    };
    let raw = |part: &Option<Box<RawValue>>| part.as_deref().map_or(0, |raw| raw.get().len());
    let room = HEAD + raw(&event.attributes) + raw(&event.payload);
    let mut body = Vec::with_capacity(room);
    // Text, numbers and checked raw JSON: nothing in it can fail to be written to memory.
    serde_json::to_writer(&mut body, &stored).expect("an event is always writable");
    body
}

/// The same event as another user's: of an anonymous user who was merged into that one. It keeps its id, its times and its
/// content, and says whose it was.
pub fn readdress(body: &[u8], to: &UserId) -> Result<Vec<u8>, RecordError> {
    let stored = read::<Box<RawValue>>(body)?;
    let anonymous_id = Some(stored.user_id);
    let user_id = Cow::Borrowed(to.as_str());
    let readdressed = EventV1 { v: VERSION, user_id, anonymous_id, ..stored };
    // As above.
    Ok(serde_json::to_vec(&readdressed).expect("an event is always writable"))
}

fn read<'a, D: Deserialize<'a>>(body: &'a [u8]) -> Result<EventV1<'a, D>, RecordError> {
    // Checked once as a whole, and not text by text.
    let text = std::str::from_utf8(body).map_err(|_| malformed("not UTF-8"))?;
    let stored: EventV1<'_, D> =
        serde_json::from_str(text).map_err(|error| newer_or(error, body, VERSION))?;
    if stored.v > VERSION {
        return Err(RecordError::Newer { found: stored.v, known: VERSION });
    }
    Ok(stored)
}

fn malformed(what: &str) -> RecordError {
    RecordError::Malformed(what.to_owned())
}

/// Reads a stored event of any version.
pub fn decode(body: &[u8]) -> Result<Event, RecordError> {
    let mut stored = read::<Value>(body)?;
    let payload = stored.payload.take().unwrap_or(Value::Null);
    event(stored, payload, Ok)
}

/// The same, but of its payload the members of these names alone (sorted): whoever folds it looks at no others, and to read
/// them all is a good part of what folding costs.
pub fn decode_heeding(body: &[u8], heeded: &[Box<str>]) -> Result<Event, RecordError> {
    let mut stored = read::<&RawValue>(body)?;
    let payload = match stored.payload.take() {
        Some(raw) => members::heeded(raw, heeded).map_err(|_| malformed("payload"))?,
        None => Value::Null,
    };
    event(stored, payload, |raw| {
        serde_json::from_str(raw.get()).map_err(|_| malformed("attributes"))
    })
}

/// What `decode_heeding` would read of the stored form of an event that arrives now, without the way through that form.
/// `None` where it would refuse it.
pub fn heeding(
    id: &EventId,
    incoming: IncomingEvent,
    received_at: Timestamp,
    heeded: &[Box<str>],
) -> Option<Event> {
    let attributes = match incoming.attributes {
        Some(raw) => members_of(serde_json::from_str(raw.get()).ok()?),
        None => Vec::new(),
    };
    let payload = match incoming.payload {
        Some(raw) => members::heeded(&raw, heeded).ok()?,
        None => Value::Null,
    };
    Some(Event {
        id: id.clone(),
        user: incoming.user,
        session: incoming.session,
        kind: incoming.kind,
        at: Event::effective_time(incoming.claimed, received_at),
        received_at,
        attributes,
        context: incoming.context,
        payload,
    })
}

/// The event, whose free data was read before.
fn event<D>(
    stored: EventV1<'_, D>,
    payload: Value,
    attributes: impl FnOnce(D) -> Result<Value, RecordError>,
) -> Result<Event, RecordError> {
    Ok(Event {
        id: EventId::new(&stored.event_id).map_err(|_| malformed("eventId"))?,
        user: UserId::new(&stored.user_id).map_err(|_| malformed("userId"))?,
        session: SessionId::new(&stored.session_id).map_err(|_| malformed("sessionId"))?,
        kind: stored.event_type.into_owned().into_boxed_str(),
        at: stored.timestamp,
        received_at: stored.received_at,
        attributes: stored
            .attributes
            .map(attributes)
            .transpose()?
            .map(members_of)
            .unwrap_or_default(),
        context: stored.context.into_domain(),
        payload,
    })
}

fn members_of(value: Value) -> Vec<(Box<str>, Value)> {
    match value {
        Value::Map(members) => members,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming() -> IncomingEvent {
        IncomingEvent {
            id: None,
            user: UserId::new("u").expect("valid"),
            session: SessionId::new("s \"1\"").expect("valid"),
            kind: "form_submit".into(),
            claimed: instant::parse("2030-01-01T00:00:00Z"),
            anonymous: None,
            attributes: RawValue::from_string(r#"{"seats":3}"#.into()).ok(),
            context: EventContext { path: Some("/import".into()), ..EventContext::default() },
            payload: RawValue::from_string(r#"{"form":"import","ok":false}"#.into()).ok(),
            api_version: Some("2024-10-01".into()),
            trace_parent: None,
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_future_is_clamped() {
        let product = ProductId::new("acme").expect("valid");
        let id = EventId::new("e1").expect("valid");
        let now = instant::parse("2026-11-22T20:15:00Z").expect("valid");
        let body = encode(&product, &id, &incoming(), now);
        let event = decode(&body).expect("readable");
        assert_eq!(event.at, now, "a claim from 2030 counts as now");
        assert_eq!(event.session.as_str(), "s \"1\"");
        assert_eq!(event.payload.member("ok"), Some(&Value::Bool(false)));
        assert_eq!(event.attributes, vec![("seats".into(), Value::Number(3.0))]);
        assert!(
            String::from_utf8_lossy(&body).contains("\"claimed\":\"2030-01-01T00:00:00.000Z\"")
        );
    }

    #[test]
    fn of_a_payload_what_is_heeded_is_read_and_nothing_else_differs() {
        let product = ProductId::new("acme").expect("valid");
        let id = EventId::new("e1").expect("valid");
        let now = instant::parse("2026-11-22T20:15:00Z").expect("valid");
        let payload = r#"{"form":"a","deep":{"ok":[1,{"form":2}]},"for\u006d":{"x":null},"n":1e2}"#;
        let payload = RawValue::from_string(payload.into()).ok();
        let body = encode(&product, &id, &IncomingEvent { payload, ..incoming() }, now);
        let whole = decode(&body).expect("readable");
        let heeding = |names: &[&str]| {
            let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
            decode_heeding(&body, &names).expect("readable")
        };
        let every = heeding(&["deep", "form", "n"]);
        assert_eq!(every, whole);
        let x = Value::Map(vec![("x".into(), Value::Null)]);
        assert_eq!(every.payload.member("form"), Some(&x), "the last of a name counts");
        let one = heeding(&["absent", "n"]);
        assert_eq!(one.payload, Value::Map(vec![("n".into(), Value::Number(100.0))]));
        assert_eq!(Event { payload: whole.payload.clone(), ..one }, whole);
    }

    #[test]
    fn an_event_at_hand_is_what_would_be_read_of_its_stored_form() {
        let product = ProductId::new("acme").expect("valid");
        let id = EventId::new("e1").expect("valid");
        let now = instant::parse("2026-11-22T20:15:00Z").expect("valid");
        let names = [Box::from("form"), Box::from("ok")];
        let bare = IncomingEvent { attributes: None, payload: None, claimed: None, ..incoming() };
        let earlier = instant::parse("2026-11-22T20:14:00.123Z");
        let doubled = RawValue::from_string(r#"{"ok":1,"x":[{"ok":2}],"ok":null}"#.into()).ok();
        let doubled = IncomingEvent { claimed: earlier, payload: doubled, ..incoming() };
        for incoming in [incoming(), bare, doubled] {
            let body = encode(&product, &id, &incoming, now);
            let read = decode_heeding(&body, &names).expect("readable");
            assert_eq!(heeding(&id, incoming, now, &names), Some(read));
        }
    }

    #[test]
    fn an_event_of_another_user_differs_by_the_user_alone() {
        let product = ProductId::new("acme").expect("valid");
        let id = EventId::new("e1").expect("valid");
        let now = instant::parse("2026-11-22T20:15:00Z").expect("valid");
        let anonymous = UserId::new("anon-7").expect("valid");
        let mut event = IncomingEvent { user: anonymous.clone(), ..incoming() };
        let body = encode(&product, &id, &event, now);
        event.user = UserId::new("Ünal \"7\"").expect("valid");
        event.anonymous = Some(anonymous);
        let readdressed = readdress(&body, &event.user).expect("readable");
        let expected = encode(&product, &id, &event, now);
        assert_eq!(String::from_utf8(readdressed), String::from_utf8(expected));
        assert!(readdress(&body[..body.len() - 1], &event.user).is_err());
    }

    #[test]
    fn version_1_loads_for_ever() {
        let body = br#"{"v":1,"eventId":"e","product":"acme","userId":"u","sessionId":"s","eventType":"signed_up",
            "timestamp":"2026-11-22T20:15:00.000Z","receivedAt":"2026-11-22T20:15:01.000Z"}"#;
        let event = decode(body).expect("readable");
        assert_eq!(&*event.kind, "signed_up");
        assert_eq!(event.payload, Value::Null);
    }

    #[test]
    fn a_newer_version_is_refused_by_its_number() {
        let body =
            br#"{"v":2,"eventId":"e","product":"acme","userId":"u","sessionId":"s","eventType":"x",
            "timestamp":"2026-11-22T20:15:00Z","receivedAt":"2026-11-22T20:15:01Z"}"#;
        assert_eq!(decode(body), Err(RecordError::Newer { found: 2, known: 1 }));
    }
}
