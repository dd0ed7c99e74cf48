//! The log's contract. Must hold for every implementation.

mod concurrency;
mod model;
mod naming;
mod order;
mod reading;
mod restart;

pub use concurrency::*;
pub use model::follows_its_model;
pub use naming::*;
pub use order::*;
pub use reading::*;
pub use restart::*;

use pilotage_domain::event::Position;

use crate::port::log::{Appended, Entry, Log, Stored};

/// The log's suite; `$make` is a function without arguments that makes a new `LogPlace`.
#[macro_export]
macro_rules! log_conformance {
    ($make:expr) => {
        $crate::conformance_cases! { log, $make,
            records_stand_in_call_order,
            an_empty_call_stores_nothing,
            a_large_call_is_one,
            any_body_and_any_name_is_kept,
            queued_records_keep_their_place,
            a_barrier_waits_for_what_was_queued_before,
            a_closed_log_takes_nothing,
            closing_writes_what_is_queued,
            doubled_names_in_one_call_count,
            a_second_event_of_that_name_is_a_duplicate,
            product_user_and_id_make_the_name,
            a_decision_never_is_a_duplicate_of_an_event,
            a_naming_and_what_is_carried_are_known_by_their_users,
            at_least_the_newest_events_are_remembered,
            many_callers_share_the_log,
            of_equal_events_at_once_one_is_stored,
            a_caller_that_gives_up_leaves_all_or_nothing,
            a_reader_that_follows_misses_nothing,
            pages_have_no_holes,
            records_are_found_by_position,
            records_are_found_by_name,
            growth_is_announced,
            a_restart_keeps_every_record,
            a_restart_keeps_the_names,
            a_restart_goes_on_where_the_log_ended,
        }

        #[test]
        fn follows_its_model() {
            $crate::conformance::log::follows_its_model($make);
        }
    };
}

/// Appends and expects success.
async fn append(log: &dyn Log, entries: Vec<Entry>) -> Vec<Appended> {
    log.append(entries).await.expect("the log takes records")
}

/// Appends one record that is new.
async fn append_new(log: &dyn Log, entry: Entry) -> Position {
    match append(log, vec![entry]).await[..] {
        [Appended::New(position)] => position,
        ref other => panic!("one new record was expected: {other:?}"),
    }
}

/// Every record.
async fn read_all(log: &dyn Log) -> Vec<Stored> {
    let (mut all, mut after) = (Vec::new(), Position(0));
    while after < log.end() {
        let page = log.read(after, 64 << 10).await.expect("the log reads");
        after = page.last().expect("a page before the end holds something").position;
        all.extend(page);
    }
    all
}

/// Checks that the record is that entry at that position.
fn assert_is(stored: &Stored, position: Position, entry: &Entry) {
    assert_eq!(stored.position, position);
    assert_eq!(stored.kind, entry.name.kind());
    assert_eq!((&stored.product, &stored.user), (&entry.product, &entry.user));
    assert_eq!((stored.received_at, &stored.body), (entry.received_at, &entry.body));
}
