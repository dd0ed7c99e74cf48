//! What several processes agree on beside the profiles, in memory. Must not differ from the contract in anything but
//! durability.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, ProductId};
use pilotage_domain::time::Timestamp;
use tokio::sync::broadcast;

use super::store::Contents;
use super::{Fault, MemoryStore, hold};
use crate::port::Answer;
use crate::port::feed::Partition;
use crate::port::log::EntryName;
use crate::port::shared::{
    Added, Addend, Change, Claim, Dated, Day, FoldError, Folded, RecordName, Reservation, Reserved,
    Shared, SharedUser, Sum, Teaching, user_mark,
};
use crate::port::store::{Batch, LearntPart, RowId, StoreError, UserKey};

/// The store in memory, as several processes share it: each has a handle of its own (`reopen`).
pub type MemoryShared = MemoryStore;

/// What is agreed on.
#[derive(Debug, Default)]
pub(super) struct Agreed {
    partitions: BTreeMap<Partition, Taken>,
    names: BTreeMap<RecordName, (Day, Position)>,
    decisions: BTreeMap<DecisionId, Position>,
    reserved: BTreeMap<UserKey, UserReserved>,
    addends: BTreeMap<u64, (ProductId, Bytes)>,
    /// The number of the last addend.
    last_addend: u64,
    turn: u64,
    /// A fold that nobody waited for long enough.
    late: Option<Folded>,
}

/// A partition that was claimed once at least.
#[derive(Debug)]
struct Taken {
    epoch: u64,
    applied: Position,
    newest_event: Option<Timestamp>,
}

/// What is reserved for a user, by decision, with the end of each; and how often something was.
#[derive(Debug, Default)]
struct UserReserved {
    count: u64,
    held: BTreeMap<DecisionId, (Bytes, Timestamp)>,
}

impl Agreed {
    /// What a `reset` does to it.
    pub(super) fn forget(&mut self) {
        self.names.clear();
        self.decisions.clear();
        self.addends.clear();
        self.turn += 1;
        for (partition, taken) in &mut self.partitions {
            let epoch = taken.epoch + 1;
            *taken = Taken { epoch, applied: partition.start(), newest_event: None };
        }
    }

    fn claim(&mut self, partition: Partition) -> Claim {
        let unclaimed = Taken { epoch: 0, applied: partition.start(), newest_event: None };
        let taken = self.partitions.entry(partition).or_insert(unclaimed);
        taken.epoch += 1;
        Claim { partition, epoch: taken.epoch, applied: taken.applied }
    }

    /// Whether the claim is in force and goes forward.
    fn check_claim(&self, claim: &Claim) -> Result<(), FoldError> {
        let partition = claim.partition;
        let taken = self.partitions.get(&partition).filter(|taken| taken.epoch == claim.epoch);
        let taken = taken.ok_or(FoldError::Fenced { partition })?;
        if claim.applied < taken.applied {
            return Err(damaged(format!("partition {} would go back", partition.0)));
        }
        Ok(())
    }

    fn position(&self, Dated { name, day }: &Dated) -> Option<Position> {
        match name.name {
            EntryName::Decision(id) => self.decisions.get(&id).copied(),
            _ => {
                let first = self.names.get(name).filter(|(first, _)| first.knows(*day));
                first.map(|(_, position)| *position)
            }
        }
    }

    /// Whether none is known, and none is among them twice.
    fn check_names(&self, names: &[(Dated, Position)]) -> Result<(), FoldError> {
        let mut told = BTreeSet::new();
        for (dated, _) in names {
            let once = match &dated.name.name {
                EntryName::Decision(id) => told.insert((None, Some(id))),
                _ => told.insert((Some(&dated.name), None)),
            };
            if !once || self.position(dated).is_some() {
                return Err(damaged("a record's name is known already".to_owned()));
            }
        }
        Ok(())
    }

    fn note(&mut self, Dated { name, day }: Dated, position: Position) {
        match name.name {
            EntryName::Decision(id) => drop(self.decisions.insert(id, position)),
            _ => drop(self.names.insert(name, (day, position))),
        }
    }

    fn newest_event(&self) -> Option<Timestamp> {
        self.partitions.values().filter_map(|taken| taken.newest_event).max()
    }

    fn applied(&self) -> BTreeMap<Partition, Position> {
        self.partitions.iter().map(|(partition, taken)| (*partition, taken.applied)).collect()
    }

    fn release(&mut self, key: &UserKey, decision: DecisionId) {
        if let Some(user) = self.reserved.get_mut(key) {
            user.held.remove(&decision);
        }
    }
}

fn damaged(what: String) -> FoldError {
    FoldError::Store(StoreError::Damaged(what))
}

impl Contents {
    fn fold(&mut self, folded: Folded) -> Result<Vec<RowId>, FoldError> {
        if let Some(late) = self.agreed.late.take() {
            self.fold(late)?;
        }
        let Folded { claims, users, names, settled, newest_event, wanted, addends } = folded;
        claims.iter().try_for_each(|claim| self.agreed.check_claim(claim))?;
        self.agreed.check_names(&names)?;
        let rows = self.folded.write(Batch { users, ..Batch::default() })?;
        self.kept.want(wanted);
        for (name, position) in names {
            self.agreed.note(name, position);
        }
        for (key, decision) in settled {
            self.agreed.release(&key, decision);
        }
        for addend in addends {
            self.agreed.last_addend += 1;
            self.agreed.addends.insert(self.agreed.last_addend, addend);
        }
        for claim in claims {
            if let Some(taken) = self.agreed.partitions.get_mut(&claim.partition) {
                taken.applied = claim.applied;
                taken.newest_event = taken.newest_event.max(newest_event);
            }
        }
        Ok(rows)
    }

    fn shared_user(&self, key: &UserKey, now: Timestamp) -> SharedUser {
        let reserved = self.agreed.reserved.get(key);
        let held = reserved.into_iter().flat_map(|reserved| &reserved.held);
        SharedUser {
            stored: self.folded.user(key).0.cloned(),
            reservations: reserved.map_or(0, |reserved| reserved.count),
            reserved: held
                .filter(|(_, (_, until))| *until > now)
                .map(|(decision, (offer, _))| (*decision, offer.clone()))
                .collect(),
            newest_event: self.agreed.newest_event(),
        }
    }

    fn teaching(&self, most: usize) -> Teaching {
        let Agreed { addends, turn, .. } = &self.agreed;
        let addend = |(id, (product, body)): (&u64, &(ProductId, Bytes))| Addend {
            id: *id,
            product: product.clone(),
            body: body.clone(),
        };
        Teaching {
            turn: *turn,
            learnt: self.folded.learnt(),
            addends: addends.iter().take(most).map(addend).collect(),
            has_more: addends.len() > most,
            applied: self.agreed.applied(),
            newest_event: self.agreed.newest_event(),
        }
    }

    fn add_up(&mut self, sum: Sum) -> Result<Added, StoreError> {
        let Sum { seen, addends, learnt } = sum;
        if seen != self.agreed.turn {
            return Ok(Added::Changed);
        }
        self.folded.write(Batch { learnt, ..Batch::default() })?;
        self.agreed.turn += 1;
        addends.iter().for_each(|id| drop(self.agreed.addends.remove(id)));
        Ok(Added::Kept)
    }

    fn reserve(&mut self, reservation: Reservation) -> Reserved {
        let Reservation { key, decision, offer, until, .. } = reservation;
        let unchanged = self.folded.user(&key).1 == reservation.seen_applied;
        let reserved = self.agreed.reserved.entry(key).or_default();
        if !unchanged || reserved.count != reservation.seen_reservations {
            return Reserved::Changed;
        }
        reserved.count += 1;
        reserved.held.insert(decision, (offer, until));
        Reserved::Held
    }
}

impl Shared for MemoryStore {
    fn claim(&self, partitions: Vec<Partition>) -> Answer<'_, Result<Vec<Claim>, StoreError>> {
        self.writing(|contents| {
            let claim = |partition| contents.agreed.claim(partition);
            Ok(partitions.into_iter().map(claim).collect())
        })
    }

    fn fold(&self, folded: Folded) -> Answer<'_, Result<Vec<RowId>, FoldError>> {
        Box::pin(async {
            if hold(&self.fault).take_if(|fault| *fault == Fault::Late).is_some() {
                hold(&self.contents).agreed.late = Some(folded);
                return Err(StoreError::Unavailable("it takes too long".to_owned()).into());
            }
            let marks = folded.users.iter().map(|user| user_mark(&user.key)).collect();
            let rows = self.writing(|contents| Ok(contents.fold(folded))).await??;
            self.tell(Change::Users(marks));
            Ok(rows)
        })
    }

    fn agree(
        &self,
        folds: BTreeMap<ProductId, ContentHash>,
    ) -> Answer<'_, Result<BTreeMap<ProductId, ContentHash>, StoreError>> {
        self.writing(|contents| Ok(contents.folded.agree(folds)))
    }

    fn positions(
        &self,
        names: Vec<Dated>,
    ) -> Answer<'_, Result<Vec<Option<Position>>, StoreError>> {
        self.reading(move |contents| {
            names.iter().map(|name| contents.agreed.position(name)).collect()
        })
    }

    fn decision(&self, id: DecisionId) -> Answer<'_, Result<Option<Position>, StoreError>> {
        self.reading(move |contents| contents.agreed.decisions.get(&id).copied())
    }

    fn shared_user(
        &self,
        key: &UserKey,
        now: Timestamp,
    ) -> Answer<'_, Result<SharedUser, StoreError>> {
        let key = key.clone();
        self.reading(move |contents| contents.shared_user(&key, now))
    }

    fn reserve(&self, reservation: Reservation) -> Answer<'_, Result<Reserved, StoreError>> {
        self.writing(|contents| Ok(contents.reserve(reservation)))
    }

    fn release(&self, key: &UserKey, decision: DecisionId) -> Answer<'_, Result<(), StoreError>> {
        let key = key.clone();
        self.writing(move |contents| {
            contents.agreed.release(&key, decision);
            Ok(())
        })
    }

    fn applied(&self) -> Answer<'_, Result<BTreeMap<Partition, Position>, StoreError>> {
        self.reading(|contents| contents.agreed.applied())
    }

    fn teaching(&self, most: usize) -> Answer<'_, Result<Teaching, StoreError>> {
        self.reading(move |contents| contents.teaching(most))
    }

    fn add_up(&self, sum: Sum) -> Answer<'_, Result<Added, StoreError>> {
        Box::pin(async {
            let is_news = sum.learnt.iter().any(|learnt| learnt.part == LearntPart::Published);
            let added = self.writing(|contents| contents.add_up(sum)).await?;
            if added == Added::Kept && is_news {
                self.tell(Change::Learnt);
            }
            Ok(added)
        })
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MemoryShared;
    use crate::conformance::SharedPlace;
    use crate::port::{Answer, shared::Shared};

    struct Place(MemoryShared);

    impl SharedPlace for Place {
        fn open(&self) -> Answer<'_, Arc<dyn Shared>> {
            Box::pin(async { Arc::new(self.0.reopen()) as Arc<dyn Shared> })
        }
    }

    crate::shared_conformance!(|| Place(MemoryShared::default()));
}
