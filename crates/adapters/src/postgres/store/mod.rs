//! The store's port over the pool. Must not answer for a write before it is durable.

pub(super) mod book;
mod keep;
pub(super) mod learnt;
pub(super) mod read;
pub(super) mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};
use pilotage_engine::port::Answer;
use pilotage_engine::port::meter::{CommitMeter, Commits};
use pilotage_engine::port::shared::Change;
use pilotage_engine::port::store::{
    Batch, Cohorts, Grid, Learnt, Pause, Reached, RowId, Store, StoreError, StoredUser, UserKey,
    Watermark,
};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::fault::{Fault, Result as Work};
use super::forget::{Moment, keep_forgetting};
use super::listen::Listener;
use super::mend::mend;
use super::options::place;
use super::pool::{InTransaction, Pool};
use super::{Migrated, OpenError, Options, Upkeep, schema, tls};

/// So many changes wait for who reads them; older ones are lost to him.
const UNREAD_CHANGES: usize = 1_024;

/// The store in a PostgreSQL database, shared with other processes.
pub struct PostgresStore {
    pub(super) pool: Arc<Pool>,
    pub(super) changes: broadcast::Sender<Change>,
    commits: CommitMeter,
    pub(super) moment: Arc<Moment>,
    /// Mending, listening and forgetting, until the store is closed or dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Brings the database to this version's schema; an empty one, too. Of several that do, the others wait.
    pub async fn migrate(options: &Options) -> Result<Migrated, OpenError> {
        schema::migrate(options, schema::NEWEST).await
    }

    /// Opens the store in a database that has this version's schema, and listens for changes from then on.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let config = options.config()?;
        let tls = tls::connector(config.get_ssl_mode(), options.trusted.as_deref())?;
        schema::check(&config, &tls, options).await?;
        let place = place(&config);
        let (pool, left) = Pool::new(config.clone(), tls.clone(), options);
        let pool = Arc::new(pool);
        let changes = broadcast::Sender::new(UNREAD_CHANGES);
        let (patience, well) = (options.connect_timeout, Arc::clone(pool.well()));
        let mending = mend(left, tls.clone());
        let listener = Listener { config, tls, patience, changes: changes.clone(), well };
        let begun = listener.begin().await;
        let begun = begun.map_err(|fault| schema::unavailable(&place, fault))?;
        let (mut tasks, moment) = (JoinSet::new(), Arc::<Moment>::default());
        tasks.spawn(mending);
        tasks.spawn(listener.listen(begun));
        if options.upkeep == Upkeep::Done {
            tasks.spawn(keep_forgetting(Arc::clone(&pool), Arc::clone(&moment)));
        }
        let (commits, tasks) = (CommitMeter::default(), Mutex::new(tasks));
        Ok(Self { pool, changes, commits, moment, tasks })
    }

    /// How many partitions the topic has: as many as are told here the first time, ever after.
    pub async fn topic_partitions(&self, fresh: u16) -> Result<u16, StoreError> {
        let keep = self
            .pool
            .write(fresh, |client, fresh| Box::pin(keep::topic_partitions(client, *fresh)));
        Ok(keep.await?)
    }

    fn take_tasks(&self) -> JoinSet<()> {
        std::mem::take(&mut self.tasks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes users in a transaction, and notes how long that took.
    pub(super) async fn measured<A>(
        &self,
        asked: A,
        work: InTransaction<A, Vec<RowId>>,
    ) -> Work<Vec<RowId>> {
        let started = Instant::now();
        let rows = self.pool.transact(asked, work).await?;
        self.commits.note(started.elapsed(), rows.len());
        Ok(rows)
    }
}

/// The work as a port's answer.
pub(super) fn answer<'a, T: Send + 'a, E: From<Fault>>(
    work: impl Future<Output = Work<T>> + Send + 'a,
) -> Answer<'a, Result<T, E>> {
    Box::pin(async { Ok(work.await?) })
}

impl Store for PostgresStore {
    fn load(&self, keys: Vec<UserKey>) -> Answer<'_, Result<Vec<Option<StoredUser>>, StoreError>> {
        answer(self.pool.read(keys, |client, keys| Box::pin(read::load(client, keys))))
    }

    fn write(&self, batch: Batch) -> Answer<'_, Result<Vec<RowId>, StoreError>> {
        answer(self.measured(batch, |work, batch| Box::pin(write::batch(work, batch))))
    }

    fn watermark(&self) -> Answer<'_, Result<Watermark, StoreError>> {
        answer(self.pool.read((), |client, ()| Box::pin(read::watermark(client))))
    }

    fn learnt(&self) -> Answer<'_, Result<Vec<Learnt>, StoreError>> {
        answer(self.pool.read((), |client, ()| Box::pin(learnt::all(client))))
    }

    fn spilled(&self, row: RowId) -> Answer<'_, Result<Vec<(Position, Bytes)>, StoreError>> {
        answer(self.pool.read(row, |client, row| Box::pin(read::spilled(client, *row))))
    }

    fn cohorts(&self, product: &ProductId, grid: &Grid) -> Answer<'_, Result<Cohorts, StoreError>> {
        let asked = (product.clone(), grid.clone());
        answer(
            self.pool.read(asked, |client, (product, grid)| {
                Box::pin(read::cohorts(client, product, grid))
            }),
        )
    }

    fn unnoted(
        &self,
        product: &ProductId,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>> {
        let asked = (product.clone(), limit);
        answer(self.pool.read(asked, |client, (product, limit)| {
            Box::pin(read::unnoted(client, product, *limit))
        }))
    }

    fn note_reached(&self, of: Vec<(RowId, Reached)>) -> Answer<'_, Result<(), StoreError>> {
        answer(self.pool.transact(of, |work, of| Box::pin(write::note_reached(work, of))))
    }

    fn page(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>> {
        let asked = (after, limit);
        answer(self.pool.read(asked, |client, (after, limit)| {
            Box::pin(read::page(client, after.as_ref(), *limit))
        }))
    }

    fn reset(&self) -> Answer<'_, Result<(), StoreError>> {
        answer(self.pool.transact((), |work, ()| Box::pin(write::reset(work))))
    }

    fn paused(&self) -> Answer<'_, Result<BTreeMap<ProductId, Vec<GuideId>>, StoreError>> {
        answer(self.pool.read((), |client, ()| Box::pin(read::paused(client))))
    }

    fn set_paused(
        &self,
        product: &ProductId,
        guide: &GuideId,
        pause: Pause,
    ) -> Answer<'_, Result<(), StoreError>> {
        let asked = (product.clone(), guide.clone(), pause);
        answer(self.pool.transact(asked, |work, (product, guide, pause)| {
            Box::pin(keep::set_paused(work, product, guide, *pause))
        }))
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
        answer(self.pool.write(definition, |client, definition| {
            Box::pin(keep::keep_definition(client, definition))
        }))
    }

    fn definition(
        &self,
        product: &ProductId,
        hash: ContentHash,
    ) -> Answer<'_, Result<Option<String>, StoreError>> {
        let asked = (product.clone(), hash);
        answer(self.pool.read(asked, |client, (product, hash)| {
            Box::pin(keep::definition(client, product, *hash))
        }))
    }

    fn secret(&self, name: &str, fresh: [u8; 32]) -> Answer<'_, Result<[u8; 32], StoreError>> {
        let asked = (name.to_owned(), fresh);
        answer(
            self.pool
                .write(asked, |client, (name, fresh)| Box::pin(keep::secret(client, name, *fresh))),
        )
    }

    fn healthy(&self) -> bool {
        self.pool.well().load(Ordering::Relaxed)
    }

    fn commits(&self) -> Option<Commits> {
        Some(self.commits.read())
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let mut tasks = self.take_tasks();
            tasks.shutdown().await;
            self.pool.close().await;
        })
    }
}
