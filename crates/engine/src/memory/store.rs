//! The store in memory. Must not differ from the contract in anything but durability. What several processes agree on
//! beside the profiles is next door, in `shared`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};

use super::book::Kept;
use super::shared::Agreed;
use super::{Fault, hold};
use crate::port::Answer;
use crate::port::shared::Change;
use crate::port::store::{
    Batch, Cohort, Cohorts, Counting, Grid, Learnt, LearntPart, Pause, Reached, RowId, Store,
    StoreError, StoredUser, UserKey, UserWrite, Watermark,
};
use tokio::sync::broadcast;

type Runs = BTreeMap<Position, Bytes>;

/// So many changes wait for who reads them; older ones are lost to him.
const UNREAD_CHANGES: usize = 1_024;

/// What all handles share.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) folded: Folded,
    pub(super) agreed: Agreed,
    pub(super) kept: Kept,
    paused: BTreeMap<ProductId, BTreeSet<GuideId>>,
    definitions: BTreeMap<(ProductId, [u8; 32]), String>,
    secrets: BTreeMap<String, [u8; 32]>,
}

/// What `reset` forgets.
#[derive(Debug, Default)]
pub(super) struct Folded {
    users: BTreeMap<UserKey, StoredUser>,
    applied: BTreeMap<UserKey, Position>,
    runs: BTreeMap<RowId, Runs>,
    cohorts: BTreeMap<RowId, (ProductId, Cohort)>,
    learnt: BTreeMap<(ProductId, LearntPart), Bytes>,
    watermark: Watermark,
}

impl Folded {
    /// The row of each user of the batch; new users are numbered on from the last. Changes nothing.
    pub(super) fn rows(&self, users: &[UserWrite]) -> Result<Vec<RowId>, StoreError> {
        let mut fresh = BTreeMap::new();
        let mut rows = Vec::with_capacity(users.len());
        for user in users {
            let known = self.users.get(&user.key).map(|stored| stored.row);
            if let Some(row) = user.row.filter(|row| known != Some(*row)) {
                return Err(StoreError::Damaged(format!("row {} is not that user's", row.0)));
            }
            let next = RowId((self.users.len() + fresh.len()) as u64 + 1);
            rows.push(known.unwrap_or_else(|| *fresh.entry(&user.key).or_insert(next)));
        }
        Ok(rows)
    }

    /// The stored user and the last record in its body; `None` and 0 where there is none.
    pub(super) fn user(&self, key: &UserKey) -> (Option<&StoredUser>, Position) {
        let applied = self.applied.get(key).copied();
        (self.users.get(key), applied.unwrap_or_default())
    }

    pub(super) fn write(&mut self, batch: Batch) -> Result<Vec<RowId>, StoreError> {
        let rows = self.rows(&batch.users)?;
        for (user, row) in batch.users.into_iter().zip(&rows) {
            match user.counting {
                Counting::Unchanged => {}
                Counting::As(cohort) => {
                    self.cohorts.insert(*row, (user.key.product.clone(), cohort));
                }
                Counting::Not => drop(self.cohorts.remove(row)),
            }
            if !user.spilled.is_empty() {
                self.runs.entry(*row).or_default().extend(user.spilled);
            }
            self.applied.insert(user.key.clone(), user.applied);
            self.users.insert(user.key, StoredUser { row: *row, body: user.body });
        }
        for Learnt { product, part, body } in batch.learnt {
            self.learnt.insert((product, part), body);
        }
        if let Some(watermark) = batch.watermark {
            self.watermark = watermark;
        }
        Ok(rows)
    }

    /// Notes folds where none are noted; all that are then.
    pub(super) fn agree(
        &mut self,
        folds: BTreeMap<ProductId, ContentHash>,
    ) -> BTreeMap<ProductId, ContentHash> {
        for (product, fold) in folds {
            self.watermark.folds.entry(product).or_insert(fold);
        }
        self.watermark.folds.clone()
    }

    pub(super) fn learnt(&self) -> Vec<Learnt> {
        let learnt = |((product, part), body): (&(ProductId, LearntPart), &Bytes)| Learnt {
            product: product.clone(),
            part: *part,
            body: body.clone(),
        };
        self.learnt.iter().map(learnt).collect()
    }

    fn counted(&self, product: &ProductId, grid: &Grid) -> Cohorts {
        let mut cohorts = Cohorts::default();
        let own = self.cohorts.values().filter(|(of, _)| of == product);
        own.for_each(|(_, cohort)| cohorts.add(cohort, grid));
        cohorts
    }
}

/// A store in memory; also one that several processes share, each by a handle of its own.
#[derive(Debug)]
pub struct MemoryStore {
    pub(super) contents: Arc<Mutex<Contents>>,
    pub(super) changes: broadcast::Sender<Change>,
    closed: AtomicBool,
    pub(super) fault: Mutex<Option<Fault>>,
    /// How many writes were refused for a fault.
    refused: AtomicU64,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::on(Arc::default(), broadcast::Sender::new(UNREAD_CHANGES))
    }
}

impl MemoryStore {
    fn on(contents: Arc<Mutex<Contents>>, changes: broadcast::Sender<Change>) -> Self {
        let (closed, fault) = (AtomicBool::new(false), Mutex::new(None));
        Self { contents, changes, closed, fault, refused: AtomicU64::new(0) }
    }

    /// A new handle on the same contents, open and without fault: as after a restart, or as another process has it.
    pub fn reopen(&self) -> Self {
        Self::on(Arc::clone(&self.contents), self.changes.clone())
    }

    /// Tells all handles.
    pub(super) fn tell(&self, change: Change) {
        // Nobody needs to listen.
        let _ = self.changes.send(change);
    }

    /// From now on writes fail; `None` ends it.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *hold(&self.fault) = fault;
    }

    /// How many writes of this handle were refused for a fault.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    fn check_open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("it is closed".to_owned()));
        }
        Ok(())
    }

    pub(super) fn reading<'a, T: Send + 'a>(
        &'a self,
        read: impl FnOnce(&Contents) -> T + Send + 'a,
    ) -> Answer<'a, Result<T, StoreError>> {
        Box::pin(async move {
            self.check_open()?;
            Ok(read(&hold(&self.contents)))
        })
    }

    pub(super) fn writing<'a, T: Send + 'a>(
        &'a self,
        write: impl FnOnce(&mut Contents) -> Result<T, StoreError> + Send + 'a,
    ) -> Answer<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let mut contents = hold(&self.contents);
            self.check_open()?;
            if hold(&self.fault).is_some() {
                self.refused.fetch_add(1, Ordering::SeqCst);
                return Err(StoreError::Unavailable("it was told to fail".to_owned()));
            }
            write(&mut contents)
        })
    }
}

impl Store for MemoryStore {
    fn load(&self, keys: Vec<UserKey>) -> Answer<'_, Result<Vec<Option<StoredUser>>, StoreError>> {
        self.reading(move |contents| {
            keys.iter().map(|key| contents.folded.users.get(key).cloned()).collect()
        })
    }

    fn write(&self, batch: Batch) -> Answer<'_, Result<Vec<RowId>, StoreError>> {
        self.writing(|contents| {
            let wanted = batch.wanted.clone();
            let rows = contents.folded.write(batch)?;
            contents.kept.want(wanted);
            Ok(rows)
        })
    }

    fn watermark(&self) -> Answer<'_, Result<Watermark, StoreError>> {
        self.reading(|contents| contents.folded.watermark.clone())
    }

    fn learnt(&self) -> Answer<'_, Result<Vec<Learnt>, StoreError>> {
        self.reading(|contents| contents.folded.learnt())
    }

    fn spilled(&self, row: RowId) -> Answer<'_, Result<Vec<(Position, Bytes)>, StoreError>> {
        self.reading(move |contents| {
            let runs = contents.folded.runs.get(&row).cloned().unwrap_or_default();
            runs.into_iter().collect()
        })
    }

    fn cohorts(&self, product: &ProductId, grid: &Grid) -> Answer<'_, Result<Cohorts, StoreError>> {
        let (product, grid) = (product.clone(), grid.clone());
        self.reading(move |contents| contents.folded.counted(&product, &grid))
    }

    fn unnoted(
        &self,
        _: &ProductId,
        _: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>> {
        // Whatever is in memory was written by this version.
        self.reading(|_| Vec::new())
    }

    fn note_reached(&self, _: Vec<(RowId, Reached)>) -> Answer<'_, Result<(), StoreError>> {
        self.writing(|_| Ok(()))
    }

    fn page(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>> {
        self.reading(move |contents| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let users = contents.folded.users.range((from, Bound::Unbounded));
            users.take(limit).map(|(key, user)| (key.clone(), user.clone())).collect()
        })
    }

    fn reset(&self) -> Answer<'_, Result<(), StoreError>> {
        self.writing(|contents| {
            contents.folded = Folded::default();
            contents.agreed.forget();
            self.tell(Change::All);
            Ok(())
        })
    }

    fn paused(&self) -> Answer<'_, Result<BTreeMap<ProductId, Vec<GuideId>>, StoreError>> {
        self.reading(|contents| {
            let paused = contents.paused.iter().filter(|(_, guides)| !guides.is_empty());
            paused
                .map(|(product, guides)| (product.clone(), guides.iter().cloned().collect()))
                .collect()
        })
    }

    fn set_paused(
        &self,
        product: &ProductId,
        guide: &GuideId,
        pause: Pause,
    ) -> Answer<'_, Result<(), StoreError>> {
        let (product, guide) = (product.clone(), guide.clone());
        self.writing(move |contents| {
            let guides = contents.paused.entry(product).or_default();
            match pause {
                Pause::Pause => guides.insert(guide),
                Pause::Resume => guides.remove(&guide),
            };
            self.tell(Change::Paused);
            Ok(())
        })
    }

    fn keep_definition(
        &self,
        product: &ProductId,
        _version: u64,
        hash: ContentHash,
        text: &str,
    ) -> Answer<'_, Result<(), StoreError>> {
        let (key, text) = ((product.clone(), *hash.as_bytes()), text.to_owned());
        self.writing(move |contents| {
            contents.definitions.entry(key).or_insert(text);
            Ok(())
        })
    }

    fn definition(
        &self,
        product: &ProductId,
        hash: ContentHash,
    ) -> Answer<'_, Result<Option<String>, StoreError>> {
        let key = (product.clone(), *hash.as_bytes());
        self.reading(move |contents| contents.definitions.get(&key).cloned())
    }

    fn secret(&self, name: &str, fresh: [u8; 32]) -> Answer<'_, Result<[u8; 32], StoreError>> {
        let name = name.to_owned();
        self.writing(move |contents| Ok(*contents.secrets.entry(name).or_insert(fresh)))
    }

    fn healthy(&self) -> bool {
        hold(&self.fault).is_none()
    }

    fn close(&self) -> Answer<'_, ()> {
        // Under the lock, so that no write of this handle ends after it is closed.
        let contents = hold(&self.contents);
        self.closed.store(true, Ordering::SeqCst);
        drop(contents);
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MemoryStore;
    use crate::conformance::StorePlace;
    use crate::port::{Answer, store::Store};

    struct Place(MemoryStore);

    impl StorePlace for Place {
        fn open(&self) -> Answer<'_, Arc<dyn Store>> {
            Box::pin(async { Arc::new(self.0.reopen()) as Arc<dyn Store> })
        }
    }

    crate::store_conformance!(|| Place(MemoryStore::default()));
}
