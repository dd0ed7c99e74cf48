//! The store as a SQLite file. Must not answer for a write before it is on disk.

mod book;
mod keep;
mod learnt;
mod read;
mod row;
mod schema;
mod write;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};
use pilotage_engine::port::Answer;
use pilotage_engine::port::meter::{CommitMeter, Commits};
use pilotage_engine::port::store::{
    Batch, Cohorts, Grid, Learnt, Pause, Reached, RowId, Store, StoreError, StoredUser, UserKey,
    Watermark,
};
use rusqlite::Connection;

use super::folder::Folder;
use super::pool::{Gone, Pool};
use super::{OpenError, Options, fault, file};
use row::RowError;
use schema::STORE;
use write::{Work, Writer};

/// The store in `store.sqlite`.
#[derive(Debug)]
pub struct SqliteStore {
    /// One member: writes wait for each other.
    writer: Pool<Writer>,
    readers: Pool<Connection>,
    healthy: Arc<AtomicBool>,
    commits: Arc<CommitMeter>,
    /// Held until the store is closed.
    folder: Mutex<Option<Arc<Folder>>>,
}

impl SqliteStore {
    /// Opens the store; also up to which position it stands for the log.
    pub(super) fn open(
        folder: Arc<Folder>,
        options: &Options,
    ) -> Result<(Self, Position), OpenError> {
        let path = folder.file(STORE.name);
        let connection = file::open(&STORE, &path, options.store_cache_bytes)?;
        let watermark = read::watermark(&connection).map_err(|error| match error {
            RowError::Sqlite(error) => file::explain(&path, &error),
            RowError::Damaged(detail) => OpenError::Damaged { path: path.clone(), detail },
        })?;
        let healthy = Arc::new(AtomicBool::new(true));
        let writer = Writer::new(connection, Arc::clone(&healthy), options.store_checkpoint_bytes)
            .map_err(|error| file::explain(&path, &error))?;
        let readers = (0..options.readers.max(1))
            .map(|_| file::open_reader(&path, options.store_cache_bytes))
            .collect::<Result<_, _>>()?;
        let store = Self {
            writer: Pool::new(vec![writer]),
            readers: Pool::new(readers),
            healthy,
            commits: Arc::default(),
            folder: Mutex::new(Some(folder)),
        };
        Ok((store, watermark.position))
    }

    /// Plays a full disk: the file may have so many pages from now on.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self, most: u32) {
        let limited = self.writer.run(move |writer| writer.limit_pages(most)).await;
        limited.expect("the store is open");
    }

    fn reading<'a, R: Send + 'static>(
        &'a self,
        read: impl FnOnce(&Connection) -> row::Result<R> + Send + 'static,
    ) -> Answer<'a, Result<R, StoreError>> {
        Box::pin(async move {
            let read = move |connection: &mut Connection| {
                // One moment for all that is read: never half a batch.
                let moment = connection.transaction()?;
                read(&moment)
            };
            let done = self.readers.run(read).await;
            done.map_err(closed)?.map_err(|error| match error {
                RowError::Damaged(detail) => StoreError::Damaged(detail),
                RowError::Sqlite(error) if fault::is_damage(&error) => {
                    StoreError::Damaged(error.to_string())
                }
                RowError::Sqlite(error) => StoreError::Unavailable(error.to_string()),
            })
        })
    }

    fn writing<'a, R: Send + 'static>(
        &'a self,
        work: impl FnOnce(&mut Work<'_>) -> row::Result<R> + Send + 'static,
    ) -> Answer<'a, Result<R, StoreError>> {
        Box::pin(async move {
            let done = self.writer.run(move |writer| writer.transact(work)).await;
            done.map_err(closed)?
        })
    }
}

fn closed(_: Gone) -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

impl Store for SqliteStore {
    fn load(&self, keys: Vec<UserKey>) -> Answer<'_, Result<Vec<Option<StoredUser>>, StoreError>> {
        self.reading(move |connection| read::load(connection, &keys))
    }

    fn write(&self, batch: Batch) -> Answer<'_, Result<Vec<RowId>, StoreError>> {
        let commits = Arc::clone(&self.commits);
        Box::pin(async move {
            let write = move |writer: &mut Writer| {
                let started = Instant::now();
                let written = writer.transact(|work| work.batch(&batch));
                if written.is_ok() {
                    commits.note(started.elapsed(), batch.users.len());
                }
                written
            };
            self.writer.run(write).await.map_err(closed)?
        })
    }

    fn watermark(&self) -> Answer<'_, Result<Watermark, StoreError>> {
        self.reading(read::watermark)
    }

    fn learnt(&self) -> Answer<'_, Result<Vec<Learnt>, StoreError>> {
        self.reading(learnt::all)
    }

    fn spilled(&self, row: RowId) -> Answer<'_, Result<Vec<(Position, Bytes)>, StoreError>> {
        self.reading(move |connection| read::spilled(connection, row))
    }

    fn cohorts(&self, product: &ProductId, grid: &Grid) -> Answer<'_, Result<Cohorts, StoreError>> {
        let (product, grid) = (product.clone(), grid.clone());
        self.reading(move |connection| read::cohorts(connection, &product, &grid))
    }

    fn unnoted(
        &self,
        product: &ProductId,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>> {
        let product = product.clone();
        self.reading(move |connection| read::unnoted(connection, &product, limit))
    }

    fn note_reached(&self, of: Vec<(RowId, Reached)>) -> Answer<'_, Result<(), StoreError>> {
        self.writing(move |work| work.note_reached(&of))
    }

    fn page(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>> {
        self.reading(move |connection| read::page(connection, after.as_ref(), limit))
    }

    fn reset(&self) -> Answer<'_, Result<(), StoreError>> {
        self.writing(|work| work.reset())
    }

    fn paused(&self) -> Answer<'_, Result<BTreeMap<ProductId, Vec<GuideId>>, StoreError>> {
        self.reading(read::paused)
    }

    fn set_paused(
        &self,
        product: &ProductId,
        guide: &GuideId,
        pause: Pause,
    ) -> Answer<'_, Result<(), StoreError>> {
        let (product, guide) = (product.clone(), guide.clone());
        self.writing(move |work| keep::set_paused(work.connection, &product, &guide, pause))
    }

    fn keep_definition(
        &self,
        product: &ProductId,
        version: u64,
        hash: ContentHash,
        text: &str,
    ) -> Answer<'_, Result<(), StoreError>> {
        let (product, text) = (product.clone(), text.to_owned());
        let definition = keep::Definition { product, version, hash, text };
        self.writing(move |work| keep::keep_definition(work.connection, &definition))
    }

    fn definition(
        &self,
        product: &ProductId,
        hash: ContentHash,
    ) -> Answer<'_, Result<Option<String>, StoreError>> {
        let product = product.clone();
        self.reading(move |connection| keep::definition(connection, &product, hash))
    }

    fn secret(&self, name: &str, fresh: [u8; 32]) -> Answer<'_, Result<[u8; 32], StoreError>> {
        let name = name.to_owned();
        self.writing(move |work| keep::secret(work.connection, &name, fresh))
    }

    fn healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    fn commits(&self) -> Option<Commits> {
        Some(self.commits.read())
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.readers.close().await;
            let writers = self.writer.close().await;
            let settled =
                tokio::task::spawn_blocking(move || writers.iter().for_each(Writer::settle));
            // A panic there was reported when it happened.
            let _ = settled.await;
            self.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
        })
    }
}
