//! By which names records are known. Part of the shared store's suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{
    TODAY, at, claim, dated, decision_id, decision_name, event_name, fold, is_damage, one_record,
    position, positions,
};
use crate::conformance::{SharedPlace, event_id, key, product, user};
use crate::port::log::EntryName;
use crate::port::shared::{Claim, Dated, Day, Folded, REMEMBERED_DAYS, Shared};
use crate::port::store::{Batch, Watermark};

fn named(anonymous: &str, known: &str) -> Dated {
    dated(key("p", anonymous), EntryName::Named(user(known)))
}

fn carried(known: &str, anonymous: &str, fold: &str) -> Dated {
    let fold = ContentHash::of(&[fold.as_bytes()]);
    dated(key("p", known), EntryName::Carried(user(anonymous), fold))
}

/// An event is known by product, user and id; a decision by its id; what makes two users one by both; each where it stands, and
/// after a restart.
pub async fn names_are_known_after_their_fold(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    let place_of = |offset| position(&claimed, offset);
    let event = |product: &str, user: &str, id: &str| {
        dated(key(product, user), EntryName::Event(event_id(id)))
    };
    let names: Vec<(Dated, Position)> = vec![
        (event("p", "a", "1"), place_of(0)),
        (event("p", "b", "1"), place_of(1)),
        (event("q", "a", "1"), place_of(2)),
        (event("p", "a", "2"), place_of(3)),
        (decision_name("a", 1), place_of(4)),
        (decision_name("a", u128::MAX), place_of(5)),
        (named("anon-a", "b"), place_of(6)),
        (carried("b", "anon-a", "one"), place_of(7)),
    ];
    let asked: Vec<Dated> = names.iter().map(|(name, _)| name.clone()).collect();
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

/// The name, of a record that was received so many days after the others.
fn later(name: Dated, days: i32) -> Dated {
    Dated { day: Day::new(TODAY + days), ..name }
}

/// A record of that name and its place, folded or refused.
async fn fold_name(store: &dyn Shared, claimed: &Claim, (name, offset): (Dated, u64)) -> bool {
    let names = vec![(name, position(claimed, offset))];
    let done = store.fold(Folded { names, ..one_record(claimed, offset, &[]) }).await;
    assert!(done.is_ok() || is_damage(&done), "{done:?}");
    done.is_ok()
}

/// An event's name is known on the days after its record's, and on those before; then it counts anew, and is known from there. A
/// decision's is known for ever.
pub async fn a_name_takes_effect_anew_once_its_days_are_over(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    let (event, decision) = (|days| later(event_name("a", "e"), days), decision_name("a", 1));
    for first in [event(0), decision.clone()] {
        fold(
            &*store,
            Folded { names: vec![(first, position(&claimed, 0))], ..one_record(&claimed, 0, &[]) },
        )
        .await;
    }
    let known = |offset| Some(position(&claimed, offset));
    for days in [0, REMEMBERED_DAYS, -400] {
        assert_eq!(positions(&*store, &[event(days)]).await, [known(0)], "{days}");
        assert!(!fold_name(&*store, &claimed, (event(days), 1)).await, "{days}");
    }
    let over = REMEMBERED_DAYS + 1;
    let asked = [event(over), later(decision.clone(), over), event(0)];
    assert_eq!(positions(&*store, &asked).await, [None, known(0), known(0)]);
    assert!(!fold_name(&*store, &claimed, (later(decision, over), 1)).await);
    assert!(fold_name(&*store, &claimed, (event(over), 1)).await);
    store.close().await;
    let store = place.open().await;
    let asked = [event(over), event(over + REMEMBERED_DAYS), event(2 * over), event(0)];
    assert_eq!(positions(&*store, &asked).await, [known(1), known(1), None, known(1)]);
    // Twice in one fold, it is nothing that a worker makes of records.
    let twice =
        vec![(event(2 * over), position(&claimed, 2)), (event(4 * over), position(&claimed, 3))];
    let done = store.fold(Folded { names: twice, ..one_record(&claimed, 3, &[]) }).await;
    assert!(is_damage(&done), "{done:?}");
    assert_eq!(positions(&*store, &[event(2 * over)]).await, [None]);
}

/// What is folded again after a reset, however long afterwards, finds the same names known on the same days.
pub async fn names_and_days_are_folded_anew_alike(place: &impl SharedPlace) {
    let store = place.open().await;
    let over = REMEMBERED_DAYS + 1;
    let log = [0, 3, over, over + 1, over - 1, 2 * over, 5 * over];
    let mut effects = Vec::new();
    for _ in 0..2 {
        let claimed = claim(&*store, 0).await;
        let mut effect = Vec::new();
        for (offset, days) in (0..).zip(log) {
            let name = later(event_name("a", "e"), days);
            let known = positions(&*store, std::slice::from_ref(&name)).await;
            let folded = fold_name(&*store, &claimed, (name, offset)).await;
            assert_eq!(folded, known == [None], "what is not known is taken, and nothing else");
            effect.push(folded);
        }
        effects.push(effect);
        store.reset().await.expect("the store writes");
    }
    let expected = [true, false, true, false, false, true, true];
    assert_eq!(effects, [expected, expected]);
}

/// What one product is folded with.
fn folds(id: &str, byte: u8) -> BTreeMap<ProductId, ContentHash> {
    BTreeMap::from([(product(id), ContentHash::from_bytes([byte; 32]))])
}

/// Many begin at once, each with another definition of one product and with a product of its own: all are told of the same.
pub async fn of_many_that_agree_the_first_is_followed(place: &impl SharedPlace) {
    const MANY: u8 = 8;
    let stores = [place.open().await, place.open().await];
    let (begin, mut all) = (Arc::new(Barrier::new(MANY.into())), JoinSet::new());
    for n in 0..MANY {
        let (store, begin) = (Arc::clone(&stores[usize::from(n) % 2]), Arc::clone(&begin));
        all.spawn(async move {
            begin.wait().await;
            let mut ours = folds("p", n);
            ours.extend(folds(&format!("own-{n}"), n));
            let told = store.agree(ours.clone()).await.expect("the store writes");
            assert_eq!(told.len() - 1, told.keys().filter(|id| id.as_str() != "p").count());
            assert!(
                folds(&format!("own-{n}"), n).iter().all(|(id, fold)| told.get(id) == Some(fold))
            );
            told[&product("p")]
        });
    }
    let told = all.join_all().await;
    assert!(told.iter().all(|fold| *fold == told[0]), "{told:?}");
    stores[0].close().await;
    let store = place.open().await;
    let stands = store.watermark().await.expect("the store reads");
    assert_eq!((stands.position, stands.folds.len()), (Position(0), 1 + usize::from(MANY)));
    assert_eq!(stands.folds[&product("p")], told[0]);
    let agreed = store.agree(BTreeMap::new()).await.expect("the store writes");
    assert_eq!(agreed, stands.folds);
    // What is noted beside it stays, and a reset forgets both.
    let watermark = Watermark { position: Position(7), ..stands };
    let batch = Batch { watermark: Some(watermark.clone()), ..Batch::default() };
    store.write(batch).await.expect("the store writes");
    store.agree(folds("p", MANY)).await.expect("the store writes");
    assert_eq!(store.watermark().await.expect("the store reads"), watermark);
    store.reset().await.expect("the store writes");
    let anew = store.agree(folds("p", MANY)).await.expect("the store writes");
    assert_eq!(anew, folds("p", MANY));
}
