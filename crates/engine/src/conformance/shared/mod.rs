//! The shared store's contract. Must hold for every implementation.

mod changes;
mod claims;
mod folds;
mod learning;
mod names;
mod reservations;

pub use changes::*;
pub use claims::*;
pub use folds::*;
pub use learning::*;
pub use names::*;
pub use reservations::*;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;
use pilotage_domain::time::Timestamp;

use super::{event_id, key};
use crate::port::feed::Partition;
use crate::port::log::EntryName;
use crate::port::shared::{Claim, Dated, Day, FoldError, Folded, RecordName, Shared, SharedUser};
use crate::port::store::{Counting, RowId, StoreError, UserKey, UserWrite};

/// The shared store's suite; `$make` is a function without arguments that makes a new `SharedPlace`.
#[macro_export]
macro_rules! shared_conformance {
    ($make:expr) => {
        $crate::conformance_cases! { shared, $make,
            a_claim_outdates_those_before,
            a_claim_knows_what_was_folded,
            a_claim_waits_for_a_write_under_way,
            of_many_claims_the_last_is_in_force,
            a_fold_is_seen_by_others,
            a_fold_is_refused_whole,
            an_outdated_claim_refuses_the_others_of_its_fold,
            wanted_situations_are_stored_with_their_fold,
            a_reader_never_sees_half_a_fold,
            workers_fold_side_by_side,
            a_reset_begins_anew,
            names_are_known_after_their_fold,
            a_name_takes_effect_once,
            a_name_takes_effect_anew_once_its_days_are_over,
            names_and_days_are_folded_anew_alike,
            of_many_that_agree_the_first_is_followed,
            of_those_that_read_the_same_one_is_held,
            a_reservation_is_held_against_the_profile,
            what_is_reserved_is_seen_until_it_is_settled,
            what_is_reserved_is_free_once_released_or_lapsed,
            users_have_reservations_of_their_own,
            folded_users_are_told,
            a_large_fold_is_told_of_every_user,
            pauses_are_told,
            what_is_taught_is_told_until_it_is_added_up,
            of_those_that_add_up_the_same_one_is_kept,
            a_refused_fold_teaches_nothing,
            a_reset_forgets_what_is_taught,
            what_is_published_is_told,
        }
    };
}

/// The moment at which the suite's reservations are made; they lapse a minute later.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_700_000_060_000);

fn decision_id(n: u128) -> DecisionId {
    DecisionId::from_bits(n)
}

/// The day on which the suite's records are received, where nothing else is said.
const TODAY: i32 = 20_000;

fn dated(key: UserKey, name: EntryName) -> Dated {
    Dated { name: RecordName { key, name }, day: Day::new(TODAY) }
}

fn event_name(user: &str, id: &str) -> Dated {
    dated(key("p", user), EntryName::Event(event_id(id)))
}

fn decision_name(user: &str, n: u128) -> Dated {
    dated(key("p", user), EntryName::Decision(decision_id(n)))
}

/// Takes one partition over.
async fn claim(store: &dyn Shared, partition: u16) -> Claim {
    let claims = store.claim(vec![Partition(partition)]).await.expect("the store claims");
    claims[0]
}

/// The position of that record of the claim's partition.
fn position(claim: &Claim, offset: u64) -> Position {
    claim.partition.position(offset).expect("it fits")
}

/// The claim, once it stands at that record.
fn at(claim: &Claim, offset: u64) -> Claim {
    Claim { applied: position(claim, offset), ..*claim }
}

/// A user of product `p`, whose last record is the one at that position.
fn user(name: &str, body: &str, applied: Position) -> UserWrite {
    let (key, body) = (key("p", name), Bytes::from(body.to_owned()));
    UserWrite { key, row: None, body, applied, spilled: Vec::new(), counting: Counting::Unchanged }
}

/// What a worker makes of one record: an event, named after its offset, that changed these users (sorted).
fn one_record(claim: &Claim, offset: u64, users: &[&str]) -> Folded {
    let (place, text) = (position(claim, offset), offset.to_string());
    Folded {
        claims: vec![at(claim, offset)],
        users: users.iter().map(|name| user(name, &text, place)).collect(),
        names: users.iter().map(|name| (event_name(name, &text), place)).collect(),
        ..Folded::default()
    }
}

async fn fold(store: &dyn Shared, folded: Folded) -> Vec<RowId> {
    store.fold(folded).await.expect("the store folds")
}

async fn shared_user(store: &dyn Shared, name: &str) -> SharedUser {
    store.shared_user(&key("p", name), NOW).await.expect("the store reads")
}

/// The body of that user of product `p`, where there is one.
async fn body(store: &dyn Shared, name: &str) -> Option<Bytes> {
    shared_user(store, name).await.stored.map(|stored| stored.body)
}

async fn positions(store: &dyn Shared, names: &[Dated]) -> Vec<Option<Position>> {
    store.positions(names.to_vec()).await.expect("the store reads")
}

fn is_fenced<T>(done: &Result<T, FoldError>, by: u16) -> bool {
    matches!(done, Err(FoldError::Fenced { partition }) if *partition == Partition(by))
}

fn is_damage<T>(done: &Result<T, FoldError>) -> bool {
    matches!(done, Err(FoldError::Store(StoreError::Damaged(_))))
}

fn keys(names: &[&str]) -> Vec<UserKey> {
    names.iter().map(|name| key("p", name)).collect()
}
