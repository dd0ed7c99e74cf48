//! The store's port over the pool. Must not answer for a write before it is durable.

mod keep;
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
    Batch, Cohorts, Pause, RowId, Store, StoreError, StoredUser, UserKey, Watermark,
};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::fault::Result as Work;
use super::forget::{Moment, keep_forgetting};
use super::listen::Listener;
use super::options::place;
use super::pool::Pool;
use super::{Migrated, OpenError, Options, schema, tls};

/// So many changes wait for who reads them; older ones are lost to him.
const UNREAD_CHANGES: usize = 1_024;

/// The store in a PostgreSQL database, shared with other processes.
pub struct PostgresStore {
    pub(super) pool: Arc<Pool>,
    pub(super) changes: broadcast::Sender<Change>,
    pub(super) commits: CommitMeter,
    pub(super) moment: Arc<Moment>,
    /// Listening and forgetting, until the store is closed or dropped.
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
        let tls = tls::connector(options.trusted.as_deref())?;
        schema::check(&config, &tls, options).await?;
        let place = place(&config);
        let pool = Arc::new(Pool::new(config.clone(), tls.clone(), options));
        let changes = broadcast::Sender::new(UNREAD_CHANGES);
        let (patience, well) = (options.connect_timeout, Arc::clone(pool.well()));
        let listener = Listener { config, tls, patience, changes: changes.clone(), well };
        let session = listener.begin().await;
        let session = session.map_err(|fault| schema::unavailable(&place, fault))?;
        let (mut tasks, moment) = (JoinSet::new(), Arc::<Moment>::default());
        tasks.spawn(listener.listen(session));
        let days = options.remember_days;
        tasks.spawn(keep_forgetting(Arc::clone(&pool), Arc::clone(&moment), days));
        let (commits, tasks) = (CommitMeter::default(), Mutex::new(tasks));
        Ok(Self { pool, changes, commits, moment, tasks })
    }

    /// How many partitions the topic has: as many as are told here the first time, ever after.
    pub async fn topic_partitions(&self, fresh: u16) -> Result<u16, StoreError> {
        let count = self.pool.write(async |client| keep::topic_partitions(client, fresh).await);
        Ok(count.await?)
    }
}

/// Runs the work as a port's answer.
fn answer<'a, T: Send + 'a>(
    work: impl Future<Output = Work<T>> + Send + 'a,
) -> Answer<'a, Result<T, StoreError>> {
    Box::pin(async { Ok(work.await?) })
}

impl Store for PostgresStore {
    fn load(&self, keys: Vec<UserKey>) -> Answer<'_, Result<Vec<Option<StoredUser>>, StoreError>> {
        answer(async move { self.pool.read(async |client| read::load(client, &keys).await).await })
    }

    fn write(&self, batch: Batch) -> Answer<'_, Result<Vec<RowId>, StoreError>> {
        answer(async move {
            let started = Instant::now();
            let rows = self.pool.transact(async |work| write::batch(work, &batch).await).await?;
            self.commits.note(started.elapsed(), rows.len());
            Ok(rows)
        })
    }

    fn watermark(&self) -> Answer<'_, Result<Watermark, StoreError>> {
        answer(async { self.pool.read(async |client| read::watermark(client).await).await })
    }

    fn spilled(&self, row: RowId) -> Answer<'_, Result<Vec<(Position, Bytes)>, StoreError>> {
        answer(async move { self.pool.read(async |client| read::spilled(client, row).await).await })
    }

    fn cohorts(&self) -> Answer<'_, Result<Cohorts, StoreError>> {
        answer(async { self.pool.read(async |client| read::cohorts(client).await).await })
    }

    fn page(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>> {
        answer(async move {
            let page = async |client: &_| read::page(client, after.as_ref(), limit).await;
            self.pool.read(page).await
        })
    }

    fn reset(&self) -> Answer<'_, Result<(), StoreError>> {
        answer(async { self.pool.transact(async |work| write::reset(work).await).await })
    }

    fn paused(&self) -> Answer<'_, Result<BTreeMap<ProductId, Vec<GuideId>>, StoreError>> {
        answer(async { self.pool.read(async |client| read::paused(client).await).await })
    }

    fn set_paused(
        &self,
        product: &ProductId,
        guide: &GuideId,
        pause: Pause,
    ) -> Answer<'_, Result<(), StoreError>> {
        let (product, guide) = (product.clone(), guide.clone());
        answer(async move {
            let set = async |work: &_| keep::set_paused(work, &product, &guide, pause).await;
            self.pool.transact(set).await
        })
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
        answer(async move {
            let keep = async |client: &_| keep::keep_definition(client, &definition).await;
            self.pool.write(keep).await
        })
    }

    fn definition(
        &self,
        product: &ProductId,
        hash: ContentHash,
    ) -> Answer<'_, Result<Option<String>, StoreError>> {
        let product = product.clone();
        answer(async move {
            let find = async |client: &_| keep::definition(client, &product, hash).await;
            self.pool.read(find).await
        })
    }

    fn secret(&self, name: &str, fresh: [u8; 32]) -> Answer<'_, Result<[u8; 32], StoreError>> {
        let name = name.to_owned();
        answer(async move {
            self.pool.write(async |client| keep::secret(client, &name, fresh).await).await
        })
    }

    fn healthy(&self) -> bool {
        self.pool.well().load(Ordering::Relaxed)
    }

    fn commits(&self) -> Option<Commits> {
        Some(self.commits.read())
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            { tasks }.shutdown().await;
            self.pool.close().await;
        })
    }
}
