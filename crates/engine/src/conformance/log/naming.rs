//! Which events are the same. Part of the log's suite.

use pilotage_domain::event::Position;

use super::{append, append_new, assert_is, read_all};
use crate::conformance::{LogPlace, carrying, decision, event, naming, product};
use crate::port::log::{Appended, Entry, Log};

/// The first of equal names in one call is stored, the others are its duplicates.
pub async fn doubled_names_in_one_call_count(place: &impl LogPlace) {
    let log = place.open().await;
    let entries = vec![event("u", "a"), event("u", "b"), event("u", "a"), event("u", "a")];
    let appended = append(&*log, entries).await;
    let first = appended[0].position();
    assert_eq!(appended[0], Appended::New(first));
    assert!(matches!(appended[1], Appended::New(position) if position > first));
    assert_eq!(appended[2..], [Appended::Duplicate(first), Appended::Duplicate(first)]);
    assert_eq!(read_all(&*log).await.len(), 2);
}

/// A second event is known by its name alone, whatever else it says.
pub async fn a_second_event_of_that_name_is_a_duplicate(place: &impl LogPlace) {
    let log = place.open().await;
    let first = append_new(&*log, event("u", "a")).await;
    let again = Entry { body: "something else".into(), ..event("u", "a") };
    let appended = append(&*log, vec![again, event("u", "b")]).await;
    assert_eq!(appended[0], Appended::Duplicate(first));
    assert!(matches!(appended[1], Appended::New(_)));
    let stored = read_all(&*log).await;
    assert_eq!(stored[0].body, event("u", "a").body);
    assert_eq!(stored.len(), 2);
}

/// The same id of another user or in another product is another event, and parts don't run together.
pub async fn product_user_and_id_make_the_name(place: &impl LogPlace) {
    let log = place.open().await;
    let elsewhere = Entry { product: product("q"), ..event("u", "a") };
    let entries = vec![
        event("u", "a"),
        event("v", "a"),
        event("u", "b"),
        event("ua", "x"),
        event("u", "ax"),
        elsewhere,
    ];
    let appended = append(&*log, entries.clone()).await;
    assert!(appended.iter().all(|appended| matches!(appended, Appended::New(_))));
    let again = append(&*log, entries).await;
    let first = appended.iter().map(|appended| Appended::Duplicate(appended.position()));
    assert_eq!(again, first.collect::<Vec<_>>());
}

/// Decisions and events have names of their own.
pub async fn a_decision_never_is_a_duplicate_of_an_event(place: &impl LogPlace) {
    let log = place.open().await;
    let spelled = pilotage_domain::id::DecisionId::from_bits(1).to_string();
    append_new(&*log, event("u", &spelled)).await;
    append_new(&*log, decision("u", 1)).await;
    assert_eq!(read_all(&*log).await.len(), 2);
}

/// Who names whom makes the name of a naming, whose and under what it was folded that of what is carried: a second one is told,
/// also inside one call and after a restart, and neither is taken for an event or for one another.
pub async fn a_naming_and_what_is_carried_are_known_by_their_users(place: &impl LogPlace) {
    let log = place.open().await;
    let entries = vec![
        naming("anon-a", "u"),
        naming("anon-a", "v"),
        naming("anon-b", "u"),
        Entry { product: product("q"), ..naming("anon-a", "u") },
        carrying("u", "anon-a", "one"),
        carrying("u", "anon-a", "another"),
        carrying("v", "anon-a", "one"),
        carrying("anon-a", "u", "one"),
        event("anon-a", "u"),
        event("anon-a", "named"),
        event("u", "anon-a"),
        event("u", "carried"),
    ];
    let twice = [entries.clone(), entries.clone()].concat();
    let appended = append(&*log, twice).await;
    let (new, again) = appended.split_at(entries.len());
    assert!(new.iter().all(|appended| matches!(appended, Appended::New(_))), "{new:?}");
    let told: Vec<_> = new.iter().map(|first| Appended::Duplicate(first.position())).collect();
    assert_eq!(again, told);
    assert_eq!(append(&*log, entries.clone()).await, told);
    log.close().await;
    let log = place.open().await;
    assert_eq!(append(&*log, entries.clone()).await, told);
    let stored = read_all(&*log).await;
    assert_eq!(stored.len(), entries.len());
    for ((stored, appended), entry) in stored.iter().zip(new).zip(&entries) {
        assert_is(stored, appended.position(), entry);
    }
}

/// Of many more events the newest are all known again, before and after a restart.
pub async fn at_least_the_newest_events_are_remembered(place: &impl LogPlace) {
    let log = place.open().await;
    let newest = usize::try_from(log.remembered()).unwrap_or(usize::MAX).min(20_000);
    let ids: Vec<String> = (0..3 * newest).map(|n| format!("e{n}")).collect();
    let mut positions = Vec::new();
    for (n, chunk) in ids.chunks(500).enumerate() {
        // Decisions in between take positions but no one's place.
        log.enqueue(decision("u", n as u128)).expect("the queue has room");
        let appended = append(&*log, chunk.iter().map(|id| event("u", id)).collect()).await;
        positions.extend(appended.iter().map(|appended| appended.position()));
    }
    let newest = ids.len() - newest..;
    assert_known(&*log, &ids[newest.clone()], &positions[newest.clone()]).await;
    log.close().await;
    assert_known(&*place.open().await, &ids[newest.clone()], &positions[newest]).await;
}

async fn assert_known(log: &dyn Log, ids: &[String], positions: &[Position]) {
    for (ids, positions) in ids.chunks(500).zip(positions.chunks(500)) {
        let again = append(log, ids.iter().map(|id| event("u", id)).collect()).await;
        let first = positions.iter().map(|position| Appended::Duplicate(*position));
        assert_eq!(again, first.collect::<Vec<_>>());
    }
}
