//! Deciding: wait for what the caller asks to wait for, let the domain decide, put the decision on record. Must not hold
//! a rule of its own, and must never wait for a model, a commit or a write-back.

use std::time::Duration;

use pilotage_domain::decide::{self, Decision, Outcome, Reason, Request, Surface, Trace};
use pilotage_domain::definition::Definition;
use pilotage_domain::group::group_of;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, EventId, ProductId, SessionId, UserId};
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::record::decision::{Circumstances, OutcomeName, StoredDecision, SurfaceBody};
use thiserror::Error;
use tracing::warn;

use crate::clock::ClockMode;
use crate::port::log::{Entry, EntryName, ReadError};
use crate::port::store::UserKey;
use crate::product::Product;
use crate::users::User;
use crate::{Engine, Inner, Readiness};

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
        let inner = &*self.0;
        let served = inner.products.get(product).ok_or(DecideError::UnknownProduct)?;
        if call.at.is_some() && inner.clock.mode() != ClockMode::Events {
            return Err(DecideError::NotTheEventClock);
        }
        let stale = match &call.after {
            Some(event) => !inner.await_event(product, &call, event).await,
            None => false,
        };
        let at = call.at.unwrap_or_else(|| inner.clock.now());
        let id = inner.fresh_decision_id(at);
        let key = UserKey { product: product.clone(), user: call.user.clone() };
        let decision = match inner.decide_in_memory(served, &key, &call, id, at).await {
            Some(decision) => decision,
            None => degraded(&served.definition, &call.user, id, at),
        };
        Ok(Decided { decision: inner.put_on_record(served, &key, call, decision, stale) })
    }
}

impl Inner {
    /// Whether the profile holds the event before the wait is over.
    async fn await_event(&self, product: &ProductId, call: &DecideCall, event: &EventId) -> bool {
        let wait = Duration::from_millis(call.wait.get().min(MAX_WAIT.get()));
        let found = async {
            loop {
                let end = self.log.end();
                if let Some(position) = self.log.find_event(product, &call.user, event).await? {
                    self.progress.reached(position).await;
                    return Ok::<(), ReadError>(());
                }
                self.log.grown_past(end).await;
            }
        };
        matches!(tokio::time::timeout(wait, found).await, Ok(Ok(())))
    }

    /// The domain's decision on the profile as it stands; `None` where the profile can't be had.
    async fn decide_in_memory(
        &self,
        product: &Product,
        key: &UserKey,
        call: &DecideCall,
        id: DecisionId,
        at: Timestamp,
    ) -> Option<Decision> {
        if matches!(self.progress.halted(), Some(Readiness::CutOff { .. })) || !self.log.healthy() {
            return None;
        }
        let call_user = |user: &mut User| self.choose(product, user, call, id, at);
        loop {
            if let Some(decision) = self.users.with(key, call_user) {
                return Some(decision);
            }
            if let Err(fault) = self.users.ensure(&*self.store, &self.products, [key.clone()]).await
            {
                warn!(error = %fault, "a profile could not be loaded for a decision");
                return None;
            }
        }
    }

    fn choose(
        &self,
        product: &Product,
        user: &mut User,
        call: &DecideCall,
        id: DecisionId,
        at: Timestamp,
    ) -> Decision {
        let paused = product.paused.load();
        let request = Request {
            id,
            user: &call.user,
            session: &call.session,
            at,
            surface: Surface {
                path: call.surface.path.as_deref(),
                app_version: call.surface.app_version.as_deref(),
                locale: call.surface.locale.as_deref(),
                components: call.surface.components.as_deref(),
            },
            paused: &paused,
            pending: &user.pending,
        };
        let decision = decide::decide(&product.definition, self.policy, user.profile(), &request);
        user.pending.extend(Offer::of(&decision, &call.session));
        decision
    }

    /// Hands the decision to the log. A decision that can't be put on record is not made: nothing is shown that can't
    /// be explained later.
    fn put_on_record(
        &self,
        product: &Product,
        key: &UserKey,
        call: DecideCall,
        decision: Decision,
        stale: bool,
    ) -> StoredDecision {
        let definition = &product.definition;
        let (id, at) = (decision.id, decision.at);
        let made = !matches!(decision.outcome, Outcome::Withhold { reason: Reason::Degraded, .. });
        let proof =
            decide::validation_hash(&self.validation_key, definition, &call.user, &decision);
        let of = Circumstances {
            product: definition.product.clone(),
            user: call.user,
            session: call.session,
            surface: call.surface,
            catalogue_version: definition.version,
            catalogue_hash: product.catalogue_hash.clone(),
            stale,
            validation_hash: Some(proof.to_string().into()),
        };
        let stored = StoredDecision::new(decision, of);
        if !made {
            return stored;
        }
        let entry = Entry {
            product: key.product.clone(),
            user: key.user.clone(),
            name: EntryName::Decision(id),
            received_at: at,
            body: stored.encode().into(),
        };
        let Err(fault) = self.log.enqueue(entry) else { return stored };
        warn!(error = %fault, "a decision could not be put on record and was withheld");
        self.users.with(key, |user| user.pending.retain(|offer| offer.decision != id));
        StoredDecision {
            outcome: OutcomeName::Withhold,
            reason: Some(Reason::Degraded),
            guide: None,
            propensity: None,
            expires_at: None,
            validation_hash: None,
            trace: Trace::default(),
            ..stored
        }
    }

    /// 48 bits of the moment, so that newer decisions have greater ids, and 80 random bits, so that none can be guessed.
    fn fresh_decision_id(&self, at: Timestamp) -> DecisionId {
        let moment = u128::from(u64::try_from(at.as_millis()).unwrap_or(0)) << 80;
        DecisionId::from_bits(moment | (self.entropy.bits() >> 48))
    }
}

/// Nothing is shown, because a part that a decision needs is away. Such a decision is not put on record.
fn degraded(definition: &Definition, user: &UserId, id: DecisionId, at: Timestamp) -> Decision {
    Decision {
        id,
        at,
        outcome: Outcome::Withhold { reason: Reason::Degraded, propensity: None },
        group: group_of(definition, user),
        policy: "none",
        explore: false,
        signature: ContentHash::from_bytes([0; 32]),
        trace: Trace::default(),
    }
}
