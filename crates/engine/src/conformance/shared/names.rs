//! By which names records are known. Part of the shared store's suite.

use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;

use super::{
    at, claim, decision_id, decision_name, event_name, fold, is_damage, one_record, position,
    positions,
};
use crate::conformance::{SharedPlace, event_id, key, user};
use crate::port::log::EntryName;
use crate::port::shared::{Folded, RecordName};

fn named(anonymous: &str, known: &str) -> RecordName {
    RecordName { key: key("p", anonymous), name: EntryName::Named(user(known)) }
}

fn carried(known: &str, anonymous: &str, fold: &str) -> RecordName {
    let fold = ContentHash::of(&[fold.as_bytes()]);
    RecordName { key: key("p", known), name: EntryName::Carried(user(anonymous), fold) }
}

/// An event is known by product, user and id; a decision by its id; what makes two users one by both; each where it stands, and
/// after a restart.
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
        (named("anon-a", "b"), place_of(6)),
        (carried("b", "anon-a", "one"), place_of(7)),
    ];
    let asked: Vec<RecordName> = names.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(positions(&*store, &asked).await, [None; 8]);
    assert_eq!(store.decision(decision_id(1)).await.expect("the store reads"), None);
    let folded = Folded { claims: vec![at(&claimed, 7)], names, ..Folded::default() };
    fold(&*store, folded).await;
    store.close().await;
    let store = place.open().await;
    let known = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| Some(place_of(n)));
    assert_eq!(positions(&*store, &asked).await, known);
    // Nothing moves between the parts of a name, and the order asked is the order answered.
    let others = [
        event("p", "a1", "1"),
        event("p", "a", "3"),
        event("pa", "a", "1"),
        asked[3].clone(),
        decision_name("a", 2),
        decision_name("somebody else", 1),
        asked[3].clone(),
        named("anon-a", "c"),
        named("b", "anon-a"),
        event("p", "anon-a", "b"),
        carried("b", "anon-a", "two"),
        event("p", "b", "anon-a"),
    ];
    let (known, decided) = (Some(place_of(3)), Some(place_of(4)));
    let expected = [None, None, None, known, None, decided, known, None, None, None, None, None];
    assert_eq!(positions(&*store, &others).await, expected);
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
