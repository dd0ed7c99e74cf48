//! A record as it stands in a Kafka topic: key, headers and value, for our workers and for any consumer that reads JSON.
//! Must not know a client library.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, EventId, ProductId, SessionId, UserId};
use pilotage_domain::kin::may_name;
use pilotage_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RecordError, decision, event, merge, newer_or};
use crate::instant;

/// The version of the JSON around a decision. An event has the version of its stored form.
const DECISION_VERSION: u64 = 1;
/// The version of the JSON around a naming and around what is carried. A program that knows neither stops at it instead of
/// passing over it; so the next version of an event or a decision is 3.
const MERGE_VERSION: u64 = 2;
/// What `eventType` says of a decision.
const DECISION_TYPE: &str = "guide_decided";
/// What it says of a naming.
const NAMED_TYPE: &str = "user_named";
/// What it says of what is carried from one user to another.
const CARRIED_TYPE: &str = "user_carried";
/// The version of the API that a record without one is told under.
const API_VERSION: &str = "2024-10-01";

/// What a record is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// An event; its value is the stored event.
    Event(EventId),
    /// A decision; its value has the stored decision inside.
    Decision(DecisionId),
    /// That the record's user is that known one; its value has the stored naming inside.
    Named(UserId),
    /// What is carried over from that anonymous user, as folded under what has that hash; its value has the stored profile inside.
    Carried(UserId, ContentHash),
}

/// A record on its way into a topic.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Whose product.
    pub product: &'a ProductId,
    /// About whom.
    pub user: &'a UserId,
    /// What it is called.
    pub name: &'a Name,
    /// When the server took it.
    pub received_at: Timestamp,
    /// The stored form, as `record::event`, `record::decision` and `record::merge` write it.
    pub body: &'a [u8],
}

/// What stands in the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// `product:user`: what decides on the partition.
    pub key: String,
    /// Names and values, in this order.
    pub headers: Vec<(&'static str, Cow<'a, str>)>,
    /// JSON.
    pub value: Cow<'a, [u8]>,
}

/// A record that was read from a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming<'a> {
    /// Whose product.
    pub product: ProductId,
    /// About whom.
    pub user: UserId,
    /// What it is called.
    pub name: Name,
    /// When the server took it.
    pub received_at: Timestamp,
    /// The stored form.
    pub body: Cow<'a, [u8]>,
}

/// What all values have in common: a stored event with more that is not looked at, or a decision whole.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value<'a> {
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
    #[serde(with = "instant::text")]
    timestamp: Timestamp,
    #[serde(with = "instant::text")]
    received_at: Timestamp,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    api_version: Option<Cow<'a, str>>,
    /// The W3C trace context that it came under.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
    /// Into whom the user is merged, of a naming.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    merged_into: Option<Cow<'a, str>>,
    /// Who is merged into the user, of what is carried.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    merged_from: Option<Cow<'a, str>>,
    /// The stored form in base64, of all but events; no event has it, whatever a caller sends.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    record: Option<Cow<'a, str>>,
}

/// The key of a user's records.
pub fn key(product: &ProductId, user: &UserId) -> String {
    format!("{product}:{user}")
}

/// The record as it is to stand in the topic. Refused where the body is not a stored form of what the record is said to be:
/// it could not be read back.
pub fn encode(record: Outgoing<'_>) -> Result<Message<'_>, RecordError> {
    match record.name {
        Name::Event(id) => encode_event(record, id),
        Name::Decision(id) => encode_decision(record, *id),
        Name::Named(into) => encode_named(record, into),
        Name::Carried(from, fold) => encode_carried(record, from, *fold),
    }
}

fn encode_event<'a>(record: Outgoing<'a>, id: &'a EventId) -> Result<Message<'a>, RecordError> {
    let value = read(record.body)?;
    let is_said = [
        ("eventId", &*value.event_id, id.as_str()),
        ("product", &*value.product, record.product.as_str()),
        ("userId", &*value.user_id, record.user.as_str()),
    ];
    if let Some((field, ..)) = is_said.iter().find(|(_, stored, said)| stored != said) {
        return Err(malformed(&format!("its {field} is not the record's")));
    }
    if value.received_at != record.received_at || value.record.is_some() {
        return Err(malformed("it is not the stored form of that event"));
    }
    let kind = format!("pilotage.event.{}", value.event_type);
    let about = About { id: Cow::Borrowed(id.as_str()), kind: kind.into(), at: value.timestamp };
    let headers = headers(record, about, [value.api_version, value.traceparent]);
    let key = key(record.product, record.user);
    Ok(Message { key, headers, value: Cow::Borrowed(record.body) })
}

fn encode_decision(record: Outgoing<'_>, id: DecisionId) -> Result<Message<'_>, RecordError> {
    let fact = decision::decode_fact(record.body)?;
    if fact.decision_id != id {
        return Err(malformed("its decision is not the record's"));
    }
    let of = (DECISION_VERSION, DECISION_TYPE, &fact.session_id);
    let kind = Cow::Borrowed("pilotage.decision");
    let about = About { id: id.to_string().into(), kind, at: fact.at };
    Ok(wrapped(record, of, about, [None, None]))
}

fn encode_named<'a>(record: Outgoing<'a>, into: &UserId) -> Result<Message<'a>, RecordError> {
    let named = merge::decode_named(record.body)?;
    if named.into != *into || !may_name(into, record.user) {
        return Err(malformed("its users are not the record's"));
    }
    let of = (MERGE_VERSION, NAMED_TYPE, &named.session);
    let id = named_id(record.user, into).into();
    let about = About { id, kind: Cow::Borrowed("pilotage.named"), at: named.at };
    Ok(wrapped(record, of, about, [Some(into), None]))
}

fn encode_carried<'a>(
    record: Outgoing<'a>,
    from: &UserId,
    fold: ContentHash,
) -> Result<Message<'a>, RecordError> {
    let carried = merge::decode_carried(record.body)?;
    if (&carried.from, carried.fold) != (from, fold) || !may_name(record.user, from) {
        return Err(malformed("its users are not the record's"));
    }
    let of = (MERGE_VERSION, CARRIED_TYPE, &carried.session);
    let id = carried_id(from, record.user, fold).into();
    let about = About { id, kind: Cow::Borrowed("pilotage.carried"), at: carried.at };
    Ok(wrapped(record, of, about, [None, Some(from)]))
}

fn named_id(anonymous: &UserId, known: &UserId) -> String {
    format!("named:{anonymous}:{known}")
}

fn carried_id(anonymous: &UserId, known: &UserId, fold: ContentHash) -> String {
    format!("carried:{anonymous}:{known}:{fold}")
}

/// JSON around a stored form that is none.
fn wrapped<'a>(
    record: Outgoing<'a>,
    (v, event_type, session): (u64, &'static str, &SessionId),
    about: About<'a>,
    [into, from]: [Option<&UserId>; 2],
) -> Message<'a> {
    let user = |user: &UserId| Cow::Owned(user.to_string());
    let value = Value {
        v,
        event_id: Cow::Borrowed(&about.id),
        product: Cow::Borrowed(record.product.as_str()),
        user_id: Cow::Borrowed(record.user.as_str()),
        session_id: Cow::Borrowed(session.as_str()),
        event_type: Cow::Borrowed(event_type),
        timestamp: about.at,
        received_at: record.received_at,
        api_version: None,
        traceparent: None,
        merged_into: into.map(user),
        merged_from: from.map(user),
        record: Some(STANDARD.encode(record.body).into()),
    };
    // Text and numbers: nothing in it can fail to be written to memory.
    let value = serde_json::to_vec(&value).expect("names and numbers are always writable");
    let headers = headers(record, about, [None, None]);
    Message { key: key(record.product, record.user), headers, value: Cow::Owned(value) }
}

/// What the headers tell of a record.
struct About<'a> {
    id: Cow<'a, str>,
    kind: Cow<'a, str>,
    at: Timestamp,
}

/// Ours, then those of CloudEvents 1.0 in binary mode, then the trace.
fn headers<'a>(
    record: Outgoing<'a>,
    about: About<'a>,
    [api_version, traceparent]: [Option<Cow<'a, str>>; 2],
) -> Vec<(&'static str, Cow<'a, str>)> {
    let mut headers = vec![
        ("x-api-version", api_version.unwrap_or(Cow::Borrowed(API_VERSION))),
        ("event-id", about.id.clone()),
        ("content-type", Cow::Borrowed("application/json")),
        ("ce_specversion", Cow::Borrowed("1.0")),
        ("ce_id", about.id),
        ("ce_source", format!("pilotage/{}", record.product).into()),
        ("ce_type", about.kind),
        ("ce_time", instant::format(about.at).into()),
    ];
    headers.extend(traceparent.map(|trace| ("traceparent", trace)));
    headers
}

/// Reads what stands in a topic. The value says all that there is to know; headers are for other readers. An error says what
/// is wrong with it: it is not ours, or not what was written.
pub fn decode<'a>(
    key: Option<&[u8]>,
    value: Option<&'a [u8]>,
) -> Result<Incoming<'a>, RecordError> {
    let body = value.ok_or_else(|| malformed("it has no value"))?;
    let value = read(body)?;
    let product = ProductId::new(&value.product).map_err(|_| malformed("product"))?;
    let user = UserId::new(&value.user_id).map_err(|_| malformed("userId"))?;
    if key != Some(self::key(&product, &user).as_bytes()) {
        return Err(malformed("its key is not product:user"));
    }
    let (name, body) = match &value.record {
        None => (event_name(&value)?, Cow::Borrowed(body)),
        Some(record) => {
            let body = STANDARD
                .decode(&**record)
                .map_err(|error| malformed(&format!("record: {error}")))?;
            (stored_name(&value, &user, &body)?, Cow::Owned(body))
        }
    };
    Ok(Incoming { product, user, name, received_at: value.received_at, body })
}

fn event_name(value: &Value<'_>) -> Result<Name, RecordError> {
    EventId::new(&value.event_id).map(Name::Event).map_err(|_| malformed("eventId"))
}

/// What the stored form inside is called, where the value says the same.
fn stored_name(value: &Value<'_>, user: &UserId, body: &[u8]) -> Result<Name, RecordError> {
    let (name, id, fits) = match &*value.event_type {
        NAMED_TYPE => {
            let into = merge::decode_named(body)?.into;
            let (id, fits) = (named_id(user, &into), may_name(&into, user));
            (Name::Named(into), id, fits)
        }
        CARRIED_TYPE => {
            let merge::Carried { from, fold, .. } = merge::decode_carried(body)?;
            let (id, fits) = (carried_id(&from, user, fold), may_name(user, &from));
            (Name::Carried(from, fold), id, fits)
        }
        _ => {
            let id = decision::decode_fact(body)?.decision_id;
            (Name::Decision(id), id.to_string(), true)
        }
    };
    match () {
        () if value.event_id != id => Err(malformed("its eventId is not that of what it holds")),
        () if !fits => Err(malformed("one of its users can't be merged into the other")),
        () => Ok(name),
    }
}

fn read(body: &[u8]) -> Result<Value<'_>, RecordError> {
    let value: Value<'_> =
        serde_json::from_slice(body).map_err(|error| newer_or(error, body, MERGE_VERSION))?;
    let known = match &*value.event_type {
        _ if value.record.is_none() => event::VERSION,
        NAMED_TYPE | CARRIED_TYPE => MERGE_VERSION,
        _ => DECISION_VERSION,
    };
    if value.v > known {
        return Err(RecordError::Newer { found: value.v, known });
    }
    Ok(value)
}

fn malformed(what: &str) -> RecordError {
    RecordError::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests;
