//! What is not folded: paused guides, definitions, secrets; and the end. Part of the store's suite.

use std::collections::BTreeMap;

use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::GuideId;

use super::{batch, plain};
use crate::conformance::{StorePlace, key, product};
use crate::port::store::{Pause, StoreError};

pub(super) fn guide(name: &str) -> GuideId {
    GuideId::new(name).expect("a test's guide")
}

/// Pausing twice is pausing once; products are apart; what is resumed is gone.
pub async fn guides_are_paused_and_resumed(place: &impl StorePlace) {
    let mut store = place.open().await;
    assert!(store.paused().await.expect("the store reads").is_empty());
    let set = [
        ("p", "b", Pause::Pause),
        ("p", "a", Pause::Pause),
        ("p", "a", Pause::Pause),
        ("q", "a", Pause::Pause),
        ("q", "c", Pause::Resume),
    ];
    for (of, name, pause) in set {
        store.set_paused(&product(of), &guide(name), pause).await.expect("the store writes");
    }
    let mut expected = BTreeMap::from([
        (product("p"), vec![guide("a"), guide("b")]),
        (product("q"), vec![guide("a")]),
    ]);
    for _ in 0..2 {
        assert_eq!(store.paused().await.expect("the store reads"), expected);
        store.close().await;
        store = place.open().await;
    }
    store.set_paused(&product("q"), &guide("a"), Pause::Resume).await.expect("the store writes");
    expected.remove(&product("q"));
    assert_eq!(store.paused().await.expect("the store reads"), expected);
}

/// A definition is found by product and hash, for good; the same hash again changes nothing.
pub async fn definitions_are_kept_by_hash(place: &impl StorePlace) {
    let mut store = place.open().await;
    let hash = |n: u8| ContentHash::of(&[&[n]]);
    let long = "ü: text\n".repeat(20_000);
    for (of, version, n, text) in
        [("p", 1, 1, "one"), ("p", 2, 2, long.as_str()), ("p", 3, 1, "again"), ("q", 1, 1, "of q")]
    {
        let kept = store.keep_definition(&product(of), version, hash(n), text).await;
        kept.expect("the store writes");
    }
    for _ in 0..2 {
        for (of, n, text) in [
            ("p", 1, Some("one")),
            ("p", 2, Some(long.as_str())),
            ("q", 1, Some("of q")),
            ("q", 2, None),
            ("r", 1, None),
        ] {
            let found = store.definition(&product(of), hash(n)).await.expect("the store reads");
            assert_eq!(found.as_deref(), text, "{of} {n}");
        }
        store.close().await;
        store = place.open().await;
    }
}

/// The first secret under a name is the secret.
pub async fn the_first_secret_stays(place: &impl StorePlace) {
    let mut store = place.open().await;
    for fresh in 1..4 {
        let secret = store.secret("a", [fresh; 32]).await.expect("the store writes");
        assert_eq!(secret, [1; 32]);
        let other = store.secret("b", [fresh + 10; 32]).await.expect("the store writes");
        assert_eq!(other, [11; 32]);
        store.close().await;
        store = place.open().await;
    }
}

/// A closed store says so, however it is asked, and may be closed again.
pub async fn a_closed_store_says_so(place: &impl StorePlace) {
    let store = place.open().await;
    store.close().await;
    let refused = store.write(batch(vec![plain("a", None, "1")])).await.map(drop);
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let refused = store.load(vec![key("p", "a")]).await.map(drop);
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    store.close().await;
}
