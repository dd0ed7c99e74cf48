//! What is held for users before their decisions are folded. Part of the shared store's suite.

use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::time::Timestamp;
use tokio::task::JoinSet;

use super::{LATER, NOW, claim, decision_id, fold, one_record, position, shared_user};
use crate::conformance::{SharedPlace, key};
use crate::port::shared::{Folded, Reservation, Reserved, Shared};

/// An offer for a user of product `p` whose profile and reservations are as told.
fn offer(name: &str, n: u128, seen: (Position, u64)) -> Reservation {
    Reservation {
        key: key("p", name),
        seen_applied: seen.0,
        seen_reservations: seen.1,
        decision: decision_id(n),
        offer: Bytes::from(format!("offer {n}")),
        until: LATER,
    }
}

async fn reserve(store: &dyn Shared, reservation: Reservation) -> Reserved {
    store.reserve(reservation).await.expect("the store reserves")
}

/// The numbers of the decisions that something is reserved for; what, fits them.
async fn reserved(store: &dyn Shared, name: &str, now: Timestamp) -> Vec<u128> {
    let seen = store.shared_user(&key("p", name), now).await.expect("the store reads");
    let mut numbers: Vec<u128> = seen.reserved.iter().map(|(id, _)| id.bits()).collect();
    numbers.sort_unstable();
    for (id, offer) in seen.reserved {
        assert_eq!(offer, format!("offer {}", id.bits()));
    }
    numbers
}

/// Of eight that decide on the same reading, one is held and seven are told; with a profile and without one.
pub async fn of_those_that_read_the_same_one_is_held(place: &impl SharedPlace) {
    let stores = [place.open().await, place.open().await];
    let claimed = claim(&*stores[0], 0).await;
    fold(&*stores[0], one_record(&claimed, 6, &["known"])).await;
    for (name, applied) in [("known", position(&claimed, 6)), ("unknown", Position(0))] {
        let mut expected = Vec::new();
        for round in 0..6 {
            let seen = shared_user(&*stores[0], name).await.reservations;
            assert_eq!(seen, round, "counted once for each that was held");
            let mut tasks = JoinSet::new();
            for (task, store) in stores.iter().cycle().take(8).enumerate() {
                let store = Arc::clone(store);
                let n = u128::from(round) * 8 + task as u128;
                let reservation = offer(name, n, (applied, seen));
                tasks.spawn(async move { (n, reserve(&*store, reservation).await) });
            }
            let done = tasks.join_all().await;
            let held: Vec<u128> = done
                .into_iter()
                .filter_map(|(n, done)| (done == Reserved::Held).then_some(n))
                .collect();
            assert_eq!(held.len(), 1, "round {round}: {held:?}");
            expected.extend(held);
            assert_eq!(reserved(&*stores[1], name, NOW).await, expected);
        }
    }
}

/// Nothing is held or counted where the profile is not the one that was read: newer, older, or none.
pub async fn a_reservation_is_held_against_the_profile(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    let nothing = Position(0);
    let early = offer("a", 1, (position(&claimed, 0), 0));
    assert_eq!(reserve(&*store, early).await, Reserved::Changed, "there is no profile yet");
    fold(&*store, one_record(&claimed, 0, &["a"])).await;
    fold(&*store, one_record(&claimed, 1, &["a", "b"])).await;
    for seen in [nothing, position(&claimed, 0), position(&claimed, 2)] {
        assert_eq!(reserve(&*store, offer("a", 1, (seen, 0))).await, Reserved::Changed);
    }
    let seen = shared_user(&*store, "a").await;
    assert_eq!((seen.reservations, seen.reserved.len()), (0, 0));
    for count in [1, u64::from(u32::MAX)] {
        let miscounted = offer("a", 1, (position(&claimed, 1), count));
        assert_eq!(reserve(&*store, miscounted).await, Reserved::Changed);
    }
    assert_eq!(reserve(&*store, offer("a", 1, (position(&claimed, 1), 0))).await, Reserved::Held);
    fold(&*store, one_record(&claimed, 2, &["a"])).await;
    assert_eq!(
        reserve(&*store, offer("a", 2, (position(&claimed, 1), 1))).await,
        Reserved::Changed
    );
    assert_eq!(reserve(&*store, offer("a", 2, (position(&claimed, 2), 1))).await, Reserved::Held);
    assert_eq!(reserved(&*store, "a", NOW).await, [1, 2], "a fold leaves what it does not settle");
}

/// The fold of a decision frees what was reserved for it, and that alone; the count stays.
pub async fn what_is_reserved_is_seen_until_it_is_settled(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let claimed = claim(&*store, 0).await;
    for n in 0..3 {
        let reservation = offer("a", u128::from(n), (Position(0), n));
        assert_eq!(reserve(&*other, reservation).await, Reserved::Held);
    }
    assert_eq!(reserved(&*store, "a", NOW).await, [0, 1, 2]);
    let settled =
        [("a", 1), ("a", 9), ("b", 2)].map(|(name, n)| (key("p", name), decision_id(n))).to_vec();
    fold(&*store, Folded { settled, ..one_record(&claimed, 0, &["a"]) }).await;
    other.close().await;
    let other = place.open().await;
    assert_eq!(reserved(&*other, "a", NOW).await, [0, 2]);
    assert_eq!(shared_user(&*other, "a").await.reservations, 3);
}

/// What was given up is free, and given up again it stays so; what has lapsed is free from that moment on.
pub async fn what_is_reserved_is_free_once_released_or_lapsed(place: &impl SharedPlace) {
    let store = place.open().await;
    for n in 0..3 {
        let reservation = offer("a", u128::from(n), (Position(0), n));
        assert_eq!(reserve(&*store, reservation).await, Reserved::Held);
    }
    for _ in 0..2 {
        store.release(&key("p", "a"), decision_id(1)).await.expect("the store writes");
        assert_eq!(reserved(&*store, "a", NOW).await, [0, 2]);
    }
    store.release(&key("p", "b"), decision_id(0)).await.expect("the store writes");
    let just_before = Timestamp::from_millis(LATER.as_millis() - 1);
    assert_eq!(reserved(&*store, "a", just_before).await, [0, 2]);
    assert_eq!(reserved(&*store, "a", LATER).await, []);
    let much_later = Timestamp::from_millis(LATER.as_millis() + 10_000_000);
    let next = Reservation { until: much_later, ..offer("a", 3, (Position(0), 3)) };
    assert_eq!(reserve(&*store, next).await, Reserved::Held);
    assert_eq!(reserved(&*store, "a", LATER).await, [3]);
    assert_eq!(shared_user(&*store, "a").await.reservations, 4);
}

/// One user's reservations are nothing to another's, of the same name in another product either.
pub async fn users_have_reservations_of_their_own(place: &impl SharedPlace) {
    let store = place.open().await;
    let elsewhere = Reservation { key: key("q", "a"), ..offer("a", 3, (Position(0), 0)) };
    let large = Bytes::from(vec![0xff; 40_000]);
    let large = Reservation { offer: large, ..elsewhere };
    assert_eq!(reserve(&*store, offer("a", 1, (Position(0), 0))).await, Reserved::Held);
    assert_eq!(reserve(&*store, offer("b", 2, (Position(0), 0))).await, Reserved::Held);
    assert_eq!(reserve(&*store, large.clone()).await, Reserved::Held);
    assert_eq!(reserved(&*store, "a", NOW).await, [1]);
    assert_eq!(reserved(&*store, "b", NOW).await, [2]);
    let seen = store.shared_user(&large.key, NOW).await.expect("the store reads");
    assert_eq!(seen.reserved, [(large.decision, large.offer)]);
}
