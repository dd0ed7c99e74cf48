//! Many callers at once. Part of the journal's suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilotage_domain::event::Position;
use tokio::task::JoinSet;

use super::{append, assert_is, between, event, get};
use crate::conformance::JournalPlace;
use crate::port::log::{Entry, Journal};

const CALLERS: usize = 24;
const CALLS: usize = 40;

/// Every record of every caller stands at a place of its own, each caller's calls in order.
pub async fn many_callers_share_the_journal(place: &impl JournalPlace) {
    let journal = place.open().await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call_often(Arc::clone(&journal), caller));
    }
    let mut expected = BTreeMap::new();
    while let Some(stored) = callers.join_next().await {
        let stored = stored.expect("no caller panics");
        assert!(stored.is_sorted_by(|a, b| a.0 < b.0), "a caller's order");
        let (count, before) = (stored.len(), expected.len());
        expected.extend(stored);
        assert_eq!(expected.len(), before + count, "a position was given twice");
    }
    let all = get(&*journal, expected.keys().copied().collect()).await;
    assert_eq!(all.len(), expected.len());
    for (stored, (position, entry)) in all.iter().zip(&expected) {
        assert_is(stored, *position, entry);
    }
}

/// One caller's calls of one to three records of one user, and where these stand.
async fn call_often(journal: Arc<dyn Journal>, caller: usize) -> Vec<(Position, Entry)> {
    let mut stored: Vec<(Position, Entry)> = Vec::new();
    for call in 0..CALLS {
        let entry = |n| event(&format!("u{caller}"), &format!("{call}-{n}"));
        let entries: Vec<Entry> = (0..=(caller + call) % 3).map(entry).collect();
        let positions = append(&*journal, entries.clone()).await;
        stored.extend(positions.into_iter().zip(entries));
    }
    stored
}

/// Of calls whose callers do not wait, those that have begun are stored, in order.
pub async fn a_caller_that_gives_up_loses_nothing(place: &impl JournalPlace) {
    let journal = place.open().await;
    let first = append(&*journal, vec![event("u", "first")]).await[0];
    for n in 0..100 {
        let mut call = journal.append(vec![event("u", &n.to_string())]);
        // Looks once, so that the call has begun, and lets go.
        tokio::select! {
            biased;
            _ = &mut call => {}
            () = std::future::ready(()) => {}
        }
    }
    let last = append(&*journal, vec![event("u", "last")]).await[0];
    let stored = between(&*journal, Position(first.0 + 1), Position(last.0 - 1)).await;
    assert_eq!(stored.len(), 100);
    for (n, stored) in stored.iter().enumerate() {
        assert_is(stored, stored.position, &event("u", &n.to_string()));
    }
}
