//! What a failure of SQLite means for the file. Must not hide one.

use rusqlite::{Error, ffi};

/// What becomes of a connection whose write failed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// The transaction left no trace; the next may succeed: the disk is full, memory is short.
    Passing,
    /// What reached the disk is unknown. A later sync may succeed without having written what this one lost, so
    /// nothing may be written until the file is opened again and what it holds is known.
    Lasting,
}

/// How bad that is.
pub(super) fn severity(error: &Error) -> Severity {
    use Severity::{Lasting, Passing};
    let Some(code) = error.sqlite_error().map(|e| e.extended_code) else {
        return Lasting;
    };
    match code {
        // Growing the shared index of the write-ahead log needs room too, and happens before anything is written.
        ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_SHMMAP => Passing,
        _ => match code & 0xff {
            ffi::SQLITE_FULL | ffi::SQLITE_NOMEM | ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Passing,
            _ => Lasting,
        },
    }
}

/// Whether the file is not what was written.
pub(super) fn is_damage(error: &Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let not_as_written = matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase));
    // Tables that our statements don't fit, a value of another type than the one that was written, text that isn't UTF-8.
    not_as_written
        || matches!(
            error,
            Error::SqlInputError { .. }
                | Error::InvalidColumnType(..)
                | Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..)
                | Error::Utf8Error(..)
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn only_what_left_no_trace_passes() {
        let cases = [
            (ffi::SQLITE_FULL, Severity::Passing),
            (ffi::SQLITE_NOMEM, Severity::Passing),
            (ffi::SQLITE_IOERR_SHMSIZE, Severity::Passing),
            (ffi::SQLITE_BUSY_SNAPSHOT, Severity::Passing),
            (ffi::SQLITE_IOERR_FSYNC, Severity::Lasting),
            (ffi::SQLITE_IOERR_WRITE, Severity::Lasting),
            (ffi::SQLITE_IOERR_DIR_FSYNC, Severity::Lasting),
            (ffi::SQLITE_CORRUPT, Severity::Lasting),
            (ffi::SQLITE_NOTADB, Severity::Lasting),
            (ffi::SQLITE_READONLY_DBMOVED, Severity::Lasting),
            (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, Severity::Lasting),
        ];
        for (code, expected) in cases {
            assert_eq!(severity(&failure(code)), expected, "{code}");
        }
        assert_eq!(severity(&Error::QueryReturnedNoRows), Severity::Lasting);
    }

    #[test]
    fn damage_is_what_was_not_written_so() {
        assert!(is_damage(&failure(ffi::SQLITE_CORRUPT)));
        assert!(is_damage(&failure(ffi::SQLITE_NOTADB)));
        assert!(!is_damage(&failure(ffi::SQLITE_IOERR_READ)));
        assert!(!is_damage(&failure(ffi::SQLITE_FULL)));
    }
}
