//! What processes tell each other. Part of the shared store's suite.

use std::collections::BTreeSet;
use std::time::Duration;

use pilotage_domain::id::GuideId;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use super::{claim, fold, one_record};
use crate::conformance::{SharedPlace, key, product};
use crate::port::shared::{Change, user_mark};
use crate::port::store::Pause;

/// A store that tells nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn next(changes: &mut Receiver<Change>) -> Change {
    let change = timeout(PATIENCE, changes.recv()).await.expect("a change is told in time");
    change.expect("the store tells")
}

/// Waits until each of these users was told to have changed.
async fn all_told(changes: &mut Receiver<Change>, users: &[&str]) {
    let mut marks: BTreeSet<u64> = users.iter().map(|user| user_mark(&key("p", user))).collect();
    while !marks.is_empty() {
        match next(changes).await {
            Change::Users(told) => marks.retain(|mark| !told.contains(mark)),
            Change::All => marks.clear(),
            Change::Paused | Change::Learnt => {}
        }
    }
}

/// Users that were folded are told to this process and to others.
pub async fn folded_users_are_told(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let (mut here, mut there) = (store.changes(), other.changes());
    let claimed = claim(&*store, 0).await;
    fold(&*store, one_record(&claimed, 0, &["a", "b"])).await;
    all_told(&mut there, &["a", "b"]).await;
    all_told(&mut here, &["a", "b"]).await;
    fold(&*store, one_record(&claimed, 1, &["c"])).await;
    all_told(&mut there, &["c"]).await;
}

/// A fold of more users than fit one message is told all the same.
pub async fn a_large_fold_is_told_of_every_user(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let mut there = other.changes();
    let claimed = claim(&*store, 0).await;
    for (offset, size) in [(0, 480), (1, 700), (2, 3_000)] {
        let names: Vec<String> = (0..size).map(|n| format!("{n:05}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fold(&*store, one_record(&claimed, offset, &names)).await;
        all_told(&mut there, &names).await;
    }
}

/// A pause and its end are told.
pub async fn pauses_are_told(place: &impl SharedPlace) {
    let (store, other) = (place.open().await, place.open().await);
    let mut there = other.changes();
    let guide = GuideId::new("g").expect("a test's guide");
    for pause in [Pause::Pause, Pause::Resume] {
        store.set_paused(&product("p"), &guide, pause).await.expect("the store writes");
        while next(&mut there).await == Change::All {}
        let paused = other.paused().await.expect("the store reads");
        assert_eq!(paused.contains_key(&product("p")), pause == Pause::Pause);
    }
}
