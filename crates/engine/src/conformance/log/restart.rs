//! What a restart keeps. Part of the log's suite.

use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;

use super::{append, append_new, assert_is, read_all};
use crate::conformance::{LogPlace, decision, event, event_id, product, user};
use crate::port::log::{Appended, Entry};

/// Every record reads back the same.
pub async fn a_restart_keeps_every_record(place: &impl LogPlace) {
    let log = place.open().await;
    let mut entries = Vec::new();
    for n in 0..40 {
        let call =
            vec![event("u", &format!("a{n}")), decision("v", n), event("v", &format!("b{n}"))];
        append(&*log, call.clone()).await;
        entries.extend(call);
    }
    let end = log.end();
    log.close().await;
    let log = place.open().await;
    assert_eq!(log.end(), end);
    let stored = read_all(&*log).await;
    assert_eq!(stored.len(), entries.len());
    for (stored, entry) in stored.iter().zip(&entries) {
        assert_is(stored, stored.position, entry);
    }
}

/// Events and decisions are found, and duplicates told, also by a second restart that wrote nothing in between.
pub async fn a_restart_keeps_the_names(place: &impl LogPlace) {
    let log = place.open().await;
    let elsewhere = Entry { product: product("q"), ..event("u", "a") };
    let at = append_new(&*log, event("u", "a")).await;
    let decided = append_new(&*log, decision("u", 9)).await;
    let mut log = log;
    for _ in 0..2 {
        log.close().await;
        log = place.open().await;
        assert_eq!(append(&*log, vec![event("u", "a")]).await, [Appended::Duplicate(at)]);
        let found = log.find_event(&product("p"), &user("u"), &event_id("a")).await;
        assert!(matches!(found, Ok(Some(found)) if found == at));
        let found = log.find_event(&product("q"), &user("u"), &event_id("a")).await;
        assert!(matches!(found, Ok(None)));
        let found = log.find_decision(DecisionId::from_bits(9)).await;
        assert!(matches!(found, Ok(Some(found)) if found == decided));
        let found = log.find_decision(DecisionId::from_bits(8)).await;
        assert!(matches!(found, Ok(None)));
    }
    append_new(&*log, elsewhere).await;
}

/// New positions come after all old ones, in read order too.
pub async fn a_restart_goes_on_where_the_log_ended(place: &impl LogPlace) {
    let mut last = Position(0);
    for round in 0..3 {
        let log = place.open().await;
        for n in 0..5 {
            let position = append_new(&*log, event("u", &format!("{round}-{n}"))).await;
            assert!(position > last);
            last = position;
        }
        assert_eq!(read_all(&*log).await.len(), 5 * (round + 1));
        log.close().await;
    }
}
