//! What the embedded log and store measure of their commits. Must not assert how long anything takes.

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{ProductId, UserId};
use pilotage_engine::port::log::Journal;
use pilotage_engine::port::meter::Commits;
use pilotage_engine::port::store::{Batch, Store, UserKey, UserWrite, Watermark};

use super::{event, folder, opened};

/// How many commits there were, and how many records in all of them.
fn counts(commits: Option<Commits>) -> (u64, u64) {
    let Commits { micros, records } = commits.expect("SQLite measures its commits");
    assert_eq!(micros.count(), records.count(), "each commit has a time and a size");
    (records.count(), records.sum)
}

#[tokio::test]
async fn the_log_counts_commits_with_their_records() {
    let place = folder();
    let log = opened(place.path()).log;
    assert_eq!(counts(log.commits()), (0, 0));
    log.append((0..3).map(event).collect()).await.expect("the log takes them");
    // A record that was known already costs its commit, too.
    log.append(vec![event(0)]).await.expect("the log takes it");
    log.barrier().await.expect("the log is well");
    assert_eq!(counts(log.commits()), (2, 4));
    log.close().await;
}

#[tokio::test]
async fn the_store_counts_what_it_writes_of_users_alone() {
    let place = folder();
    let store = opened(place.path()).store;
    store.secret("any", [0; 32]).await.expect("the store is well");
    assert_eq!(counts(store.commits()), (0, 0));
    let write = |n: u64| UserWrite {
        key: UserKey {
            product: ProductId::new("p").expect("a product"),
            user: UserId::new(&format!("user {n}")).expect("a user"),
        },
        row: None,
        body: Bytes::from_static(b"a record"),
        applied: Position(0),
        spilled: Vec::new(),
        counting: Default::default(),
    };
    let watermark = Watermark { position: Position(7), ..Watermark::default() };
    for (users, watermark) in [((0..5).map(write).collect(), None), (vec![], Some(watermark))] {
        store
            .write(Batch { users, watermark, ..Batch::default() })
            .await
            .expect("the store takes it");
    }
    assert_eq!(counts(store.commits()), (2, 5));
    store.close().await;
}
