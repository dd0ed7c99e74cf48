//! What several processes agree on, over the pool. Must not let an outdated claim write.

mod claim;
mod fold;
mod names;
mod reserve;

use std::collections::BTreeMap;
use std::time::Instant;

use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::Answer;
use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::shared::{
    Change, Claim, FoldError, Folded, RecordName, Reservation, Reserved, Shared, SharedUser,
};
use pilotage_engine::port::store::{RowId, StoreError, UserKey};
use tokio::sync::broadcast;

use super::PostgresStore;

impl Shared for PostgresStore {
    fn claim(&self, partitions: Vec<Partition>) -> Answer<'_, Result<Vec<Claim>, StoreError>> {
        Box::pin(async move {
            let claim = async |client: &_| claim::claim(client, &partitions).await;
            Ok(self.pool.write(claim).await?)
        })
    }

    /// Where the connection is lost while the transaction is committed, `Unavailable` leaves open whether it was stored:
    /// a new claim of the partition says so.
    fn fold(&self, folded: Folded) -> Answer<'_, Result<Vec<RowId>, FoldError>> {
        Box::pin(async move {
            let started = Instant::now();
            let rows = self.pool.transact(async |work| fold::fold(work, &folded).await).await?;
            self.commits.note(started.elapsed(), rows.len());
            Ok(rows)
        })
    }

    fn positions(
        &self,
        names: Vec<RecordName>,
    ) -> Answer<'_, Result<Vec<Option<Position>>, StoreError>> {
        Box::pin(async move {
            let find = async |client: &_| names::positions(client, &names).await;
            Ok(self.pool.read(find).await?)
        })
    }

    fn decision(&self, id: DecisionId) -> Answer<'_, Result<Option<Position>, StoreError>> {
        Box::pin(async move {
            Ok(self.pool.read(async |client| names::decision(client, id).await).await?)
        })
    }

    fn shared_user(
        &self,
        key: &UserKey,
        now: Timestamp,
    ) -> Answer<'_, Result<SharedUser, StoreError>> {
        let key = key.clone();
        Box::pin(async move {
            self.moment.note(now.as_millis());
            let read = async |client: &_| reserve::shared_user(client, &key, now).await;
            Ok(self.pool.read(read).await?)
        })
    }

    fn reserve(&self, reservation: Reservation) -> Answer<'_, Result<Reserved, StoreError>> {
        Box::pin(async move {
            let lapsed = self.moment.lapsed_before();
            let reserve = async |client: &_| reserve::reserve(client, &reservation, lapsed).await;
            Ok(self.pool.write(reserve).await?)
        })
    }

    fn release(&self, key: &UserKey, decision: DecisionId) -> Answer<'_, Result<(), StoreError>> {
        let key = key.clone();
        Box::pin(async move {
            let release = async |client: &_| reserve::release(client, &key, decision).await;
            Ok(self.pool.write(release).await?)
        })
    }

    fn applied(&self) -> Answer<'_, Result<BTreeMap<Partition, Position>, StoreError>> {
        Box::pin(async { Ok(self.pool.read(async |client| claim::applied(client).await).await?) })
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}
