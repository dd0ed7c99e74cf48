//! A store that several processes share, in a PostgreSQL database. Must not answer for a write before it is durable, nor
//! leave a connection in the middle of a transaction.

mod column;
mod fault;
mod forget;
mod listen;
mod mend;
mod options;
mod pool;
mod schema;
mod session;
mod shared;
mod store;
mod tls;

use std::path::PathBuf;

use thiserror::Error;

pub use options::{Options, Upkeep};
pub use schema::Migrated;
pub use store::PostgresStore;

/// Why the database was not opened, or not migrated. Nothing in it was changed, save by migrations that were told before.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address can't be read.
    #[error("the address of PostgreSQL can't be read: {0}")]
    Address(String),
    /// The certificates to trust can't be read.
    #[error("the certificates in {} can't be read: {detail}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The server does not answer, or does not let us in.
    #[error("PostgreSQL at {place} can't be used: {detail}")]
    Unavailable {
        /// Host, port and database.
        place: String,
        /// What the system or the server says.
        detail: String,
    },
    /// The server is too old.
    #[error(
        "PostgreSQL at {place} is version {found}; Pilotage needs {} or newer",
        schema::OLDEST_SERVER
    )]
    OldServer {
        /// Host, port and database.
        place: String,
        /// Its version.
        found: i32,
    },
    /// The database keeps text in another encoding.
    #[error("the database at {place} has encoding {found}; Pilotage needs UTF8")]
    Encoding {
        /// Host, port and database.
        place: String,
        /// Its encoding.
        found: String,
    },
    /// There is nothing of ours, or not all of it.
    #[error(
        "the database at {place} has schema {found}, this Pilotage {} needs {needed}: run `pilotage migrate`",
        env!("CARGO_PKG_VERSION")
    )]
    Older {
        /// Host, port and database.
        place: String,
        /// Its schema; 0 where it has none.
        found: i32,
        /// The schema of this program.
        needed: i32,
    },
    /// A newer program has migrated it.
    #[error(
        "the database at {place} has schema {found}, made by Pilotage {writer}; this Pilotage {} knows schemas up to {known}",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// Host, port and database.
        place: String,
        /// Its schema.
        found: i32,
        /// The newest schema that this program knows.
        known: i32,
        /// The version that made it.
        writer: String,
    },
    /// A step of a migration failed; it left no trace.
    #[error("the database at {place} could not be brought to schema {to}: {detail}")]
    Step {
        /// Host, port and database.
        place: String,
        /// The schema that the step leads to.
        to: i32,
        /// What the server says.
        detail: String,
    },
}

impl OpenError {
    /// Whether the same call may succeed later without anybody's doing.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

#[cfg(test)]
mod tests;
