//! Records by their positions. Part of the journal's suite.

use pilotage_domain::event::Position;

use super::{append, assert_is, event, get};
use crate::conformance::JournalPlace;

/// Before the first, after the last, at the end of all: nothing stands there, and that is no failure.
pub async fn positions_that_hold_nothing_are_passed_over(place: &impl JournalPlace) {
    let journal = place.open().await;
    assert!(get(&*journal, Vec::new()).await.is_empty());
    assert!(get(&*journal, vec![Position(0), Position(1), Position(u64::MAX)]).await.is_empty());
    let at = append(&*journal, vec![event("u", "a")]).await[0];
    let around = [0, at.0 - 1, at.0, at.0 + 1, at.0 + 1_000, u64::MAX].map(Position);
    let stored = get(&*journal, around.to_vec()).await;
    assert_eq!(stored.len(), 1);
    assert_is(&stored[0], at, &event("u", "a"));
}

/// Any choice of records comes in order, each once, also when others were asked for in between.
pub async fn records_are_found_in_the_order_asked(place: &impl JournalPlace) {
    let journal = place.open().await;
    let mut all = Vec::new();
    for n in 0..150 {
        let entry = event(["u", "v", "w"][n % 3], &n.to_string());
        let position = append(&*journal, vec![entry.clone()]).await[0];
        all.push((position, entry));
    }
    all.sort_by_key(|(position, _)| *position);
    for step in [1, 2, 7, 40, 149] {
        let chosen: Vec<_> = all.iter().step_by(step).collect();
        let stored = get(&*journal, chosen.iter().map(|(position, _)| *position).collect()).await;
        assert_eq!(stored.len(), chosen.len(), "every {step}th");
        for (stored, (position, entry)) in stored.iter().zip(chosen) {
            assert_is(stored, *position, entry);
        }
    }
}
