//! Who may write a partition. Part of the shared store's suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::{at, body, claim, fold, is_fenced, one_record, position};
use crate::conformance::SharedPlace;
use crate::port::feed::Partition;
use crate::port::shared::{Claim, FoldError, Folded, Shared};

/// Claims come in the order asked, begin before the first record, and each makes the earlier ones of its partition
/// outdated, in whatever process they were made.
pub async fn a_claim_outdates_those_before(place: &impl SharedPlace) {
    let (first, second) = (place.open().await, place.open().await);
    assert!(first.applied().await.expect("the store reads").is_empty());
    assert_eq!(first.claim(Vec::new()).await.expect("the store claims"), []);
    let asked = vec![Partition(7), Partition(3)];
    let [of_7, of_3] = first.claim(asked).await.expect("the store claims")[..] else {
        panic!("two were asked for")
    };
    assert_eq!((of_7.partition, of_7.applied), (Partition(7), Partition(7).start()));
    assert_eq!((of_3.partition, of_3.applied), (Partition(3), Partition(3).start()));
    let newer = claim(&*second, 3).await;
    assert!(newer.epoch > of_3.epoch);
    assert!(is_fenced(&first.fold(one_record(&of_3, 0, &["a"])).await, 3));
    fold(&*first, one_record(&of_7, 0, &["b"])).await;
    fold(&*first, one_record(&newer, 0, &["a"])).await;
    let unclaimed = Claim { partition: Partition(4), ..newer };
    assert!(is_fenced(&first.fold(one_record(&unclaimed, 0, &["c"])).await, 4));
}

/// A claim begins where the last fold ended; so do all, after a restart.
pub async fn a_claim_knows_what_was_folded(place: &impl SharedPlace) {
    let store = place.open().await;
    let (first, other) = (claim(&*store, 0).await, claim(&*store, 1).await);
    fold(&*store, one_record(&first, 4, &["a"])).await;
    // Records that changed nobody.
    fold(&*store, Folded { claims: vec![at(&first, 9)], ..Folded::default() }).await;
    fold(&*store, Folded { claims: vec![at(&first, 9)], ..Folded::default() }).await;
    assert_eq!(claim(&*store, 0).await.applied, position(&first, 9));
    store.close().await;
    let store = place.open().await;
    let again = claim(&*store, 0).await;
    assert_eq!((again.epoch, again.applied), (first.epoch + 2, position(&first, 9)));
    let expected = [(Partition(0), position(&first, 9)), (Partition(1), other.applied)];
    assert_eq!(store.applied().await.expect("the store reads"), BTreeMap::from(expected));
}

/// Whatever a worker had written when its partition was taken over is in what the new claim says; nothing comes after.
pub async fn a_claim_waits_for_a_write_under_way(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    for partition in 0..8 {
        let old = claim(&*store, partition).await;
        let (busy, is_busy) = oneshot::channel();
        let mut zombie = JoinSet::new();
        zombie.spawn(fold_until_fenced(Arc::clone(&store), old, busy));
        is_busy.await.expect("it folds");
        let new = claim(&*other, partition).await;
        let folded = zombie.join_next().await.expect("it runs").expect("it is fenced");
        assert_eq!(new.applied, position(&new, folded - 1), "what was folded is in the claim");
        let applied = other.applied().await.expect("the store reads");
        assert_eq!(applied.get(&new.partition), Some(&new.applied), "and nothing came after");
        let newest = body(&*other, &partition.to_string()).await;
        assert_eq!(newest.as_deref(), Some((folded - 1).to_string().as_bytes()));
    }
}

/// Folds one record after the other; says so after the third, and ends with how many it folded.
async fn fold_until_fenced(store: Arc<dyn Shared>, claim: Claim, busy: oneshot::Sender<()>) -> u64 {
    let (mut busy, user) = (Some(busy), claim.partition.0.to_string());
    for offset in 0.. {
        match store.fold(one_record(&claim, offset, &[&user])).await {
            Ok(_) if offset == 3 => drop(busy.take().map(|busy| busy.send(()))),
            Ok(_) => {}
            Err(FoldError::Fenced { partition }) => {
                assert_eq!(partition, claim.partition);
                return offset;
            }
            Err(FoldError::Store(error)) => panic!("the store folds: {error}"),
        }
    }
    unreachable!("nobody folds so many records")
}

/// Claims at once are numbered differently, and the greatest is the one in force.
pub async fn of_many_claims_the_last_is_in_force(place: &impl SharedPlace) {
    let stores = [place.open().await, place.open().await];
    let mut tasks = JoinSet::new();
    for (n, store) in stores.iter().cycle().take(8).enumerate() {
        let store = Arc::clone(store);
        let mut asked = vec![Partition(0), Partition(1), Partition(2)];
        asked.rotate_left(n % 3);
        tasks.spawn(async move { store.claim(asked).await.expect("the store claims") });
    }
    let mut claims: Vec<Claim> = tasks.join_all().await.into_iter().flatten().collect();
    claims.sort_by_key(|claim| (claim.partition, claim.epoch));
    for of_one in claims.chunks(8) {
        let last = of_one.last().expect("eight claims");
        let distinct: std::collections::BTreeSet<u64> =
            of_one.iter().map(|claim| claim.epoch).collect();
        assert_eq!(distinct.len(), 8, "{of_one:?}");
        for claim in of_one {
            let user = claim.partition.0.to_string();
            let done = stores[0].fold(one_record(claim, 0, &[&user])).await;
            assert_eq!(done.is_ok(), claim == last, "{claim:?} {done:?}");
        }
    }
}
