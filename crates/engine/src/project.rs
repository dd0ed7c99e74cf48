//! Folding the log into profiles, in order, as it grows. Must not answer a request or write to the log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pilotage_domain::event::{Event, Position};
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::{self, FoldOutcome};
use pilotage_wire::record;
use thiserror::Error;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::Inner;
use crate::port::log::{ReadError, RecordKind, Stored};
use crate::port::store::UserKey;
use crate::product::Product;
use crate::report::Counted;
use crate::users::{LoadError, User};

/// How many bytes of the log are folded at a time.
const STEP_BYTES: usize = 1 << 20;
/// How long to wait before trying again what may succeed by itself.
const RETRY: Duration = Duration::from_millis(200);

/// How far the profiles stand, and whether the engine can be relied on.
pub(crate) struct Progress {
    applied: watch::Sender<Position>,
    /// Ready once the profiles stand here.
    catch_up: Position,
    state: Mutex<State>,
}

enum State {
    Running,
    Draining,
    Halted(String),
}

/// Whether the engine can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Profiles are being brought up to the log's end.
    Starting {
        /// The last record folded.
        applied: Position,
        /// The record to reach.
        of: Position,
    },
    /// It is shutting down.
    Draining,
    /// A needed part is away or damaged.
    CutOff {
        /// What is wrong.
        what: String,
    },
}

impl Progress {
    pub(crate) fn new(applied: Position, catch_up: Position) -> Self {
        let (applied, _) = watch::channel(applied);
        Self { applied, catch_up, state: Mutex::new(State::Running) }
    }

    /// The last record that is in the profiles.
    pub(crate) fn applied(&self) -> Position {
        *self.applied.borrow()
    }

    /// Resolves once the profiles hold the record at `position`.
    pub(crate) async fn reached(&self, position: Position) {
        let mut applied = self.applied.subscribe();
        // The sender lives as long as `self`: waiting can't fail.
        let _ = applied.wait_for(|now| *now >= position).await;
    }

    /// Resolves once the profiles hold what was in the log at the start.
    pub(crate) async fn caught_up(&self) {
        self.reached(self.catch_up).await;
    }

    pub(crate) fn set(&self, position: Position) {
        self.applied.send_replace(position);
    }

    pub(crate) fn drain(&self) {
        self.enter(State::Draining);
    }

    fn enter(&self, next: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// Why nothing is folded any more, where that is so.
    pub(crate) fn halted(&self) -> Option<Readiness> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Running => None,
            State::Draining => Some(Readiness::Draining),
            State::Halted(what) => Some(Readiness::CutOff { what: what.clone() }),
        }
    }
}

/// Why folding stopped.
#[derive(Debug, Error)]
pub(crate) enum ProjectError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the log's record {} can't be read: {error}", position.0)]
    Record { position: Position, error: record::RecordError },
}

impl ProjectError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Read(ReadError::Unavailable(_)) => true,
            Self::Load(LoadError::Store(error)) => error.is_retryable(),
            _ => false,
        }
    }
}

/// A record, decoded.
enum Fact {
    Event(Event),
    Decision(Option<Offer>, pilotage_domain::id::DecisionId),
}

impl crate::Engine {
    /// The last record of the log that is in the profiles.
    pub fn applied(&self) -> Position {
        self.0.progress.applied()
    }

    /// Whether the engine can serve.
    pub fn readiness(&self) -> Readiness {
        let inner = &*self.0;
        if let Some(state) = inner.progress.halted() {
            return state;
        }
        let (applied, of) = (inner.progress.applied(), inner.progress.catch_up);
        if applied < of {
            return Readiness::Starting { applied, of };
        }
        let parts = [(inner.log.healthy(), "the log"), (inner.store.healthy(), "the store")];
        match parts.iter().find(|(healthy, _)| !healthy) {
            Some((_, part)) => Readiness::CutOff { what: format!("{part} can't be written") },
            None => Readiness::Ready,
        }
    }
}

impl Inner {
    /// Folds the log for ever, as it grows; ends when a fault needs a person.
    pub(crate) async fn project(&self) {
        loop {
            match self.project_step().await {
                Ok(0) => self.wait_for_more().await,
                Ok(_) => {}
                Err(fault) if fault.is_retryable() => {
                    warn!(error = %fault, "folding waits for a part to come back");
                    tokio::time::sleep(RETRY).await;
                }
                Err(fault) => {
                    error!(error = %fault, "folding has stopped");
                    self.progress.enter(State::Halted(fault.to_string()));
                    return;
                }
            }
        }
    }

    async fn wait_for_more(&self) {
        tokio::select! {
            () = self.log.grown_past(self.progress.applied()) => {}
            () = self.users.crowded.notified() => self.users.make_room(),
        }
    }

    /// Lets users go; where too many are not stored yet, stores them first: memory stays bounded whatever the rate.
    async fn make_room(&self) -> Result<(), LoadError> {
        self.users.make_room();
        if self.users.is_crowded() {
            self.write_back().await?;
            self.users.make_room();
        }
        Ok(())
    }

    /// Folds the next records of the log; how many there were.
    pub(crate) async fn project_step(&self) -> Result<usize, ProjectError> {
        let records = self.log.read(self.progress.applied(), STEP_BYTES).await?;
        let Some(last) = records.last().map(|record| record.position) else { return Ok(0) };
        let served = |record: &&Stored| self.products.get(&record.product).is_some();
        let keys = records.iter().filter(served).map(key_of);
        self.users.ensure(&*self.store, &self.products, keys).await?;
        for record in &records {
            self.project_one(record).await?;
        }
        self.progress.set(last);
        self.make_room().await?;
        Ok(records.len())
    }

    /// Folds one record. Records of products that are not served here wait for the day that they are.
    async fn project_one(&self, record: &Stored) -> Result<(), ProjectError> {
        let Some(product) = self.products.get(&record.product) else { return Ok(()) };
        let fact = decode(record)?;
        if let Fact::Event(event) = &fact {
            self.clock.saw(event.at);
        }
        let key = key_of(record);
        let mut fact = Some(fact);
        loop {
            let folded = self.users.with(&key, |user| {
                if let Some(fact) = fact.take() {
                    self.fold(product, user, fact, record.position);
                }
            });
            if folded.is_some() {
                return Ok(());
            }
            self.users.ensure(&*self.store, &self.products, [key.clone()]).await?;
        }
    }

    fn fold(&self, product: &Product, user: &mut User, fact: Fact, at: Position) {
        let definition = &product.definition;
        match fact {
            Fact::Event(event) => {
                let before = Counted::of(user.profile(), definition);
                let folded = fold::fold_event(&mut user.record.profile, definition, &event, at);
                if folded.outcome == FoldOutcome::New {
                    user.note_place(at);
                }
                let after = Counted::of(user.profile(), definition);
                self.counts.moved(&definition.product, user.group, before, after);
            }
            Fact::Decision(offer, id) => {
                let folded = fold::fold_decision(&mut user.record.profile, offer, at);
                if folded == FoldOutcome::New {
                    user.note_place(at);
                }
                user.pending.retain(|offer| offer.decision != id);
            }
        }
    }
}

fn key_of(record: &Stored) -> UserKey {
    UserKey { product: record.product.clone(), user: record.user.clone() }
}

fn decode(record: &Stored) -> Result<Fact, ProjectError> {
    let fault = |error| ProjectError::Record { position: record.position, error };
    match record.kind {
        RecordKind::Event => record::event::decode(&record.body).map(Fact::Event).map_err(fault),
        RecordKind::Decision => {
            let fact = record::decision::decode_fact(&record.body).map_err(fault)?;
            let id = fact.decision_id;
            Ok(Fact::Decision(offer_of(fact), id))
        }
    }
}

fn offer_of(fact: record::decision::DecisionFact) -> Option<Offer> {
    let guide = fact.guide?;
    let arm = (guide.id, guide.variant);
    Some(Offer::new(fact.decision_id, arm, guide.milestone, &fact.session_id, fact.at))
}
