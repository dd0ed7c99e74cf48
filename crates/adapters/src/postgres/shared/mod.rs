//! What several processes agree on, over the pool. Must not let an outdated claim write.

mod agree;
mod claim;
mod fold;
mod learning;
mod names;
mod reserve;

use std::collections::BTreeMap;

use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, ProductId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::Answer;
use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::shared::{
    Added, Change, Claim, Dated, FoldError, Folded, Reservation, Reserved, Shared, SharedUser, Sum,
    Teaching,
};
use pilotage_engine::port::store::{RowId, StoreError, UserKey};
use tokio::sync::broadcast;

use super::PostgresStore;
use super::store::answer;

impl Shared for PostgresStore {
    fn claim(&self, partitions: Vec<Partition>) -> Answer<'_, Result<Vec<Claim>, StoreError>> {
        answer(
            self.pool
                .write(partitions, |client, partitions| Box::pin(claim::claim(client, partitions))),
        )
    }

    /// Where the connection is lost while the transaction is committed, `Unavailable` leaves open whether it was stored:
    /// a new claim of the partition says so.
    fn fold(&self, folded: Folded) -> Answer<'_, Result<Vec<RowId>, FoldError>> {
        answer(self.measured(folded, |work, folded| Box::pin(fold::fold(work, folded))))
    }

    fn agree(
        &self,
        folds: BTreeMap<ProductId, ContentHash>,
    ) -> Answer<'_, Result<BTreeMap<ProductId, ContentHash>, StoreError>> {
        answer(self.pool.write(folds, |client, folds| Box::pin(agree::agree(client, folds))))
    }

    fn positions(
        &self,
        names: Vec<Dated>,
    ) -> Answer<'_, Result<Vec<Option<Position>>, StoreError>> {
        answer(self.pool.read(names, |client, names| Box::pin(names::positions(client, names))))
    }

    fn decision(&self, id: DecisionId) -> Answer<'_, Result<Option<Position>, StoreError>> {
        answer(self.pool.read(id, |client, id| Box::pin(names::decision(client, *id))))
    }

    fn shared_user(
        &self,
        key: &UserKey,
        now: Timestamp,
    ) -> Answer<'_, Result<SharedUser, StoreError>> {
        self.moment.note(now.as_millis());
        let asked = (key.clone(), now);
        answer(
            self.pool.read(asked, |client, (key, now)| {
                Box::pin(reserve::shared_user(client, key, *now))
            }),
        )
    }

    fn reserve(&self, reservation: Reservation) -> Answer<'_, Result<Reserved, StoreError>> {
        let asked = (reservation, self.moment.lapsed_before());
        answer(self.pool.write(asked, |client, (reservation, lapsed_before)| {
            Box::pin(reserve::reserve(client, reservation, *lapsed_before))
        }))
    }

    fn release(&self, key: &UserKey, decision: DecisionId) -> Answer<'_, Result<(), StoreError>> {
        let asked = (key.clone(), decision);
        answer(self.pool.write(asked, |client, (key, decision)| {
            Box::pin(reserve::release(client, key, *decision))
        }))
    }

    fn applied(&self) -> Answer<'_, Result<BTreeMap<Partition, Position>, StoreError>> {
        answer(self.pool.read((), |client, ()| Box::pin(claim::applied(client))))
    }

    fn teaching(&self, most: usize) -> Answer<'_, Result<Teaching, StoreError>> {
        answer(self.pool.transact(most, |work, most| Box::pin(learning::teaching(work, *most))))
    }

    /// Where the connection is lost while the transaction is committed, `Unavailable` leaves open whether it was stored:
    /// the turn says so.
    fn add_up(&self, sum: Sum) -> Answer<'_, Result<Added, StoreError>> {
        answer(self.pool.transact(sum, |work, sum| Box::pin(learning::add_up(work, sum))))
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}
