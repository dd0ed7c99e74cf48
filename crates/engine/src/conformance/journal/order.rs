//! Order, queue and close. Part of the journal's suite.

use pilotage_domain::event::Position;
use pilotage_domain::id::MAX_CALLER_ID;

use super::{append, assert_is, between, decision, event, get, noted};
use crate::conformance::JournalPlace;
use crate::port::log::AppendError;

/// Each record reads back as it was given.
pub async fn records_read_back_as_they_were_given(place: &impl JournalPlace) {
    let journal = place.open().await;
    let entries = vec![event("u", "a"), decision("v", 7), event("v", "b"), decision("u", 1 << 100)];
    let positions = append(&*journal, entries.clone()).await;
    for (position, entry) in positions.into_iter().zip(&entries) {
        let stored = get(&*journal, vec![position]).await;
        assert_eq!(stored.len(), 1);
        assert_is(&stored[0], position, entry);
    }
}

/// A user's records stand in call order, inside a call and from call to call.
pub async fn a_users_records_stand_in_call_order(place: &impl JournalPlace) {
    let journal = place.open().await;
    let users = ["u", "v", "w"];
    let mut last = [Position(0); 3];
    for call in 0..20 {
        let entries = (0..6).map(|n| event(users[n % 3], &format!("{call}-{n}"))).collect();
        for (n, position) in append(&*journal, entries).await.into_iter().enumerate() {
            assert!(position > last[n % 3], "{position:?} after {last:?}");
            last[n % 3] = position;
        }
    }
}

/// Nothing to append is no failure.
pub async fn an_empty_call_stores_nothing(place: &impl JournalPlace) {
    let journal = place.open().await;
    let first = append(&*journal, vec![event("u", "a")]).await[0];
    assert_eq!(append(&*journal, Vec::new()).await, []);
    assert_eq!(append(&*journal, vec![event("u", "b")]).await, [Position(first.0 + 1)]);
}

/// The largest batch that a caller may send is taken.
pub async fn a_large_call_is_taken(place: &impl JournalPlace) {
    let journal = place.open().await;
    let note = "x".repeat(1_700);
    let entries = (0..2_500).map(|n| noted("u", &n.to_string(), &note)).collect();
    let positions = append(&*journal, entries).await;
    assert_eq!(positions.len(), 2_500);
    assert!(positions.is_sorted_by(|a, b| a < b));
}

/// Names at their bounds, and the largest event.
pub async fn any_name_and_any_size_is_kept(place: &impl JournalPlace) {
    let journal = place.open().await;
    let longest = "ü".repeat(MAX_CALLER_ID / 2);
    let entries = vec![
        event(&longest, &longest),
        event("a:b: c", "'\"; -- 🙂"),
        noted("u", "large", &"0123456789".repeat(105_000)),
    ];
    let positions = append(&*journal, entries.clone()).await;
    for (position, entry) in positions.into_iter().zip(&entries) {
        assert_is(&get(&*journal, vec![position]).await[0], position, entry);
    }
}

/// A user's record that was queued stands before one that was appended after it.
pub async fn queued_records_keep_their_place(place: &impl JournalPlace) {
    let journal = place.open().await;
    let first = append(&*journal, vec![event("u", "a")]).await[0];
    journal.enqueue(decision("u", 1)).expect("the queue has room");
    journal.enqueue(event("u", "b")).expect("the queue has room");
    let last = append(&*journal, vec![event("u", "c")]).await[0];
    let stored = between(&*journal, first, last).await;
    let expected = [event("u", "a"), decision("u", 1), event("u", "b"), event("u", "c")];
    assert_eq!(stored.len(), expected.len());
    for (stored, entry) in stored.iter().zip(&expected) {
        assert_is(stored, stored.position, entry);
    }
}

/// What was queued before a barrier is there after it; a barrier with nothing before it passes.
pub async fn a_barrier_waits_for_what_was_queued_before(place: &impl JournalPlace) {
    let journal = place.open().await;
    journal.barrier().await.expect("nothing is in the way");
    let first = append(&*journal, vec![event("u", "a")]).await[0];
    for id in 0..200 {
        journal.enqueue(decision("u", id)).expect("the queue has room");
    }
    journal.barrier().await.expect("the records are written");
    let stored = between(&*journal, Position(first.0 + 1), Position(first.0 + 200)).await;
    assert_eq!(stored.len(), 200);
    for (id, stored) in (0..200).zip(&stored) {
        assert_is(stored, stored.position, &decision("u", id));
    }
}

/// A closed journal says so, however it is asked, and may be closed again.
pub async fn a_closed_journal_takes_nothing(place: &impl JournalPlace) {
    let journal = place.open().await;
    journal.close().await;
    let refused = journal.append(vec![event("u", "a")]).await;
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    let refused = journal.enqueue(event("u", "a"));
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    let refused = journal.barrier().await;
    assert!(matches!(refused, Err(AppendError::Closed)), "{refused:?}");
    journal.close().await;
}
