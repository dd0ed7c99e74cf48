//! What opening a data folder answers, with the words of the message.

use std::fs;
use std::path::Path;

use pilotage_domain::event::Position;
use pilotage_engine::port::log::{Journal, Log};
use pilotage_engine::port::store::{Batch, Store, Watermark};
use rusqlite::Connection;

use super::{append, folder, opened, refused};
use crate::sqlite::OpenError;

fn raw(path: &Path) -> Connection {
    Connection::open(path).expect("the file opens")
}

/// The message, with the test's folder left out.
fn message(error: &OpenError, folder: &Path) -> String {
    error.to_string().replace(&folder.display().to_string(), "DATA")
}

#[tokio::test]
async fn a_missing_folder_is_made() {
    let folder = folder();
    let path = folder.path().join("not/yet/there");
    let embedded = opened(&path);
    append(&*embedded.log, 1).await;
    drop(embedded);
    assert_eq!(opened(&path).log.end(), Position(1));
}

#[test]
fn a_file_is_no_folder() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "x").expect("a file");
    for path in [path.clone(), path.join("below")] {
        let error = refused(&path);
        assert!(matches!(error, OpenError::Folder { .. }), "{error}");
        assert!(message(&error, &path).starts_with("the data folder DATA can't be written: "));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_told() {
    // No user may make files there, not even root, for whom the bits of an ordinary folder do not count.
    let path = Path::new("/sys/kernel");
    let error = refused(path);
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert!(message(&error, path).starts_with("the data folder DATA can't be written: "));
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_file_is_told() {
    for name in ["log.sqlite", "store.sqlite"] {
        let folder = folder();
        let file = folder.path().join(name);
        // No user may write to it, not even root.
        std::os::unix::fs::symlink("/sys/kernel/notes", file).expect("a link");
        let error = refused(folder.path());
        assert_eq!(message(&error, folder.path()), format!("DATA/{name} is read-only"));
    }
}

#[tokio::test]
async fn a_folder_is_open_once_at_a_time() {
    let folder = folder();
    let embedded = opened(folder.path());
    let error = refused(folder.path());
    let expected = format!("the data folder DATA is in use by process {}", std::process::id());
    assert_eq!(message(&error, folder.path()), expected);
    embedded.log.close().await;
    assert!(matches!(refused(folder.path()), OpenError::InUse { .. }), "the store is still open");
    embedded.store.close().await;
    let again = opened(folder.path());
    drop(embedded);
    assert!(matches!(refused(folder.path()), OpenError::InUse { .. }));
    drop(again);
    opened(folder.path());
}

#[test]
fn a_newer_format_is_left_alone() {
    for (name, known) in [("log.sqlite", 3), ("store.sqlite", 4)] {
        let folder = folder();
        drop(opened(folder.path()));
        let file = raw(&folder.path().join(name));
        file.pragma_update(None, "user_version", 7).expect("a format");
        let writer = "UPDATE about SET value = '9.8.7' WHERE key = 'written_by'";
        assert_eq!(file.execute(writer, []).expect("a version"), 1);
        drop(file);
        let error = refused(folder.path());
        let expected = format!(
            "DATA/{name} has format 7, written by Pilotage 9.8.7; \
             this Pilotage {} knows formats up to {known}",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(message(&error, folder.path()), expected);
        let format: i32 = raw(&folder.path().join(name))
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .expect("a format");
        assert_eq!(format, 7);
    }
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("log.sqlite");
    let file = raw(&path);
    file.execute_batch("CREATE TABLE theirs (x); PRAGMA application_id = 0x01020304")
        .expect("a file");
    drop(file);
    let before = fs::read(&path).expect("the file");
    let error = refused(folder.path());
    let expected = "DATA/log.sqlite is not a Pilotage log (application id 0x01020304)";
    assert_eq!(message(&error, folder.path()), expected);
    assert_eq!(fs::read(&path).expect("the file"), before);
}

#[test]
fn exchanged_files_are_told() {
    let folder = folder();
    drop(opened(folder.path()));
    let [log, store, aside] =
        ["log.sqlite", "store.sqlite", "aside"].map(|name| folder.path().join(name));
    for (from, to) in [(&log, &aside), (&store, &log), (&aside, &store)] {
        fs::rename(from, to).expect("a file");
    }
    let error = refused(folder.path());
    let expected = "DATA/log.sqlite is not a Pilotage log (application id 0x50695374)";
    assert_eq!(message(&error, folder.path()), expected);
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let folder = folder();
    fs::write(folder.path().join("store.sqlite"), "text ".repeat(1_000)).expect("a file");
    let error = refused(folder.path());
    let expected = "DATA/store.sqlite is damaged: file is not a database";
    assert_eq!(message(&error, folder.path()), expected);
}

#[tokio::test]
async fn a_log_that_lacks_what_the_store_was_folded_from_is_told() {
    let folder = folder();
    let embedded = opened(folder.path());
    let position = append(&*embedded.log, 1).await;
    let watermark = Some(Watermark { position, ..Watermark::default() });
    let written = embedded.store.write(Batch { watermark, ..Batch::default() }).await;
    written.expect("the store writes");
    drop(embedded);
    assert_eq!(opened(folder.path()).log.end(), position, "they fit");
    for name in ["log.sqlite", "log.sqlite-wal"] {
        fs::remove_file(folder.path().join(name)).expect("a file");
    }
    let error = refused(folder.path());
    let expected = "the log in DATA ends at 0 but the store was folded up to 1: \
        log.sqlite or its -wal file was replaced or lost records";
    assert_eq!(message(&error, folder.path()), expected);
}
