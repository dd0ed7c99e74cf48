//! What is learnt, beside the users that it is learnt from. Part of the store's suite.

use bytes::Bytes;

use super::{plain, watermark};
use crate::conformance::{StorePlace, key, product};
use crate::port::store::{Batch, Learnt, LearntPart, RowId, Store, StoreError};

fn learnt(of: &str, part: LearntPart, body: &str) -> Learnt {
    Learnt { product: product(of), part, body: Bytes::from(body.to_owned()) }
}

async fn all(store: &dyn Store) -> Vec<Learnt> {
    let mut all = store.learnt().await.expect("the store reads");
    all.sort_by_key(|learnt| (learnt.product.clone(), learnt.part));
    all
}

/// Each product has its two parts, as they were written last, with the users of their batch; a restart keeps them, a refused
/// batch leaves them, a reset forgets them.
pub async fn what_is_learnt_stands_by_product_and_part(place: &impl StorePlace) {
    use LearntPart::{Current, Published};
    let store = place.open().await;
    assert_eq!(all(&*store).await, []);
    let large = "x".repeat(300_000);
    for parts in [
        vec![learnt("q", Current, "1"), learnt("p", Published, "2")],
        vec![learnt("p", Current, "3"), learnt("q", Current, &large)],
    ] {
        let users = vec![plain("a", None, "1")];
        let batch = Batch { users, watermark: Some(watermark(3)), learnt: parts };
        store.write(batch).await.expect("the store writes");
    }
    let expected =
        [learnt("p", Current, "3"), learnt("p", Published, "2"), learnt("q", Current, &large)];
    assert_eq!(all(&*store).await, expected);
    let foreign = vec![plain("a", Some(RowId(99)), "2")];
    let parts = vec![learnt("p", Current, "4")];
    let refused = store.write(Batch { users: foreign, watermark: None, learnt: parts }).await;
    assert!(matches!(refused, Err(StoreError::Damaged(_))), "{refused:?}");
    store.close().await;
    let store = place.open().await;
    assert_eq!(all(&*store).await, expected);
    assert!(store.load(vec![key("p", "a")]).await.expect("the store reads")[0].is_some());
    store.reset().await.expect("the store writes");
    assert_eq!(all(&*store).await, []);
}
