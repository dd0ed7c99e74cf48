//! Bits that flip in the database files themselves: never another answer than what was written.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::log::{Journal, Log, ReadError, Stored};
use pilotage_engine::port::store::{
    Batch, Cohort, Counting, Reached, RowId, Store, StoreError, StoredUser, UserKey, UserWrite,
    Watermark,
};
use rusqlite::Connection;

use super::{
    append, decision, event, flip, folder, open_log, opened, overwrite, read_all, with_small_pages,
};
use crate::sqlite::folder::Folder;
use crate::sqlite::{Options, SqliteStore};

/// Makes a log of so many events and a decision after each tenth, closed.
async fn a_log(path: &Path, events: usize) -> Vec<Stored> {
    with_small_pages(&path.join("log.sqlite"));
    let log = open_log(path).expect("the log opens");
    for n in 0..events {
        log.enqueue(event(n)).expect("the queue has room");
        if n % 10 == 9 {
            log.enqueue(decision(n)).expect("the queue has room");
        }
        if n % 1_000 == 999 {
            log.barrier().await.expect("the log writes");
        }
    }
    log.barrier().await.expect("the log writes");
    let stored = read_all(&log).await.expect("the log reads");
    log.close().await;
    stored
}

fn assert_same(found: &[Stored], written: &[Stored], at: usize) {
    assert_eq!(found.len(), written.len(), "byte {at}");
    for (found, written) in found.iter().zip(written) {
        assert_eq!(format!("{found:?}"), format!("{written:?}"), "byte {at}");
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_log_is_told_or_harmless() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let written = a_log(folder.path(), 60).await;
    let bytes = fs::read(&path).expect("the file");
    let (mut refused, mut damaged, mut harmless) = (0, 0, 0);
    // The whole header, and every part of the other pages.
    for at in (0..100).chain((100..bytes.len()).step_by(13)) {
        flip(&path, at, at);
        match open_log(folder.path()) {
            Err(_) => refused += 1,
            Ok(log) => match read_all(&log).await {
                Ok(found) => {
                    assert_same(&found, &written, at);
                    harmless += 1;
                }
                Err(error) => {
                    assert!(matches!(error, ReadError::Damaged { .. }), "byte {at}: {error}");
                    damaged += 1;
                }
            },
        }
        overwrite(&path, 0, &bytes);
        // Opening a damaged file may have begun a write-ahead log that belongs to it.
        let _ = fs::remove_file(folder.path().join("log.sqlite-wal"));
    }
    assert!(
        refused > 50 && harmless > 50,
        "{refused} refused, {damaged} damaged, {harmless} harmless"
    );
}

/// Changes the log's file by hand.
fn change(path: &Path, sql: &str) {
    let file = Connection::open(path.join("log.sqlite")).expect("the file opens");
    assert!(file.execute(sql, []).expect("a change") > 0, "{sql}");
}

#[tokio::test]
async fn a_changed_block_is_told_with_its_position() {
    let second = "(SELECT min(last) FROM block WHERE first > 1)";
    let changes = [
        "UPDATE block SET body = x'00' WHERE last =",
        "UPDATE block SET body = zeroblob(length(body)) WHERE last =",
        "UPDATE block SET body = 'text' WHERE last =",
        "UPDATE block SET first = first + 1 WHERE last =",
        "UPDATE block SET last = last - 1 WHERE last =",
        "UPDATE block SET sum = 'none' WHERE last =",
        "UPDATE block SET sum = sum + 1 WHERE last =",
        "DELETE FROM block WHERE last =",
    ];
    for sql in changes {
        let folder = folder();
        a_log(folder.path(), 9_000).await;
        let file = Connection::open(folder.path().join("log.sqlite")).expect("the file opens");
        let place = "SELECT first, last FROM block WHERE first > 1 LIMIT 1";
        let place = file.query_row(place, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (first, last): (u32, u32) = place.expect("a second block");
        let (first, last) = (u64::from(first), u64::from(last));
        drop(file);
        change(folder.path(), &format!("{sql} {second}"));
        // Far from the end, so that the start does not come across it.
        let log = open_log(folder.path()).expect("the log opens");
        for reading in [read_all(&log).await, log.get(vec![Position(last)]).await] {
            let Err(ReadError::Damaged { position, .. }) = reading else { panic!("{sql}") };
            assert!((first..=last + 1).contains(&position.0), "{sql}: {position:?} of {first}");
        }
        let others = log.get(vec![Position(first - 1), Position(last + 1)]).await;
        assert_eq!(others.expect("the others are whole").len(), 2, "{sql}");
    }
}

#[tokio::test]
async fn a_changed_row_of_format_1_is_told_with_its_position() {
    let changes = [
        "UPDATE entry SET body = x'00' WHERE position = 2",
        "UPDATE entry SET user = 'user 9' WHERE position = 2",
        "UPDATE entry SET name = 'event 9' WHERE position = 2",
        "UPDATE entry SET received_at = 1 WHERE position = 2",
        "UPDATE entry SET kind = 2 WHERE position = 2",
        "UPDATE entry SET kind = 'event' WHERE position = 2",
        "UPDATE entry SET product = 77 WHERE position = 2",
        "DELETE FROM entry WHERE position = 2",
    ];
    for sql in changes {
        let folder = folder();
        let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/format-1/log.sqlite");
        fs::copy(old, folder.path().join("log.sqlite")).expect("a golden file");
        let log = open_log(folder.path()).expect("the log opens");
        change(folder.path(), sql);
        for reading in [read_all(&log).await, log.get(vec![Position(2)]).await] {
            let error = reading.expect_err("it is damaged");
            let told = matches!(error, ReadError::Damaged { position: Position(2), .. });
            assert!(told, "{sql}: {error}");
        }
        let others = log.get(vec![Position(1), Position(3)]).await;
        assert_eq!(others.expect("the others are whole").len(), 2);
        drop(log);
        let error = open_log(folder.path()).map(drop).expect_err("the start comes across it");
        assert!(error.to_string().contains("is damaged: at position 2: "), "{sql}: {error}");
    }
}

#[tokio::test]
async fn damage_near_the_end_is_told_at_the_start() {
    let changes = [
        (
            "UPDATE block SET body = x'00' WHERE last = 5",
            "at position 5: its block's checksum does not fit",
        ),
        ("DELETE FROM block WHERE last = 5", "at position 5: the record is missing"),
        (
            "UPDATE about SET value = x'00' WHERE key = 'mark_key'",
            "at position 0: the key of the marks does not fit",
        ),
        (
            "DELETE FROM about WHERE key = 'mark_key'",
            "at position 0: the key of the marks does not fit",
        ),
    ];
    for (sql, detail) in changes {
        let folder = folder();
        let log = open_log(folder.path()).expect("the log opens");
        for n in 0..20 {
            append(&log, n).await;
        }
        drop(log);
        change(folder.path(), sql);
        let error = open_log(folder.path()).map(drop).expect_err("it must not open");
        assert!(error.to_string().ends_with(&format!("is damaged: {detail}")), "{sql}: {error}");
    }
}

#[tokio::test]
async fn damaged_marks_are_told_at_the_start() {
    for change in [
        "UPDATE recent SET marks = substr(marks, 1, length(marks) - 12)",
        "UPDATE recent SET sum = sum + 1",
        "UPDATE recent SET first = first - 1",
        "UPDATE recent SET last = last + 1 WHERE first = (SELECT max(first) FROM recent)",
    ] {
        let folder = folder();
        a_log(folder.path(), 30_000).await;
        let file = Connection::open(folder.path().join("log.sqlite")).expect("the file opens");
        assert!(file.execute(change, []).expect("a change") > 0);
        drop(file);
        let error = open_log(folder.path()).map(drop).expect_err(change);
        assert!(error.to_string().contains(" is damaged: at position "), "{change}: {error}");
    }
}

#[tokio::test]
async fn a_decision_that_is_listed_wrongly_is_told() {
    let folder = folder();
    a_log(folder.path(), 40).await;
    let file = Connection::open(folder.path().join("log.sqlite")).expect("the file opens");
    let change = "UPDATE decision SET position = 3 WHERE id = (SELECT min(id) FROM decision)";
    assert_eq!(file.execute(change, []).expect("a change"), 1);
    drop(file);
    let log = open_log(folder.path()).expect("the log opens");
    let error = log.find_decision(DecisionId::from_bits(10)).await.expect_err("it is damaged");
    assert!(matches!(error, ReadError::Damaged { position: Position(3), .. }), "{error}");
    let other = log.find_decision(DecisionId::from_bits(20)).await.expect("the others are whole");
    assert!(other.is_some());
}

fn key(n: usize) -> UserKey {
    let product = ProductId::new(["p", "q"][n % 2]).expect("a product");
    UserKey { product, user: UserId::new(&format!("user {n}")).expect("a user") }
}

/// What a store tells of all users, and what it tells when asked for one thing.
#[derive(Debug, PartialEq)]
struct Told {
    users: Vec<(UserKey, StoredUser)>,
    watermark: Watermark,
    runs: Vec<(Position, Bytes)>,
    definition: Option<String>,
}

async fn tell(store: &SqliteStore) -> Result<Told, StoreError> {
    let hash = ContentHash::of(&[b"d"]);
    Ok(Told {
        users: store.page(None, 1_000).await?,
        watermark: store.watermark().await?,
        runs: store.spilled(RowId(1)).await?,
        definition: store.definition(&key(0).product, hash).await?,
    })
}

impl Told {
    /// Whether nothing of this differs from what was written. A row may be hidden: nothing guards an index, whose damage
    /// hides rows from who asks by key. The log has none; the store is folded from it again.
    fn is_of(&self, written: &Self) -> bool {
        self.users.iter().all(|user| written.users.contains(user))
            && self.watermark == written.watermark
            && self.runs.iter().all(|run| written.runs.contains(run))
            && (self.definition.is_none() || self.definition == written.definition)
    }
}

async fn a_store(path: &Path) -> Told {
    with_small_pages(&path.join("store.sqlite"));
    let store = open_store(path).expect("the store opens");
    let cohort = Cohort {
        group: Group::Random,
        first_seen: Timestamp::from_millis(1),
        signup: None,
        activated: None,
        reached: Reached::default(),
    };
    let user = |n: usize| UserWrite {
        key: key(n),
        row: None,
        body: Bytes::from(format!("body {n} ").repeat(n % 40)),
        applied: Position(0),
        spilled: vec![(Position(n as u64), Bytes::from("run"))],
        counting: Counting::As(cohort),
    };
    let users = (0..60).map(user).collect();
    let hash = ContentHash::of(&[b"d"]);
    let folds = [(key(0).product, hash)].into();
    let watermark = Watermark { position: Position(9), newest_event: None, folds };
    store
        .write(Batch { users, watermark: Some(watermark), ..Batch::default() })
        .await
        .expect("the store writes");
    store.keep_definition(&key(0).product, 1, hash, "text").await.expect("the store writes");
    let told = tell(&store).await.expect("the store reads");
    store.close().await;
    told
}

fn open_store(path: &Path) -> Result<SqliteStore, crate::sqlite::OpenError> {
    let folder = Folder::enter(path).expect("the folder is free");
    Ok(SqliteStore::open(folder.into(), &Options { readers: 1, ..super::small() })?.0)
}

#[tokio::test]
async fn a_flipped_bit_in_the_store_is_told_or_harmless() {
    let folder = folder();
    let path = folder.path().join("store.sqlite");
    let written = a_store(folder.path()).await;
    let bytes = fs::read(&path).expect("the file");
    let (mut refused, mut damaged, mut harmless) = (0, 0, 0);
    for at in (0..100).chain((100..bytes.len()).step_by(17)) {
        flip(&path, at, at);
        match open_store(folder.path()) {
            Err(_) => refused += 1,
            Ok(store) => match tell(&store).await {
                Ok(told) if told.is_of(&written) => harmless += 1,
                Ok(told) => panic!("byte {at}: {told:?}"),
                Err(StoreError::Damaged(_)) => damaged += 1,
                Err(error) => panic!("byte {at}: {error}"),
            },
        }
        overwrite(&path, 0, &bytes);
        let _ = fs::remove_file(folder.path().join("store.sqlite-wal"));
    }
    assert!(
        damaged > 50 && harmless > 50,
        "{refused} refused, {damaged} damaged, {harmless} harmless"
    );
}

#[tokio::test]
async fn a_damaged_watermark_is_told_at_the_start() {
    let folder = folder();
    let embedded = opened(folder.path());
    let position = append(&*embedded.log, 1).await;
    let watermark = Some(Watermark { position, ..Watermark::default() });
    let written = embedded.store.write(Batch { watermark, ..Batch::default() }).await;
    written.expect("the store writes");
    drop(embedded);
    let file = Connection::open(folder.path().join("store.sqlite")).expect("the file opens");
    file.execute("UPDATE watermark SET position = 0", []).expect("a change");
    drop(file);
    let error = super::refused(folder.path());
    let expected = "store.sqlite is damaged: the watermark: its checksum does not fit";
    assert!(error.to_string().ends_with(expected), "{error}");
}
