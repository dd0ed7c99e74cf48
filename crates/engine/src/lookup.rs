//! Looking up: a user, a user's timeline, a decision. Must not change anything.

use pilotage_domain::decide::Group;
use pilotage_domain::definition::{Definition, EventRole};
use pilotage_domain::event::{Event, Position};
use pilotage_domain::id::{DecisionId, ProductId, UserId};
use pilotage_domain::kin::Kin;
use pilotage_domain::profile::Profile;
use pilotage_domain::time::Timestamp;
use pilotage_wire::record::merge::{self, Carried, Named};
use pilotage_wire::record::{self, RecordError, decision::StoredDecision};
use thiserror::Error;

use crate::port::log::{AppendError, ReadError, RecordKind, Stored};
use crate::port::store::{RowId, StoreError, UserKey};
use crate::product::Product;
use crate::users::LoadError;
use crate::{Alone, Common, Engine, Seat};

/// Among how many of a user's newest records the last decisions are looked for.
const NEWEST: usize = 200;
/// How many last decisions a user view holds.
const LAST_DECISIONS: usize = 10;

/// Why nothing could be looked up.
#[derive(Debug, Error)]
pub enum LookupError {
    /// The log did not answer.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log could not be brought up to date.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A record is not what was written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<LoadError> for LookupError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Record(error) => Self::Record(error),
        }
    }
}

/// What is known of a user, at a moment.
#[derive(Debug, Clone)]
pub struct UserView {
    /// The definition that it is seen under.
    pub definition: Definition,
    /// The fold of the user's records.
    pub profile: Profile,
    /// With whom the user is one person.
    pub kin: Kin,
    /// The group that the user is in.
    pub group: Group,
    /// The moment.
    pub now: Timestamp,
    /// When the activation milestone was reached.
    pub activated_at: Option<Timestamp>,
    /// The newest decisions, newest first.
    pub decisions: Vec<StoredDecision>,
}

/// A part of a user's timeline.
#[derive(Debug, Clone)]
pub struct TimelinePage {
    /// In log order.
    pub items: Vec<(Position, TimelineItem)>,
    /// Where the next part begins: after this position; `None` at the end.
    pub next: Option<Position>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum TimelineItem {
    /// A fact of the product.
    Event(Box<Event>),
    /// A decision of ours.
    Decision(Box<StoredDecision>),
    /// What became of a decision.
    Outcome {
        /// What became of it.
        outcome: GuideOutcome,
        /// The decision.
        decision: DecisionId,
        /// The event that says so.
        event: Box<Event>,
    },
    /// This anonymous user was merged into a known one.
    Named {
        /// What was said.
        named: Box<Named>,
        /// When the server took it.
        received_at: Timestamp,
    },
    /// An anonymous user was merged into this one.
    Carried {
        /// What was known of the anonymous one.
        carried: Box<Carried>,
        /// When the server took it.
        received_at: Timestamp,
    },
}

/// What becomes of a guide that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuideOutcome {
    /// It was seen.
    Shown,
    /// Its call to action was used.
    Clicked,
    /// It was closed.
    Dismissed,
}

impl Engine {
    /// What is known of the user; `None` where there is no record of any kind.
    pub async fn user(
        &self,
        product: &ProductId,
        user: &UserId,
    ) -> Result<Option<UserView>, LookupError> {
        let Some(served) = self.common.products.get(product) else { return Ok(None) };
        let Some(found) = self.find(served, user).await? else { return Ok(None) };
        let newest = found.newest.len().saturating_sub(NEWEST);
        let records = self.common.journal.get(found.newest[newest..].to_vec()).await?;
        let decisions = records
            .iter()
            .rev()
            .filter(|record| record.kind == RecordKind::Decision)
            .take(LAST_DECISIONS)
            .map(|record| record::decision::decode(&record.body))
            .collect::<Result<_, _>>()?;
        let activation = &served.definition.milestones[served.definition.activation].id;
        Ok(Some(UserView {
            activated_at: found.profile.reached_at(activation),
            definition: served.definition.clone(),
            profile: found.profile,
            kin: found.kin,
            group: found.group,
            now: self.common.clock.now(),
            decisions,
        }))
    }

    /// At most `limit` of the user's records after a position; `None` where there is no record of any kind.
    pub async fn timeline(
        &self,
        product: &ProductId,
        user: &UserId,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Option<TimelinePage>, LookupError> {
        let Some(served) = self.common.products.get(product) else { return Ok(None) };
        let Some(found) = self.find(served, user).await? else { return Ok(None) };
        let mut positions = self.common.spilled(found.row).await?;
        // What was spilled while we looked stands in both.
        let last_spilled = positions.last().copied().unwrap_or_default();
        positions.extend(found.newest.into_iter().filter(|position| *position > last_spilled));
        positions.retain(|position| Some(*position) > after);
        let more = positions.len() > limit;
        positions.truncate(limit);
        let next = positions.last().copied().filter(|_| more);
        let records = self.common.journal.get(positions).await?;
        let items = records
            .iter()
            .map(|record| Ok((record.position, item_of(&served.definition, record)?)))
            .collect::<Result<_, RecordError>>()?;
        Ok(Some(TimelinePage { items, next }))
    }

    /// The decision with its trace; `None` where this product has none of that name.
    pub async fn decision(
        &self,
        product: &ProductId,
        id: DecisionId,
    ) -> Result<Option<StoredDecision>, LookupError> {
        let position = match &self.seat {
            Seat::Alone(alone) => alone.find_decision(id).await?,
            Seat::Cluster(cluster) => cluster.find_decision(id).await?,
        };
        let Some(position) = position else { return Ok(None) };
        let records = self.common.journal.get(vec![position]).await?;
        let ours = records.first().filter(|record| record.product == *product);
        Ok(ours.map(|record| record::decision::decode(&record.body)).transpose()?)
    }

    async fn find(&self, product: &Product, user: &UserId) -> Result<Option<Found>, LookupError> {
        let key = UserKey { product: product.definition.product.clone(), user: user.clone() };
        match &self.seat {
            Seat::Alone(alone) => alone.find(&key).await,
            Seat::Cluster(cluster) => cluster.find(product, &key).await,
        }
    }
}

/// A user as memory and store have it.
pub(crate) struct Found {
    pub(crate) profile: Profile,
    pub(crate) kin: Kin,
    pub(crate) group: Group,
    pub(crate) row: Option<RowId>,
    /// The places of the newest records.
    pub(crate) newest: Vec<Position>,
}

impl Alone {
    async fn find(&self, key: &UserKey) -> Result<Option<Found>, LookupError> {
        loop {
            let found = self.users.with(key, |user| Found {
                profile: user.profile().clone(),
                kin: user.record.kin.clone(),
                group: user.group,
                row: user.row,
                newest: user.unspilled(),
            });
            if let Some(found) = found {
                return Ok(Some(found).filter(|found| found.profile.applied > Position(0)));
            }
            let (store, products) = (&*self.common.store, &self.common.products);
            if !self.users.known(store, products, key).await? {
                return Ok(None);
            }
        }
    }

    async fn find_decision(&self, id: DecisionId) -> Result<Option<Position>, LookupError> {
        if let Some(position) = self.log.find_decision(id).await? {
            return Ok(Some(position));
        }
        // It may have been answered a moment ago and be on its way to the disk.
        self.log.barrier().await?;
        Ok(self.log.find_decision(id).await?)
    }
}

impl Common {
    async fn spilled(&self, row: Option<RowId>) -> Result<Vec<Position>, LookupError> {
        let Some(row) = row else { return Ok(Vec::new()) };
        let runs = self.store.spilled(row).await?;
        let mut positions = Vec::new();
        for (first, bytes) in runs {
            let (run, _) = record::user::decode_run(&bytes)
                .ok_or_else(|| RecordError::Malformed(format!("run of {}", first.0)))?;
            positions.extend(run);
        }
        Ok(positions)
    }
}

fn item_of(definition: &Definition, record: &Stored) -> Result<TimelineItem, RecordError> {
    let received_at = record.received_at;
    match record.kind {
        RecordKind::Event => event_item(definition, &record.body),
        RecordKind::Decision => {
            let decision = record::decision::decode(&record.body)?;
            Ok(TimelineItem::Decision(Box::new(decision)))
        }
        RecordKind::Named => {
            let named = Box::new(merge::decode_named(&record.body)?);
            Ok(TimelineItem::Named { named, received_at })
        }
        RecordKind::Carried => {
            let carried = Box::new(merge::decode_carried(&record.body)?);
            Ok(TimelineItem::Carried { carried, received_at })
        }
    }
}

fn event_item(definition: &Definition, body: &[u8]) -> Result<TimelineItem, RecordError> {
    let event = Box::new(record::event::decode(body)?);
    let named = event.payload.member("decisionId").and_then(|id| id.as_text());
    Ok(match (outcome_of(definition, &event), named.and_then(DecisionId::parse)) {
        (Some(outcome), Some(decision)) => TimelineItem::Outcome { outcome, decision, event },
        _ => TimelineItem::Event(event),
    })
}

/// What the event says of the decision that it names, where it names one.
pub(crate) fn outcome_of(definition: &Definition, event: &Event) -> Option<GuideOutcome> {
    let kind = definition.events.find(|known| known.name == event.kind)?;
    match (definition.events[kind].role, &*event.kind) {
        (EventRole::Shown, _) => Some(GuideOutcome::Shown),
        (EventRole::Clicked, _) | (_, "button_click") => Some(GuideOutcome::Clicked),
        (EventRole::Dismissed, _) | (_, "tooltip_dismiss") => Some(GuideOutcome::Dismissed),
        (EventRole::Fact, _) => None,
    }
}
