//! Deciding on a profile that others fold and on limits that others use up: read, decide, reserve; where the user has
//! changed meanwhile, read again. Must not show a guide that is not reserved.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::decide::Decision;
use pilotage_domain::id::EventId;
use pilotage_domain::profile::contact::{OFFER_LIFE, Offer};
use pilotage_wire::record::user::UserRecord;
use pilotage_wire::record::{offer, user};
use tracing::warn;

use super::Cluster;
use super::cache::Read;
use crate::decide::Asked;
use crate::port::log::EntryName;
use crate::port::shared::{Dated, Day, RecordName, Reservation, Reserved, SharedUser, user_mark};
use crate::port::store::{StoreError, UserKey};
use crate::product::Product;
use crate::users::{LoadError, group_in};

/// How often a user who keeps changing is read again before nothing is shown.
const ATTEMPTS: usize = 5;
/// How long to wait for what no notification may tell.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Cluster {
    /// Resolves once the profile holds the event: its name is stored together with its effect.
    pub(crate) async fn holds_event(
        &self,
        key: &UserKey,
        event: &EventId,
    ) -> Result<(), StoreError> {
        let name = RecordName { key: key.clone(), name: EntryName::Event(event.clone()) };
        // One of its name that was received long ago is another event.
        let name = Dated { name, day: Day::of(self.common.clock.now()) };
        let mut changes = self.shared.changes();
        while self.shared.positions(vec![name.clone()]).await? == [None] {
            // Whatever comes, looking again is right; a lost notification costs one pause.
            let _ = tokio::time::timeout(LOOK_AGAIN, changes.recv()).await;
        }
        Ok(())
    }

    /// The domain's decision; `None` where the profile can't be had or is out of date, or nothing could be reserved.
    pub(crate) async fn decide(&self, asked: &Asked<'_>) -> Option<Decision> {
        if !self.common.journal.healthy() || self.behind.is_far() {
            return None;
        }
        for _ in 0..ATTEMPTS {
            match self.attempt(asked).await {
                Ok(Some(decision)) => return Some(decision),
                Ok(None) => self.cache.forget(&[user_mark(asked.key)]),
                Err(fault) => {
                    warn!(error = %fault, "a decision could not be made");
                    return None;
                }
            }
        }
        warn!("a user changed with every attempt to decide");
        None
    }

    /// One attempt; `None` where the user has changed since it was read.
    async fn attempt(&self, asked: &Asked<'_>) -> Result<Option<Decision>, LoadError> {
        let read = match asked.call.after {
            None => self.read(asked.product, asked.key).await?,
            // It is to hold what somebody else may have read without.
            Some(_) => self.read_anew(asked.product, asked.key).await?,
        };
        let decision = self.common.choose(asked, (&read.profile, &read.kin), &read.pending);
        let Some(offer) = Offer::of(&decision, &asked.call.session) else {
            return Ok(Some(decision));
        };
        let reservation = Reservation {
            key: asked.key.clone(),
            seen_applied: read.profile.applied,
            seen_reservations: read.reservations,
            decision: asked.id,
            offer: offer::encode(&offer).into(),
            until: asked.at + OFFER_LIFE,
        };
        let reserved = self.shared.reserve(reservation).await?;
        self.cache.forget(&[user_mark(asked.key)]);
        Ok((reserved == Reserved::Held).then_some(decision))
    }

    /// Gives up what was reserved for a decision that was not made after all; else it lapses by itself.
    pub(crate) async fn take_back(&self, asked: &Asked<'_>) {
        self.cache.forget(&[user_mark(asked.key)]);
        if let Err(fault) = self.shared.release(asked.key, asked.id).await {
            warn!(error = %fault, "a reservation could not be given up and will lapse");
        }
    }

    /// Takes note of the event clock as other processes moved it. Where that fails, so will the decision.
    pub(crate) async fn see_clock(&self, product: &Product, key: &UserKey) {
        let _ = self.read_anew(product, key).await;
    }

    /// The user as it was read not long ago, or is now.
    pub(super) async fn read(
        &self,
        product: &Product,
        key: &UserKey,
    ) -> Result<Arc<Read>, LoadError> {
        match self.cache.get(key) {
            Some(read) => Ok(read),
            None => self.read_anew(product, key).await,
        }
    }

    /// The user as it is now.
    pub(super) async fn read_anew(
        &self,
        product: &Product,
        key: &UserKey,
    ) -> Result<Arc<Read>, LoadError> {
        let since = self.cache.age();
        let now = self.common.clock.now();
        let SharedUser { stored, reservations, reserved, newest_event } =
            self.shared.shared_user(key, now).await?;
        if let Some(newest) = newest_event {
            self.common.clock.saw(newest);
        }
        let offers = reserved.iter().map(|(_, body)| offer::decode(body));
        let pending = offers.collect::<Result<_, _>>()?;
        let row = stored.as_ref().map(|stored| stored.row);
        let record = stored.map(|stored| user::decode(&stored.body)).transpose()?;
        let record = record.unwrap_or_default();
        let group = group_in(&product.definition, &record, &key.user);
        let UserRecord { profile, run: newest, kin, .. } = record;
        let key = key.clone();
        let read = Arc::new(Read { key, group, profile, kin, row, newest, pending, reservations });
        self.cache.put(since, read.clone());
        Ok(read)
    }
}
