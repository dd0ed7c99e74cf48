//! The fold: one log record into one profile, in log order. Must not read a clock or look at another user.
//!
//! - **Order** is the log's. A record at or before `Profile::applied` changes nothing; an event whose id is among the
//!   newest `IDS_KEPT` of the profile changes only `applied`. (Longer memories are the engine's.)
//! - **Windows** go by the events' own times, whatever order they come in. `first_seen` and `last_seen` are the
//!   earliest and the latest such time. Times that lie ahead were bounded on arrival (`Event::effective_time`).
//! - **First counts** for the signup, in log order, with the time of its event.
//! - **Last wins** for attributes and for the last error, in log order.
//! - **Milestones** are judged after every event, and only then: time alone reaches none. The moment of judgement is
//!   the latest event time seen, so that an event that comes late is not taken for a fresh one; the time on record is
//!   that of the event that brought it about.
//! - **A kind that the definition does not know** touches `events`, first and last seen, sessions and attributes, and
//!   starts the clock where no signup event is declared: counters, errors and guides are none of its business.

use std::collections::BTreeSet;

use super::attribute;
use super::contact::{Contact, Contacted, Offer};
use super::view::View;
use super::{Count, Profile, event_hash, session_hash};
use crate::definition::condition::Counter;
use crate::definition::table::Ix;
use crate::definition::{Definition, EventRole, EventType, Milestone};
use crate::event::{Event, Position};
use crate::id::{DecisionId, ErrorName};
use crate::time::Timestamp;
use crate::value::Value;

/// How many of the newest event ids a profile knows again.
pub const IDS_KEPT: usize = 64;

/// The member of a payload that names what went wrong.
const ERROR: &str = "error";
/// The member of a payload that names the decision whose guide the event is about.
pub const DECISION: &str = "decisionId";

/// What a record did to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folded {
    /// Whether it was new at all; where it was not, nothing below is set.
    pub outcome: FoldOutcome,
    /// The user's clock started, then.
    pub signed_up: Option<Timestamp>,
    /// The activation milestone was reached, then.
    pub activated: Option<Timestamp>,
    /// Milestones that this event reached.
    pub reached: Vec<Ix<Milestone>>,
    /// What became of a decision's offer.
    pub contact: Option<Contacted>,
    /// Attribute values that did not fit.
    pub dropped_values: u32,
    /// It names a decision that the ledger does not know: another user's, too old, or made up.
    pub unknown_decision: bool,
}

/// Whether a record was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FoldOutcome {
    /// It is in the profile now.
    New,
    /// The same event was there under an earlier position: only `applied` moved.
    Redelivered,
    /// Its position was there already: nothing moved.
    #[default]
    Stale,
}

/// The members of payloads that folding and learning look at, sorted: an event without the others folds to the same.
pub fn heeded(definition: &Definition) -> Vec<Box<str>> {
    let filters = definition.counters.iter().flat_map(|counter| &counter.filter);
    let named = filters.filter_map(|(path, _)| path.first().cloned());
    let names: BTreeSet<Box<str>> = named.chain([ERROR, DECISION].map(Into::into)).collect();
    names.into_iter().collect()
}

/// Folds an event of this user into the profile.
pub fn fold_event(
    profile: &mut Profile,
    definition: &Definition,
    event: &Event,
    at: Position,
) -> Folded {
    let outcome = advance(profile, at);
    if outcome != FoldOutcome::New {
        return Folded { outcome, ..Folded::default() };
    }
    if !remember(&mut profile.recent_ids, event_hash(&event.id)) {
        return Folded { outcome: FoldOutcome::Redelivered, ..Folded::default() };
    }
    let kind = definition.events.find(|known| known.name == event.kind);
    let mut folded = Folded { outcome, ..Folded::default() };
    see(profile, event);
    folded.signed_up = sign_up(profile, definition, event, kind);
    folded.dropped_values = attribute::set_all(profile, definition, event);
    if let Some(kind) = kind {
        note_error(profile, definition, event);
        count(profile, definition, event, kind);
        touch(profile, definition.events[kind].role, event, &mut folded);
    }
    reach(profile, definition, event.at, &mut folded);
    folded
}

/// Folds a decision of this user into the profile: `None` is a decision that showed nothing, and moves only `applied`.
pub fn fold_decision(profile: &mut Profile, offered: Option<Offer>, at: Position) -> FoldOutcome {
    let outcome = advance(profile, at);
    let fresh = outcome == FoldOutcome::New;
    match offered.filter(|_| fresh).map(|offer| profile.contact.keep(offer)) {
        Some(false) => FoldOutcome::Redelivered,
        _ => outcome,
    }
}

pub(super) fn advance(profile: &mut Profile, at: Position) -> FoldOutcome {
    if at <= profile.applied {
        return FoldOutcome::Stale;
    }
    profile.applied = at;
    FoldOutcome::New
}

/// Whether the id is not among the newest; it is from here on.
fn remember(recent: &mut Vec<u64>, id: u64) -> bool {
    if recent.contains(&id) {
        return false;
    }
    if recent.len() >= IDS_KEPT {
        recent.remove(0);
    }
    recent.push(id);
    true
}

fn see(profile: &mut Profile, event: &Event) {
    profile.events += 1;
    profile.first_seen = Some(profile.first_seen.map_or(event.at, |first| first.min(event.at)));
    profile.last_seen = profile.last_seen.max(Some(event.at));
    let session = session_hash(&event.session);
    let visits = &mut profile.sessions;
    match visits.started {
        Some(started) if visits.current == session => visits.started = Some(started.min(event.at)),
        _ => {
            visits.count = visits.count.saturating_add(1);
            visits.current = session;
            visits.started = Some(event.at);
        }
    }
}

fn sign_up(
    profile: &mut Profile,
    definition: &Definition,
    event: &Event,
    kind: Option<Ix<EventType>>,
) -> Option<Timestamp> {
    let starts = definition.signup.is_none() || definition.signup == kind;
    if !starts || profile.signup.is_some() {
        return None;
    }
    profile.signup = Some(event.at);
    profile.signup
}

/// A declared name as it is, any other text as `other`; empty text is no error.
fn note_error(profile: &mut Profile, definition: &Definition, event: &Event) {
    let Some(text) = event.payload.member(ERROR).and_then(Value::as_text).filter(|t| !t.is_empty())
    else {
        return;
    };
    let declared = definition.errors.iter().find(|name| name.as_str() == text).cloned();
    let name = declared.or_else(|| ErrorName::new("other").ok());
    profile.last_error = name.map(|name| (name, event.at));
}

fn count(profile: &mut Profile, definition: &Definition, event: &Event, kind: Ix<EventType>) {
    for counter in definition.counters.iter().filter(|counter| counter.event == kind) {
        if matches(counter, &event.payload) {
            add(&mut profile.counters, counter, event.at);
        }
    }
}

fn matches(counter: &Counter, payload: &Value) -> bool {
    counter
        .filter
        .iter()
        .all(|(path, test)| test.passes_value(payload.at_path(path.iter().map(|name| &**name))))
}

fn add(counters: &mut Vec<(u64, Count)>, counter: &Counter, at: Timestamp) {
    let place = match counters.binary_search_by_key(&counter.key, |(key, _)| *key) {
        Ok(place) => place,
        Err(place) => {
            let empty = match counter.within {
                None => Count::Ever(0),
                Some(_) => Count::Newest(Vec::new()),
            };
            counters.insert(place, (counter.key, empty));
            place
        }
    };
    match counters.get_mut(place) {
        Some((_, Count::Ever(n))) => *n = n.saturating_add(1).min(counter.count),
        Some((_, Count::Newest(times))) => keep_newest(times, at, counter.count),
        None => {}
    }
}

/// Puts the time into the ascending list and lets go of the oldest beyond `most`.
pub(super) fn keep_newest(times: &mut Vec<Timestamp>, at: Timestamp, most: u32) {
    let place = times.partition_point(|earlier| *earlier <= at);
    times.insert(place, at);
    if times.len() as u64 > u64::from(most) {
        times.remove(0);
    }
}

/// What a guide's own event does to the offer that it names. Without a `decisionId` it is an event like any other.
fn touch(profile: &mut Profile, role: EventRole, event: &Event, folded: &mut Folded) {
    let contact = match role {
        EventRole::Fact => return,
        EventRole::Shown => Contact::Shown,
        EventRole::Clicked => Contact::Clicked,
        EventRole::Dismissed => Contact::Dismissed,
    };
    let named = event.payload.member(DECISION).filter(|named| **named != Value::Null);
    let Some(named) = named else { return };
    let decision = named.as_text().and_then(DecisionId::parse);
    match profile.contact.record(contact, decision, event.at) {
        Ok(contacted) => folded.contact = contacted,
        Err(_) => folded.unknown_decision = true,
    }
}

/// Reaches what can be reached now. One milestone may bring about another, earlier or later in the file: the rounds go
/// on until one reaches nothing.
pub(super) fn reach(
    profile: &mut Profile,
    definition: &Definition,
    at: Timestamp,
    folded: &mut Folded,
) {
    let now = profile.last_seen.unwrap_or(at);
    loop {
        let before = folded.reached.len();
        for (ix, milestone) in definition.milestones.entries() {
            let view = View { definition, profile, now };
            if view.reached_at(ix).is_none() && view.holds(&milestone.reached) {
                profile.reach(&milestone.id, at);
                folded.reached.push(ix);
            }
        }
        if folded.reached.len() == before {
            break;
        }
    }
    if folded.reached.contains(&definition.activation) {
        folded.activated = Some(at);
    }
}

#[cfg(test)]
mod tests;
