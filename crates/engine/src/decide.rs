//! Deciding: wait for what the caller asks to wait for, let the domain decide, put the decision on record. Must not hold
//! a rule of its own, and must never wait for a model, a commit or a write-back.

use std::time::Duration;

use pilotage_domain::decide::{
    self, Chooser, Counsel, Decision, Outcome, Reason, Request, Surface, Trace,
};
use pilotage_domain::group::group_of;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, EventId, ProductId, SessionId, UserId};
use pilotage_domain::kin::Kin;
use pilotage_domain::policy::Policy;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::record::decision::{Circumstances, OutcomeName, StoredDecision, SurfaceBody};
use pilotage_wire::record::user::UserRecord;
use thiserror::Error;
use tracing::warn;

use crate::advise::Hearing;
use crate::clock::ClockMode;
use crate::port::log::{AppendError, Entry, EntryName, ReadError};
use crate::port::store::UserKey;
use crate::product::Product;
use crate::users::User;
use crate::{Alone, Common, Engine, Readiness, Seat};

/// The longest that a decision waits for an event.
pub const MAX_WAIT: Millis = Millis::new(1_000);

/// What a caller asks.
#[derive(Debug, Clone)]
pub struct DecideCall {
    /// For whom.
    pub user: UserId,
    /// In which visit.
    pub session: SessionId,
    /// The caller's surroundings.
    pub surface: SurfaceBody,
    /// Wait until the profile holds this event.
    pub after: Option<EventId>,
    /// For how long at the most; `MAX_WAIT` caps it.
    pub wait: Millis,
    /// The moment, under the event clock alone.
    pub at: Option<Timestamp>,
}

/// Why nothing was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecideError {
    /// The product is not served here.
    #[error("the product is not served here")]
    UnknownProduct,
    /// `at` was given under the system clock.
    #[error("`at` is for the event clock alone")]
    NotTheEventClock,
}

/// A decision, as it is on record.
#[derive(Debug, Clone)]
pub struct Decided {
    /// All of it.
    pub decision: StoredDecision,
}

impl Engine {
    /// Decides what the user is shown now. Where a needed part is away the answer is to withhold, as `degraded`.
    pub async fn decide(
        &self,
        product: &ProductId,
        call: DecideCall,
    ) -> Result<Decided, DecideError> {
        let common = &*self.common;
        let served = common.products.get(product).ok_or(DecideError::UnknownProduct)?;
        if call.at.is_some() && common.clock.mode() != ClockMode::Events {
            return Err(DecideError::NotTheEventClock);
        }
        let key = UserKey { product: product.clone(), user: call.user.clone() };
        let stale = match &call.after {
            Some(event) => !self.await_event(&key, &call, event).await,
            None => false,
        };
        if let (Seat::Cluster(cluster), ClockMode::Events) = (&self.seat, common.clock.mode()) {
            cluster.see_clock(served, &key).await;
        }
        let at = call.at.unwrap_or_else(|| common.clock.now());
        let id = common.fresh_decision_id(at);
        let asked = Asked { product: served, key: &key, call: &call, id, at };
        let decision = match &self.seat {
            Seat::Alone(alone) => alone.decide(&asked).await,
            Seat::Cluster(cluster) => cluster.decide(&asked).await,
        };
        let made = decision.is_some();
        let decision = decision.unwrap_or_else(|| degraded(&asked));
        let stored = common.record_of(&asked, decision, stale);
        if !made {
            return Ok(Decided { decision: stored });
        }
        // A decision that can't be put on record is not made: nothing is shown that can't be explained later.
        let Err(fault) = common.put_on_record(&asked, &stored) else {
            return Ok(Decided { decision: stored });
        };
        warn!(error = %fault, "a decision could not be put on record and was withheld");
        match &self.seat {
            Seat::Alone(alone) => alone.take_back(&asked),
            Seat::Cluster(cluster) => cluster.take_back(&asked).await,
        }
        Ok(Decided { decision: withheld(stored) })
    }

    /// Whether the profile holds the event before the wait is over.
    async fn await_event(&self, key: &UserKey, call: &DecideCall, event: &EventId) -> bool {
        let wait = Duration::from_millis(call.wait.get().min(MAX_WAIT.get()));
        let held = async {
            match &self.seat {
                Seat::Alone(alone) => alone.holds_event(key, event).await.is_ok(),
                Seat::Cluster(cluster) => cluster.holds_event(key, event).await.is_ok(),
            }
        };
        tokio::time::timeout(wait, held).await.unwrap_or(false)
    }
}

/// What is decided: for whom, on which question, under which name, for which moment.
pub(crate) struct Asked<'a> {
    pub(crate) product: &'a Product,
    pub(crate) key: &'a UserKey,
    pub(crate) call: &'a DecideCall,
    pub(crate) id: DecisionId,
    pub(crate) at: Timestamp,
}

impl Alone {
    /// Resolves once the profile holds the event.
    async fn holds_event(&self, key: &UserKey, event: &EventId) -> Result<(), ReadError> {
        loop {
            let end = self.log.end();
            if let Some(position) = self.log.find_event(&key.product, &key.user, event).await? {
                self.progress.reached(position).await;
                return Ok(());
            }
            self.log.grown_past(end).await;
        }
    }

    /// The domain's decision on the profile as it stands; `None` where the profile can't be had.
    async fn decide(&self, asked: &Asked<'_>) -> Option<Decision> {
        if matches!(self.progress.halted(), Some(Readiness::CutOff { .. })) || !self.log.healthy() {
            return None;
        }
        let choose = |user: &mut User| {
            let UserRecord { profile, kin, .. } = &user.record;
            let decision = self.common.choose(asked, (profile, kin), &user.pending);
            user.pending.extend(Offer::of(&decision, &asked.call.session));
            decision
        };
        loop {
            if let Some(decision) = self.users.with(asked.key, choose) {
                return Some(decision);
            }
            let (store, products) = (&*self.common.store, &self.common.products);
            if let Err(fault) = self.users.ensure(store, products, [asked.key.clone()]).await {
                warn!(error = %fault, "a profile could not be loaded for a decision");
                return None;
            }
        }
    }

    fn take_back(&self, asked: &Asked<'_>) {
        self.users.with(asked.key, |user| user.pending.retain(|o| o.decision != asked.id));
    }
}

impl Common {
    pub(crate) fn choose(
        &self,
        asked: &Asked<'_>,
        (profile, kin): (&Profile, &Kin),
        pending: &[Offer],
    ) -> Decision {
        let Asked { product, call, .. } = asked;
        let paused = product.paused.load();
        let request = Request {
            id: asked.id,
            user: &call.user,
            session: &call.session,
            at: asked.at,
            surface: Surface {
                path: call.surface.path.as_deref(),
                app_version: call.surface.app_version.as_deref(),
                locale: call.surface.locale.as_deref(),
                components: call.surface.components.as_deref(),
            },
            paused: &paused,
            pending,
            kin,
        };
        let definition = &product.definition;
        let beliefs = (self.policy == Policy::Learner).then(|| product.learning.beliefs());
        let beliefs = beliefs.as_ref().and_then(|beliefs| beliefs.as_deref());
        let hearing =
            self.advisor.as_ref().map(|advisor| Hearing { advisor, product, paused: &paused });
        let counsel = hearing.as_ref().map(|hearing| hearing as &dyn Counsel);
        let chooser = Chooser { policy: self.policy, beliefs, counsel };
        decide::decide(definition, chooser, profile, &request)
    }

    fn record_of(&self, asked: &Asked<'_>, decision: Decision, stale: bool) -> StoredDecision {
        let Asked { product, call, .. } = asked;
        let definition = &product.definition;
        let proof =
            decide::validation_hash(&self.validation_key, definition, &call.user, &decision);
        let of = Circumstances {
            product: definition.product.clone(),
            user: call.user.clone(),
            session: call.session.clone(),
            surface: call.surface.clone(),
            catalogue_version: definition.version,
            catalogue_hash: product.catalogue_hash.clone(),
            stale,
            validation_hash: Some(proof.to_string().into()),
        };
        StoredDecision::new(decision, of)
    }

    /// Hands the decision to the log.
    fn put_on_record(&self, asked: &Asked<'_>, stored: &StoredDecision) -> Result<(), AppendError> {
        self.journal.enqueue(Entry {
            product: asked.key.product.clone(),
            user: asked.key.user.clone(),
            name: EntryName::Decision(asked.id),
            received_at: asked.at,
            body: stored.encode().into(),
            event: None,
        })
    }

    /// 48 bits of the moment, so that newer decisions have greater ids, and 80 random bits, so that none can be guessed.
    fn fresh_decision_id(&self, at: Timestamp) -> DecisionId {
        let moment = u128::from(u64::try_from(at.as_millis()).unwrap_or(0)) << 80;
        DecisionId::from_bits(moment | (self.entropy.bits() >> 48))
    }
}

/// The answer where a decision was made and could not be put on record.
fn withheld(stored: StoredDecision) -> StoredDecision {
    StoredDecision {
        outcome: OutcomeName::Withhold,
        reason: Some(Reason::Degraded),
        guide: None,
        propensity: None,
        expires_at: None,
        validation_hash: None,
        trace: Trace::default(),
        weighing: None,
        ..stored
    }
}

/// Nothing is shown, because a part that a decision needs is away. Such a decision is not put on record.
fn degraded(asked: &Asked<'_>) -> Decision {
    Decision {
        id: asked.id,
        at: asked.at,
        outcome: Outcome::Withhold { reason: Reason::Degraded, propensity: None },
        group: group_of(&asked.product.definition, &asked.call.user),
        policy: "none",
        explore: false,
        signature: ContentHash::from_bytes([0; 32]),
        trace: Trace::default(),
        weighing: None,
    }
}
