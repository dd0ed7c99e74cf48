//! The ports' suites on SQLite files.

use std::sync::Arc;

use pilotage_engine::conformance::{JournalPlace, LogPlace, StorePlace};
use pilotage_engine::port::Answer;
use pilotage_engine::port::log::{Journal, Log};
use pilotage_engine::port::store::Store;
use tempfile::TempDir;

use super::{folder, small};
use crate::sqlite::folder::Folder;
use crate::sqlite::{Options, SqliteLog, SqliteStore};

/// A folder of its own, for one of both.
struct Place {
    path: TempDir,
    options: Options,
}

impl Place {
    fn new(options: Options) -> Self {
        Self { path: folder(), options }
    }

    fn enter(&self) -> Arc<Folder> {
        Arc::new(Folder::enter(self.path.path()).expect("the folder is free"))
    }
}

impl LogPlace for Place {
    fn open(&self) -> Answer<'_, Arc<dyn Log>> {
        Box::pin(async {
            let log = SqliteLog::open(self.enter(), &self.options).expect("the log opens");
            Arc::new(log) as Arc<dyn Log>
        })
    }
}

impl JournalPlace for Place {
    fn open(&self) -> Answer<'_, Arc<dyn Journal>> {
        Box::pin(async {
            let log = SqliteLog::open(self.enter(), &self.options).expect("the log opens");
            Arc::new(log) as Arc<dyn Journal>
        })
    }
}

impl StorePlace for Place {
    fn open(&self) -> Answer<'_, Arc<dyn Store>> {
        Box::pin(async {
            let opened = SqliteStore::open(self.enter(), &self.options);
            Arc::new(opened.expect("the store opens").0) as Arc<dyn Store>
        })
    }
}

mod journal {
    use super::{Place, small};

    pilotage_engine::journal_conformance!(|| Place::new(small()));
}

mod log {
    use super::{Place, small};

    pilotage_engine::log_conformance!(|| Place::new(small()));
}

/// Every read goes to the file, every call is a commit of its own.
mod log_without_memory {
    use super::{Options, Place, small};

    pilotage_engine::log_conformance!(|| Place::new(Options {
        tail_bytes: 0,
        commit_entries: 1,
        readers: 1,
        log_checkpoint_bytes: 0,
        store_checkpoint_bytes: 0,
        ..small()
    }));
}

mod store {
    use super::{Place, small};

    pilotage_engine::store_conformance!(|| Place::new(small()));
}
