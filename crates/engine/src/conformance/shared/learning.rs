//! What folds teach until it is added up. Part of the shared store's suite.

use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::id::ProductId;
use tokio::task::JoinSet;

use super::changes::next;
use super::{claim, fold, is_fenced, one_record};
use crate::conformance::{SharedPlace, product};
use crate::port::feed::Partition;
use crate::port::shared::{Added, Change, Claim, Folded, Shared, Sum, Teaching};
use crate::port::store::{Learnt, LearntPart};

fn taught(claimed: &Claim, offset: u64, addends: &[(&str, &str)]) -> Folded {
    let addend = |(of, body): &(&str, &str)| (product(of), Bytes::from((*body).to_owned()));
    let addends = addends.iter().map(addend).collect();
    Folded { addends, ..one_record(claimed, offset, &["a"]) }
}

fn learnt(of: &str, part: LearntPart, body: &'static str) -> Learnt {
    Learnt { product: product(of), part, body: Bytes::from(body) }
}

async fn teaching(store: &dyn Shared, most: usize) -> Teaching {
    store.teaching(most).await.expect("the store reads")
}

fn bodies(teaching: &Teaching) -> Vec<&[u8]> {
    teaching.addends.iter().map(|addend| addend.body.as_ref()).collect()
}

/// A sum of what was read.
fn sum(of: &Teaching, learnt: Vec<Learnt>) -> Sum {
    Sum { seen: of.turn, addends: of.addends.iter().map(|addend| addend.id).collect(), learnt }
}

async fn add_up(store: &dyn Shared, sum: Sum) -> Added {
    store.add_up(sum).await.expect("the store writes")
}

/// Addends are told, with what is learnt and how far it is folded, until they are in a sum.
pub async fn what_is_taught_is_told_until_it_is_added_up(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let claimed = claim(&*store, 0).await;
    fold(&*store, taught(&claimed, 0, &[("p", "1")])).await;
    fold(&*store, taught(&claimed, 1, &[("p", "2"), ("q", "3")])).await;
    let all = teaching(&*other, 3).await;
    let products: Vec<&ProductId> = all.addends.iter().map(|addend| &addend.product).collect();
    assert_eq!((bodies(&all), all.has_more), (vec![&b"1"[..], b"2", b"3"], false));
    assert_eq!(products, [&product("p"), &product("p"), &product("q")]);
    assert_eq!(all.learnt, []);
    assert_eq!(all.applied.get(&Partition(0)), claimed.partition.position(1).as_ref());
    let some = teaching(&*other, 2).await;
    assert_eq!((bodies(&some), some.has_more), (vec![&b"1"[..], b"2"], true));
    let current = learnt("p", LearntPart::Current, "12");
    assert_eq!(add_up(&*other, sum(&some, vec![current.clone()])).await, Added::Kept);
    let rest = teaching(&*store, 2).await;
    assert_eq!((bodies(&rest), rest.has_more), (vec![&b"3"[..]], false));
    assert_eq!(rest.learnt, std::slice::from_ref(&current));
    assert_eq!(store.learnt().await.expect("the store reads"), [current]);
}

/// Of those that have read the same, one adds up; the others change nothing, and addends that came meanwhile stay.
pub async fn of_those_that_add_up_the_same_one_is_kept(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    fold(&*store, taught(&claimed, 0, &[("p", "1")])).await;
    let read = teaching(&*store, 9).await;
    fold(&*store, taught(&claimed, 1, &[("p", "2")])).await;
    let mut adding = JoinSet::new();
    for _ in 0..4 {
        let (store, read) = (Arc::clone(&store), read.clone());
        let sum = sum(&read, vec![learnt("p", LearntPart::Current, "1")]);
        adding.spawn(async move { add_up(&*store, sum).await });
    }
    let added = adding.join_all().await;
    assert_eq!(added.iter().filter(|added| **added == Added::Kept).count(), 1, "{added:?}");
    let late = sum(&read, vec![learnt("p", LearntPart::Current, "twice")]);
    assert_eq!(add_up(&*store, late).await, Added::Changed);
    let rest = teaching(&*store, 9).await;
    assert_eq!(bodies(&rest), [&b"2"[..]]);
    assert_eq!(rest.learnt, [learnt("p", LearntPart::Current, "1")]);
}

/// A fold under an outdated claim teaches nothing.
pub async fn a_refused_fold_teaches_nothing(place: &impl SharedPlace) {
    let store = place.open().await;
    let outdated = claim(&*store, 0).await;
    claim(&*store, 0).await;
    assert!(is_fenced(&store.fold(taught(&outdated, 0, &[("p", "1")])).await, 0));
    assert_eq!(bodies(&teaching(&*store, 9).await), [] as [&[u8]; 0]);
}

/// A reset forgets addends and what is learnt, and refuses sums that were read before it.
pub async fn a_reset_forgets_what_is_taught(place: &impl SharedPlace) {
    let store = place.open().await;
    let claimed = claim(&*store, 0).await;
    fold(&*store, taught(&claimed, 0, &[("p", "1")])).await;
    let read = teaching(&*store, 9).await;
    store.reset().await.expect("the store writes");
    let late = sum(&read, vec![learnt("p", LearntPart::Current, "1")]);
    assert_eq!(add_up(&*store, late).await, Added::Changed);
    let anew = teaching(&*store, 9).await;
    assert!(anew.addends.is_empty() && anew.learnt.is_empty(), "{anew:?}");
}

/// What is published is told to others.
pub async fn what_is_published_is_told(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let mut there = other.changes();
    let read = teaching(&*store, 9).await;
    let news = learnt("p", LearntPart::Published, "1");
    assert_eq!(add_up(&*store, sum(&read, vec![news.clone()])).await, Added::Kept);
    while next(&mut there).await != Change::Learnt {}
    assert_eq!(other.learnt().await.expect("the store reads"), [news]);
}
