//! The embedded log and store, put to the ports' suites and to every failure that has a defined answer.

mod conformance;
mod damage;
mod full_disk;
mod golden;
mod meter;
mod opening;
mod torn;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::log::{Appended, Entry, EntryName, Log, ReadError, Stored};
use tempfile::TempDir;

use super::folder::Folder;
use super::{Embedded, OpenError, Options, SqliteLog, open};

/// Small bounds, so that a test soon reaches them.
fn small() -> Options {
    Options {
        remembered: 700,
        commit_wait: Duration::ZERO,
        tail_bytes: 64 << 10,
        log_cache_bytes: 256 << 10,
        store_cache_bytes: 256 << 10,
        log_checkpoint_bytes: 256 << 10,
        store_checkpoint_bytes: 256 << 10,
        ..Options::default()
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn opened(path: &Path) -> Embedded {
    open(path, &small()).expect("the folder opens")
}

fn refused(path: &Path) -> OpenError {
    open(path, &small()).expect_err("the folder must not open")
}

/// The log alone, with nothing of it in memory.
fn open_log(path: &Path) -> Result<SqliteLog, OpenError> {
    let folder = Folder::enter(path).expect("the folder is free");
    SqliteLog::open(folder.into(), &Options { tail_bytes: 0, ..small() })
}

fn event(n: usize) -> Entry {
    Entry {
        product: ProductId::new("p").expect("a product"),
        user: UserId::new(&format!("user {}", n % 5)).expect("a user"),
        name: EntryName::Event(EventId::new(&format!("event {n}")).expect("an id")),
        received_at: Timestamp::from_millis(1_700_000_000_000),
        body: Bytes::from(format!("body of {n}")),
        event: None,
    }
}

fn decision(n: usize) -> Entry {
    let id = DecisionId::from_bits(n as u128 + 1);
    Entry { name: EntryName::Decision(id), ..event(n) }
}

/// Appends the event and expects it to be new.
async fn append(log: &dyn Log, n: usize) -> Position {
    match log.append(vec![event(n)]).await.expect("the log takes it")[..] {
        [Appended::New(position)] => position,
        ref other => panic!("one new event was expected: {other:?}"),
    }
}

/// Every record up to the end, as far as it can be read.
async fn read_all(log: &dyn Log) -> Result<Vec<Stored>, ReadError> {
    let (mut all, mut after) = (Vec::new(), Position(0));
    while after < log.end() {
        all.extend(log.read(after, 16 << 10).await?);
        after = all.last().map_or(after, |stored: &Stored| stored.position);
    }
    Ok(all)
}

/// Makes a file of 512-byte pages, so that a test can go through it byte by byte.
fn with_small_pages(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("a file");
    connection.pragma_update(None, "page_size", 512).expect("a page size");
    // Makes the choice lasting, and leaves a file that is new in every other way.
    connection.pragma_update(None, "journal_mode", "wal").expect("a journal mode");
}

/// Inverts one bit, in place; a second time, it is as before.
fn flip(path: &Path, at: usize, bit: usize) {
    let byte = fs::read(path).expect("the file")[at] ^ (1 << (bit % 8));
    overwrite(path, at, &[byte]);
}

/// Writes into the file, in place.
fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let mut file = fs::File::options().write(true).open(path).expect("the file");
    file.seek(SeekFrom::Start(at as u64)).expect("a place in the file");
    file.write_all(bytes).expect("the file takes it");
}
