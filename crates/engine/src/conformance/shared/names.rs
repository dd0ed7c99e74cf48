//! By which names records are known. Part of the shared store's suite.

use pilotage_domain::event::Position;

use super::{
    at, claim, decision_id, decision_name, event_name, fold, is_damage, one_record, position,
    positions,
};
use crate::conformance::{SharedPlace, event_id, key};
use crate::port::log::EntryName;
use crate::port::shared::{Folded, RecordName};

/// An event is known by product, user and id; a decision by its id; both where they stand, and after a restart.
pub async fn names_are_known_after_their_fold(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    let place_of = |offset| position(&claimed, offset);
    let event = |product: &str, user: &str, id: &str| RecordName {
        key: key(product, user),
        name: EntryName::Event(event_id(id)),
    };
    let names: Vec<(RecordName, Position)> = vec![
        (event("p", "a", "1"), place_of(0)),
        (event("p", "b", "1"), place_of(1)),
        (event("q", "a", "1"), place_of(2)),
        (event("p", "a", "2"), place_of(3)),
        (decision_name("a", 1), place_of(4)),
        (decision_name("a", u128::MAX), place_of(5)),
    ];
    let asked: Vec<RecordName> = names.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(positions(&*store, &asked).await, [None; 6]);
    assert_eq!(store.decision(decision_id(1)).await.expect("the store reads"), None);
    let folded = Folded { claims: vec![at(&claimed, 5)], names, ..Folded::default() };
    fold(&*store, folded).await;
    store.close().await;
    let store = place.open().await;
    assert_eq!(positions(&*store, &asked).await, [0, 1, 2, 3, 4, 5].map(|n| Some(place_of(n))));
    // Nothing moves between the parts of a name, and the order asked is the order answered.
    let others = [
        event("p", "a1", "1"),
        event("p", "a", "3"),
        event("pa", "a", "1"),
        asked[3].clone(),
        decision_name("a", 2),
        decision_name("somebody else", 1),
        asked[3].clone(),
    ];
    let (known, decided) = (Some(place_of(3)), Some(place_of(4)));
    assert_eq!(positions(&*store, &others).await, [None, None, None, known, None, decided, known]);
    assert_eq!(positions(&*store, &[]).await, []);
    for (n, expected) in [(1, decided), (u128::MAX, Some(place_of(5))), (2, None)] {
        assert_eq!(store.decision(decision_id(n)).await.expect("the store reads"), expected);
    }
}

/// A name that is known is refused from any process, and its first place stays.
pub async fn a_name_takes_effect_once(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let claimed = claim(&*store, 0).await;
    fold(&*store, one_record(&claimed, 0, &["a"])).await;
    let again = Folded {
        names: vec![(event_name("a", "0"), position(&claimed, 1))],
        ..one_record(&claimed, 1, &[])
    };
    let done = other.fold(again).await;
    assert!(is_damage(&done), "{done:?}");
    let expected = Some(position(&claimed, 0));
    assert_eq!(positions(&*store, &[event_name("a", "0")]).await, [expected]);
}
