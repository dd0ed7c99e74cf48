//! Opening one SQLite file: whose it is, which format it has, how it is written. Must not know its tables.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use super::{OpenError, fault, wal};

/// One of our kinds of file.
#[derive(Debug)]
pub(super) struct Kind {
    /// What it is to us: `log` or `store`.
    pub role: &'static str,
    /// Its name in the data folder.
    pub name: &'static str,
    /// SQLite's application id of it.
    pub application: i32,
    /// The size of its pages in bytes, where it is new.
    pub page: u32,
    /// What makes format n + 1 out of format n; the first makes it out of nothing. Only ever added to.
    pub steps: &'static [&'static str],
}

/// The program that wrote to a file last, by its version, so that an older one can say what it needs.
const ABOUT: &str = "CREATE TABLE about (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID";

impl Kind {
    fn newest_format(&self) -> i32 {
        i32::try_from(self.steps.len()).unwrap_or(i32::MAX)
    }
}

/// Opens the file for writing, makes it where it is missing, and brings it to the newest format.
pub(super) fn open(kind: &Kind, path: &Path, cache_bytes: usize) -> Result<Connection, OpenError> {
    wal::check(path)?;
    let at_fault = |error| explain(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(at_fault)?;
    if connection.is_readonly("main").map_err(at_fault)? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    let found = identify(kind, path, &connection)?;
    prepare(kind, &connection, cache_bytes).map_err(at_fault)?;
    bring_up(kind, &connection, found).map_err(at_fault)?;
    if found == 0 {
        // From now on the file itself says whose it is, whatever becomes of its write-ahead log.
        settle(&connection).map_err(at_fault)?;
    }
    Ok(connection)
}

/// A connection that only reads, on a file that is open for writing already.
pub(super) fn open_reader(path: &Path, cache_bytes: usize) -> Result<Connection, OpenError> {
    let connection = open_beside(path, cache_bytes)?;
    let only_reads = connection.pragma_update(None, "query_only", true);
    only_reads.map_err(|error| explain(path, &error))?;
    Ok(connection)
}

/// A connection that moves what was written ahead into the file, which is open for writing already.
pub(super) fn open_mover(path: &Path, cache_bytes: usize) -> Result<Connection, OpenError> {
    let connection = open_beside(path, cache_bytes)?;
    let synced = connection.pragma_update(None, "synchronous", "FULL");
    synced.map_err(|error| explain(path, &error))?;
    Ok(connection)
}

fn open_beside(path: &Path, cache_bytes: usize) -> Result<Connection, OpenError> {
    let at_fault = |error| explain(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(at_fault)?;
    common(&connection, cache_bytes).map_err(at_fault)?;
    Ok(connection)
}

/// Checks whose file it is; its format, 0 for a new one.
fn identify(kind: &Kind, path: &Path, connection: &Connection) -> Result<i32, OpenError> {
    let at_fault = |error| explain(path, &error);
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
    let application: i32 = number("application_id").map_err(at_fault)?;
    let format: i32 = number("user_version").map_err(at_fault)?;
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(at_fault)?;
    let path = || PathBuf::from(path);
    if tables == 0 && application == 0 && format == 0 {
        return Ok(0);
    }
    if application != kind.application {
        return Err(OpenError::Foreign { path: path(), role: kind.role, found: application });
    }
    if format > kind.newest_format() {
        let known = kind.newest_format();
        return Err(OpenError::Newer {
            path: path(),
            found: format,
            known,
            writer: writer(connection),
        });
    }
    if format < 1 || tables == 0 {
        let detail = format!("it has format {format} and {tables} tables");
        return Err(OpenError::Damaged { path: path(), detail });
    }
    Ok(format)
}

fn writer(connection: &Connection) -> String {
    let query = "SELECT value FROM about WHERE key = 'written_by'";
    let version: rusqlite::Result<Option<String>> =
        connection.query_row(query, [], |row| row.get(0)).optional();
    version.ok().flatten().unwrap_or_else(|| "of an unknown version".to_owned())
}

/// What holds for every connection.
fn common(connection: &Connection, cache_bytes: usize) -> rusqlite::Result<()> {
    let kibibytes = i64::try_from(cache_bytes / 1024).unwrap_or(i64::MAX);
    connection.pragma_update(None, "cache_size", -kibibytes)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Looks at every cell when a page is read, so that a damaged page is an error and not an odd answer.
    connection.pragma_update(None, "cell_size_check", true)?;
    // Closing is no moment for surprises: whoever closes in health moves the log into the file itself.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// What holds for the connection that writes.
fn prepare(kind: &Kind, connection: &Connection, cache_bytes: usize) -> rusqlite::Result<()> {
    common(connection, cache_bytes)?;
    // Of a file that has pages already this changes nothing.
    connection.pragma_update(None, "page_size", kind.page)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    debug_assert_eq!(mode, "wal");
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(())
}

/// Takes the steps that are missing and signs with our version, all or nothing.
fn bring_up(kind: &Kind, connection: &Connection, found: i32) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if found == 0 {
        transaction.pragma_update(None, "application_id", kind.application)?;
        transaction.execute_batch(ABOUT)?;
    }
    for (format, step) in (1..).zip(kind.steps).filter(|(format, _)| *format > found) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", format)?;
    }
    let version = env!("CARGO_PKG_VERSION");
    transaction.execute(
        "INSERT INTO about VALUES ('written_by', ?1)
         ON CONFLICT (key) DO UPDATE SET value = ?1 WHERE value <> ?1",
        [version],
    )?;
    transaction.commit()
}

/// Moves what was written ahead into the file and empties the write-ahead log.
pub(super) fn settle(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, "TRUNCATE")
}

/// Moves what was written ahead into the file, as far as no reader is in the way.
pub(super) fn relieve(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, "PASSIVE")
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

/// The clear message for a failure of opening.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::ReadOnly;
    let (path, detail) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ReadOnly) => OpenError::ReadOnly { path },
        _ if fault::is_damage(error) => OpenError::Damaged { path, detail },
        _ => OpenError::File { path, detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Kind = Kind {
        role: "test",
        name: "test.sqlite",
        application: 77,
        page: 8_192,
        steps: &["CREATE TABLE a (x); INSERT INTO a VALUES (1)"],
    };
    const TWO: Kind = Kind {
        steps: &[ONE.steps[0], "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1"],
        ..ONE
    };

    const BROKEN: Kind =
        Kind { steps: &[ONE.steps[0], "CREATE TABLE b (x); SELECT nonsense"], ..ONE };

    #[test]
    fn formats_only_go_forward_and_keep_what_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.sqlite");
        open(&ONE, &path, 1 << 20).expect("a new file");
        for _ in 0..2 {
            let connection = open(&TWO, &path, 1 << 20).expect("one step");
            let sum = "SELECT sum(x + y), count(*) FROM a";
            let sum: (i64, i64) =
                connection.query_row(sum, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a sum");
            assert_eq!(sum, (3, 1), "each step is taken once");
        }
        let error = open(&ONE, &path, 1 << 20).map(drop).expect_err("no way back");
        assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.sqlite");
        open(&ONE, &path, 1 << 20).expect("a new file");
        open(&BROKEN, &path, 1 << 20).map(drop).expect_err("the step is broken");
        let connection = open(&ONE, &path, 1 << 20).expect("it is as it was");
        let tables = "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table'";
        let tables: String = connection.query_row(tables, [], |row| row.get(0)).expect("tables");
        assert_eq!(tables, "about,a");
    }

    #[test]
    fn a_write_is_synced_before_it_is_answered_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.sqlite");
        drop(open(&ONE, &path, 1 << 20).expect("a file"));
        let smaller = Kind { page: 4_096, ..ONE };
        let connection = open(&smaller, &path, 1 << 20).expect("the same file");
        let text = |pragma| {
            connection
                .pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0))
        };
        assert_eq!(text("synchronous").expect("a pragma"), 2.into());
        assert_eq!(text("journal_mode").expect("a pragma"), "wal".to_owned().into());
        assert_eq!(text("wal_autocheckpoint").expect("a pragma"), 0.into());
        assert_eq!(text("page_size").expect("a pragma"), 8_192.into(), "a file keeps its pages");
    }
}
