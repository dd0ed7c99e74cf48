//! Files of every past format open and hold what was written.
//!
//! `golden/` holds what `fill` wrote when the format was new. A new format adds files and changes none.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, GuideId, ProductId, UserId};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::port::log::{Appended, Entry, EntryName, Journal, Log, Stored};
use pilotage_engine::port::store::{
    Batch, Cohort, Counting, Grid, Pause, Reached, Store, UserKey, UserWrite, Watermark,
};

use super::{decision, event, folder, opened, read_all, with_small_pages};
use crate::sqlite::Embedded;

fn product() -> ProductId {
    ProductId::new("p").expect("a product")
}

/// What every golden pair of files holds.
async fn fill(embedded: &Embedded) {
    let Embedded { log, store } = embedded;
    log.append(vec![event(1), event(2), decision(3)]).await.expect("the log writes");
    let cohort = Cohort {
        group: Group::Holdout,
        first_seen: Timestamp::from_millis(1),
        signup: Some(Timestamp::from_millis(2)),
        activated: None,
        reached: Reached::default(),
    };
    let user = UserWrite {
        key: UserKey { product: product(), user: UserId::new("user 1").expect("a user") },
        row: None,
        body: Bytes::from("profile"),
        applied: Position(0),
        spilled: vec![(Position(1), Bytes::from("run"))],
        counting: Counting::As(cohort),
    };
    let watermark = Watermark {
        position: Position(3),
        newest_event: Some(Timestamp::from_millis(3)),
        folds: [(product(), ContentHash::of(&[b"fold"]))].into(),
    };
    let batch = Batch { users: vec![user], watermark: Some(watermark), ..Batch::default() };
    store.write(batch).await.expect("the store writes");
    let guide = GuideId::new("g").expect("a guide");
    store.set_paused(&product(), &guide, Pause::Pause).await.expect("the store writes");
    let hash = ContentHash::of(&[b"definition"]);
    store.keep_definition(&product(), 1, hash, "text").await.expect("the store writes");
    store.secret("key", [5; 32]).await.expect("the store writes");
}

/// All of it, in words.
async fn told(embedded: &Embedded) -> Vec<String> {
    let Embedded { log, store } = embedded;
    let records: Vec<Stored> = read_all(&**log).await.expect("the log reads");
    let found = log.find_decision(DecisionId::from_bits(4)).await.expect("the log reads");
    let users = store.page(None, 10).await.expect("the store reads");
    let row = users.first().expect("a user").1.row;
    let hash = ContentHash::of(&[b"definition"]);
    let grid = Grid::new(Millis::days(7));
    vec![
        format!("{records:?} {found:?}"),
        format!("{users:?}"),
        format!("{:?}", store.spilled(row).await.expect("the store reads")),
        format!("{:?}", store.cohorts(&product(), &grid).await.expect("the store reads")),
        format!("{:?}", store.watermark().await.expect("the store reads")),
        format!("{:?}", store.paused().await.expect("the store reads")),
        format!("{:?}", store.definition(&product(), hash).await.expect("the store reads")),
        format!("{:?}", store.secret("key", [6; 32]).await.expect("the store writes")),
    ]
}

#[tokio::test]
async fn files_of_every_format_open() {
    for format in ["format-1", "format-2", "format-3", "format-4"] {
        let (fresh, old) = (folder(), folder());
        for name in ["log.sqlite", "store.sqlite"] {
            with_small_pages(&fresh.path().join(name));
            let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format);
            fs::copy(golden.join(name), old.path().join(name)).expect("a golden file");
        }
        let fresh = opened(fresh.path());
        fill(&fresh).await;
        let old = opened(old.path());
        assert_eq!(told(&old).await, told(&fresh).await, "{format}");
        let again = old.log.append(vec![event(2)]).await.expect("the log writes");
        assert_eq!(again, [Appended::Duplicate(Position(2))], "{format}");
        let more = old.log.append(vec![event(5)]).await.expect("the log writes");
        assert_eq!(more, [Appended::New(Position(4))], "{format}");
        let records = read_all(&*old.log).await.expect("the log reads");
        assert_eq!(records.len(), 4, "{format}: old and new records stand in one log");
    }
}

/// Older formats note no milestones: whoever was counted then is told of, once.
#[tokio::test]
async fn milestones_that_an_older_format_did_not_note_are_asked_for() {
    for (format, lacking) in [("format-1", 1), ("format-3", 1), ("format-4", 0)] {
        let old = folder();
        for name in ["log.sqlite", "store.sqlite"] {
            let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format);
            fs::copy(golden.join(name), old.path().join(name)).expect("a golden file");
        }
        let Embedded { store, .. } = opened(old.path());
        let unnoted = store.unnoted(&product(), 10).await.expect("the store reads");
        assert_eq!(unnoted.len(), lacking, "{format}");
        let users = store.page(None, 10).await.expect("the store reads");
        assert!(unnoted.iter().all(|user| users.contains(user)), "{format}");
        let reached: Reached = [2, 11].into_iter().collect();
        let told = unnoted.iter().map(|(_, stored)| (stored.row, reached)).collect();
        store.note_reached(told).await.expect("the store writes");
        assert!(store.unnoted(&product(), 10).await.expect("the store reads").is_empty());
        let grid = Grid::new(Millis::days(7));
        let counted = store.cohorts(&product(), &grid).await.expect("the store reads");
        assert_eq!(counted.reached.len(), 2 * lacking, "{format}");
    }
}

/// What makes two users one was new in the fifth: it reads back, and a second one is known.
#[tokio::test]
async fn records_that_merge_users_stay_what_they_were() {
    let (anonymous, known) = (UserId::new("anon-1"), UserId::new("user 1"));
    let (anonymous, known) = (anonymous.expect("a user"), known.expect("a user"));
    let fold = ContentHash::of(&[b"fold"]);
    let naming =
        Entry { user: anonymous.clone(), name: EntryName::Named(known.clone()), ..event(5) };
    let carrying = Entry { user: known, name: EntryName::Carried(anonymous, fold), ..event(6) };
    let old = folder();
    for name in ["log.sqlite", "store.sqlite"] {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join("format-5");
        fs::copy(golden.join(name), old.path().join(name)).expect("a golden file");
    }
    let Embedded { log, .. } = opened(old.path());
    let again = log.append(vec![naming.clone(), carrying.clone()]).await.expect("the log writes");
    assert_eq!(again, [4, 5].map(|at| Appended::Duplicate(Position(at))));
    let stored = log.get(vec![Position(4), Position(5)]).await.expect("the log reads");
    for (stored, entry) in stored.iter().zip([naming, carrying]) {
        assert_eq!((stored.kind, &stored.user), (entry.name.kind(), &entry.user));
        assert_eq!(stored.body, entry.body);
    }
}
