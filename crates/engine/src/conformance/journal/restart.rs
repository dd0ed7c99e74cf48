//! What a restart keeps. Part of the journal's suite.

use pilotage_domain::event::Position;

use super::{append, assert_is, between, decision, event, get};
use crate::conformance::JournalPlace;

/// Every record reads back the same, and new ones come after a user's old ones.
pub async fn a_restart_keeps_every_record(place: &impl JournalPlace) {
    let mut all = Vec::new();
    for round in 0..3u128 {
        let journal = place.open().await;
        let call = vec![event("u", &format!("a{round}")), decision("u", round)];
        let positions = append(&*journal, call.clone()).await;
        all.extend(positions.into_iter().zip(call));
        assert!(all.is_sorted_by(|a, b| a.0 < b.0));
        let stored = get(&*journal, all.iter().map(|(position, _)| *position).collect()).await;
        assert_eq!(stored.len(), all.len());
        for (stored, (position, entry)) in stored.iter().zip(&all) {
            assert_is(stored, *position, entry);
        }
        journal.close().await;
    }
}

/// Records that wait when the journal is closed are stored.
pub async fn closing_writes_what_is_queued(place: &impl JournalPlace) {
    let journal = place.open().await;
    let first = append(&*journal, vec![event("u", "first")]).await[0];
    for n in 0..50 {
        journal.enqueue(event("u", &n.to_string())).expect("the queue has room");
    }
    journal.close().await;
    let journal = place.open().await;
    let stored = between(&*journal, Position(first.0 + 1), Position(first.0 + 50)).await;
    assert_eq!(stored.len(), 50);
    for (n, stored) in stored.iter().enumerate() {
        assert_is(stored, stored.position, &event("u", &n.to_string()));
    }
}
