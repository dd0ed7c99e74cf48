//! Log and store as SQLite files in one data folder. Must not let two processes into it, nor start on damage.

mod fault;
mod file;
mod folder;
mod log;
mod options;
mod pool;
mod products;
mod store;
mod sum;
mod wal;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pilotage_domain::event::Position;
use pilotage_engine::port::log::Log;
use thiserror::Error;

pub use log::SqliteLog;
pub use options::Options;
pub use store::SqliteStore;

use folder::Folder;

/// The opened data folder.
#[derive(Debug)]
pub struct Embedded {
    /// `log.sqlite`.
    pub log: Arc<SqliteLog>,
    /// `store.sqlite`.
    pub store: Arc<SqliteStore>,
}

/// Opens the data folder and makes what is missing. The folder is free again once log and store are closed or dropped.
///
/// Blocks: it reads what is needed to know the newest events again (a fraction of a second at the default).
pub fn open(path: &Path, options: &Options) -> Result<Embedded, OpenError> {
    let folder = Arc::new(Folder::enter(path)?);
    let log = SqliteLog::open(Arc::clone(&folder), options)?;
    let (store, stands_for) = SqliteStore::open(Arc::clone(&folder), options)?;
    folder.sync()?;
    if log.end() < stands_for {
        let path = folder.path().to_owned();
        return Err(OpenError::LogBehind { path, end: log.end(), stands_for });
    }
    Ok(Embedded { log: Arc::new(log), store: Arc::new(store) })
}

/// Why the data folder was not opened. Nothing in it was changed, save that files that were missing may be there now.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder can't be made, or no file can be written in it.
    #[error("the data folder {} can't be written: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process works on the folder.
    #[error("the data folder {} is in use by {}", path.display(), holder_text(*holder))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, where it is known.
        holder: Option<u32>,
    },
    /// A file may be read but not written.
    #[error("{} is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the file.
    #[error(
        "{} has format {found}, written by Pilotage {writer}; this Pilotage {} knows formats up to {known}",
        path.display(), env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i32,
        /// The newest format that this program knows.
        known: i32,
        /// The version that wrote it.
        writer: String,
    },
    /// The file belongs to another program, or log and store were exchanged.
    #[error("{} is not a Pilotage {role} (application id {found:#010x})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it should be: `log` or `store`.
        role: &'static str,
        /// Its application id.
        found: i32,
    },
    /// The file is not what was written.
    #[error("{} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The log lacks records that the store was folded from.
    #[error(
        "the log in {} ends at {} but the store was folded up to {}: \
         log.sqlite or its -wal file was replaced or lost records",
        path.display(), end.0, stands_for.0
    )]
    LogBehind {
        /// The folder.
        path: PathBuf,
        /// Where the log ends.
        end: Position,
        /// Up to where the store was folded.
        stands_for: Position,
    },
    /// Any other answer of SQLite or the system.
    #[error("{} can't be opened: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system says.
        detail: String,
    },
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"))
}

#[cfg(test)]
mod tests;
