//! From the text of one event to a checked event, or to every fault that is in it. Must not store or count anything.

use pilotage_domain::definition::Definition;
use pilotage_domain::event::EventContext;
use pilotage_domain::id::{EventId, IdError, SessionId, UserId};
use pilotage_domain::time::Timestamp;
use serde_json::value::RawValue;

use super::IncomingEvent;
use crate::instant;
use crate::object::Members;
use crate::problem::Fault;

/// The longest event type, in bytes.
pub const MAX_TYPE: usize = 64;
/// The longest version, locale and time zone, in bytes.
pub const MAX_TAG: usize = 100;
/// The longest page path, in bytes.
pub const MAX_PATH: usize = 2_048;

const EVENT: [&str; 10] = [
    "userId",
    "sessionId",
    "eventType",
    "payload",
    "timestamp",
    "eventId",
    "anonymousId",
    "attributes",
    "context",
    "userToken",
];
const CONTEXT: [&str; 4] = ["appVersion", "locale", "path", "timezone"];

/// A checked event, and the token that came in its body.
#[derive(Debug, Clone)]
pub struct Received {
    /// The event; its `api_version` and `trace_parent` are the caller's to set.
    pub event: IncomingEvent,
    /// `userToken`, unchecked.
    pub user_token: Option<Box<str>>,
}

/// Why an event is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name, where that much could be read.
    pub id: Option<EventId>,
    /// Everything that is wrong with it; never empty.
    pub faults: Vec<Fault>,
}

/// Reads one event under a definition. Members that it does not know are passed over, `null` counts as absent.
pub fn read(text: &str, definition: &Definition) -> Result<Received, Refused> {
    let mut body = Members::read(text, &EVENT, "")
        .map_err(|fault| Refused { id: None, faults: vec![fault] })?;
    let user = body.required(0, |text| user_id(text, definition));
    let session = body.required(1, SessionId::new);
    let kind = body.required(2, |text| event_type(text, definition));
    let payload = body.free_object(3);
    let claimed = body.name(4, timestamp);
    let id = body.name(5, EventId::new);
    let anonymous = body.name(6, UserId::new);
    let attributes = body.free_object(7);
    let context = context(body.raw(8), &mut body.faults);
    let user_token = body.text(9).map(Into::into);
    match (user, session, kind) {
        (Some(user), Some(session), Some(kind)) if body.faults.is_empty() => Ok(Received {
            event: IncomingEvent {
                id,
                user,
                session,
                kind,
                claimed,
                anonymous,
                attributes,
                context,
                payload,
                api_version: None,
                trace_parent: None,
            },
            user_token,
        }),
        _ => Err(Refused { id, faults: body.faults }),
    }
}

/// A user id of the form that the definition asks for.
pub(crate) fn user_id(text: &str, definition: &Definition) -> Result<UserId, UserIdError> {
    let id = UserId::new(text).map_err(UserIdError::Id)?;
    if definition.user_id.fits(text) { Ok(id) } else { Err(UserIdError::NotUuid) }
}

/// Why a text is no user id of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UserIdError {
    #[error(transparent)]
    Id(IdError),
    #[error("must be a UUID, or `anon-` and a UUID, as the product's definition demands")]
    NotUuid,
}

fn event_type(text: &str, definition: &Definition) -> Result<Box<str>, String> {
    if text.len() > MAX_TYPE {
        return Err(format!("must be at most {MAX_TYPE} bytes"));
    }
    match definition.events.iter().find(|known| &*known.name == text) {
        Some(known) => Ok(known.name.clone()),
        None => Err("is not an event type of the product's definition".to_owned()),
    }
}

pub(crate) fn timestamp(text: &str) -> Result<Timestamp, &'static str> {
    instant::parse(text).ok_or("must be an RFC 3339 date and time")
}

fn context(raw: Option<&RawValue>, faults: &mut Vec<Fault>) -> EventContext {
    let Some(raw) = raw else { return EventContext::default() };
    match Members::read(raw.get(), &CONTEXT, "context.") {
        Err(fault) => {
            faults.push(fault);
            EventContext::default()
        }
        Ok(mut members) => {
            let context = EventContext {
                app_version: members.bounded_text(0, MAX_TAG),
                locale: members.bounded_text(1, MAX_TAG),
                path: members.bounded_text(2, MAX_PATH),
                timezone: members.bounded_text(3, MAX_TAG),
            };
            faults.append(&mut members.faults);
            context
        }
    }
}

#[cfg(test)]
mod tests;
