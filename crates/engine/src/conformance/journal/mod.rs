//! The journal's contract: what holds for every log that can be written, however many processes share it. Must hold for every
//! implementation.
//!
//! Bodies are stored forms as the engine writes them: a journal may look into them to tell others what it holds.

mod concurrency;
mod lookup;
mod order;
mod restart;

pub use concurrency::*;
pub use lookup::*;
pub use order::*;
pub use restart::*;

use pilotage_domain::decide::{Group, Trace};
use pilotage_domain::event::{EventContext, Position};
use pilotage_domain::id::{DecisionId, SessionId};
use pilotage_domain::time::Timestamp;
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record::{self, decision::OutcomeName, decision::StoredDecision};

use super::{event_id, product, user};
use crate::port::log::{Entry, EntryName, Journal, Stored};

/// The journal's suite; `$make` is a function without arguments that makes a new `JournalPlace`.
#[macro_export]
macro_rules! journal_conformance {
    ($make:expr) => {
        $crate::conformance_cases! { journal, $make,
            records_read_back_as_they_were_given,
            a_users_records_stand_in_call_order,
            an_empty_call_stores_nothing,
            a_large_call_is_taken,
            any_name_and_any_size_is_kept,
            queued_records_keep_their_place,
            a_barrier_waits_for_what_was_queued_before,
            a_closed_journal_takes_nothing,
            positions_that_hold_nothing_are_passed_over,
            records_are_found_in_the_order_asked,
            many_callers_share_the_journal,
            a_caller_that_gives_up_loses_nothing,
            a_restart_keeps_every_record,
            closing_writes_what_is_queued,
        }
    };
}

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// An event of product `p`, in its stored form.
fn event(user_name: &str, id: &str) -> Entry {
    noted(user_name, id, "")
}

/// The same with so much to say.
fn noted(user_name: &str, id: &str, note: &str) -> Entry {
    let (product, user, id) = (product("p"), user(user_name), event_id(id));
    let payload = serde_json::value::to_raw_value(&serde_json::json!({ "note": note }));
    let incoming = IncomingEvent {
        id: Some(id.clone()),
        user: user.clone(),
        session: session(),
        kind: "project_created".into(),
        claimed: None,
        anonymous: None,
        attributes: None,
        context: EventContext::default(),
        payload: payload.ok(),
        api_version: None,
        trace_parent: None,
    };
    let body = record::event::encode(&product, &id, &incoming, NOW).into();
    Entry { product, user, name: EntryName::Event(id), received_at: NOW, body, event: None }
}

/// A decision of product `p`, in its stored form.
fn decision(user_name: &str, id: u128) -> Entry {
    let (product, user, id) = (product("p"), user(user_name), DecisionId::from_bits(id));
    let stored = StoredDecision {
        decision_id: id,
        session_id: session(),
        at: NOW,
        guide: None,
        product: product.clone(),
        user_id: user.clone(),
        context: Default::default(),
        group: Group::Holdout,
        policy: "static".into(),
        explore: false,
        stale: false,
        catalogue_version: 1,
        catalogue_hash: "00".into(),
        signature: "11".into(),
        outcome: OutcomeName::Withhold,
        reason: None,
        propensity: None,
        expires_at: None,
        validation_hash: None,
        trace: Trace::default(),
        weighing: None,
    };
    let body = stored.encode().into();
    Entry { product, user, name: EntryName::Decision(id), received_at: NOW, body, event: None }
}

fn session() -> SessionId {
    SessionId::new("a visit").expect("a test's session")
}

/// Appends and gives the positions.
async fn append(journal: &dyn Journal, entries: Vec<Entry>) -> Vec<Position> {
    let appended = journal.append(entries).await.expect("the journal takes records");
    appended.iter().map(|appended| appended.position()).collect()
}

async fn get(journal: &dyn Journal, positions: Vec<Position>) -> Vec<Stored> {
    journal.get(positions).await.expect("the journal reads")
}

/// Every record between these two positions, the first and the last included; few of them.
async fn between(journal: &dyn Journal, first: Position, last: Position) -> Vec<Stored> {
    get(journal, (first.0..=last.0).map(Position).collect()).await
}

/// Checks that the record is that entry at that position.
fn assert_is(stored: &Stored, position: Position, entry: &Entry) {
    assert_eq!((stored.position, stored.kind), (position, entry.name.kind()));
    assert_eq!((&stored.product, &stored.user), (&entry.product, &entry.user));
    assert_eq!((stored.received_at, &stored.body), (entry.received_at, &entry.body));
}
