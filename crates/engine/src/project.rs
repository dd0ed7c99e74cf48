//! Folding the log into profiles, in order, as it grows. Must not answer a request or write to the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_wire::record::RecordError;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, warn};

use crate::fold::{self, Done, Fact};
use crate::port::log::{AppendError, Entry, ReadError, Stored};
use crate::product::Product;
use crate::users::{LoadError, User};
use crate::{Alone, Seat};

/// How many bytes of the log are folded at a time.
const STEP_BYTES: usize = 4 << 20;
/// How long records gather before they are folded, where nobody waits for them: folding each commit at once would cost
/// more in changes of threads than in folding.
const GATHER: Duration = Duration::from_millis(2);
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

    /// Whether the profiles do not hold yet what was in the log at the start.
    pub(crate) fn is_starting(&self) -> bool {
        self.applied() < self.catch_up
    }

    /// Whether somebody waits for a record.
    fn is_awaited(&self) -> bool {
        self.applied.receiver_count() > 0
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

/// While it lives, each commit is folded at once: for whoever asks right after telling, again and again.
#[derive(Debug)]
pub struct Hurry(
    #[expect(dead_code, reason = "that it is there is what counts")]
    Option<watch::Receiver<Position>>,
);

/// Records that are read and decoded, to be folded next.
struct Step {
    records: Vec<Decoded>,
    /// Whether it holds so many that the log is likely to hold more.
    is_full: bool,
}

/// A record and what it says; `None` where its product is not served here.
type Decoded = (Stored, Option<Result<Fact, RecordError>>);

/// The step after the one that is folded, while it is prepared; empty where the log's end is near.
type Ahead = JoinSet<Result<Step, ProjectError>>;

impl Step {
    fn last(&self) -> Option<Position> {
        self.records.last().map(|(record, _)| record.position)
    }
}

/// Why folding stopped.
#[derive(Debug, Error)]
pub(crate) enum ProjectError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("the log's record {} can't be read: {error}", position.0)]
    Record { position: Position, error: RecordError },
}

impl ProjectError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Read(ReadError::Unavailable(_)) => true,
            Self::Load(LoadError::Store(error)) => error.is_retryable(),
            Self::Append(error) => error.is_retryable(),
            _ => false,
        }
    }
}

impl crate::Engine {
    /// Whether the engine can serve.
    pub fn readiness(&self) -> Readiness {
        match &self.seat {
            Seat::Alone(alone) => alone.readiness(),
            Seat::Cluster(cluster) => cluster.readiness(),
        }
    }
}

impl crate::Engine {
    /// Asks for every commit to be folded at once.
    pub fn hurry(&self) -> Hurry {
        match &self.seat {
            Seat::Alone(alone) => Hurry(Some(alone.progress.applied.subscribe())),
            Seat::Cluster(_) => Hurry(None),
        }
    }
}

impl Alone {
    fn readiness(&self) -> Readiness {
        if let Some(state) = self.progress.halted() {
            return state;
        }
        let (applied, of) = (self.progress.applied(), self.progress.catch_up);
        if applied < of {
            return Readiness::Starting { applied, of };
        }
        let parts = [(self.log.healthy(), "the log"), (self.common.store.healthy(), "the store")];
        match parts.iter().find(|(healthy, _)| !healthy) {
            Some((_, part)) => Readiness::CutOff { what: format!("{part} can't be written") },
            None => Readiness::Ready,
        }
    }

    /// Folds the log for ever, as it grows; ends when a fault needs a person.
    pub(crate) async fn project(self: &Arc<Self>) {
        let mut ahead = Ahead::new();
        loop {
            match self.project_next(&mut ahead).await {
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

    /// Folds the next records of the log, and has those that follow prepared meanwhile where there are many; how many
    /// were folded.
    async fn project_next(self: &Arc<Self>, ahead: &mut Ahead) -> Result<usize, ProjectError> {
        let step = match ahead.join_next().await {
            Some(Ok(prepared)) => prepared?,
            // What made the other task panic does so here, where it ends the projector.
            Some(Err(_)) | None => self.next_step(self.progress.applied()).await?,
        };
        if let Some(last) = step.last().filter(|_| step.is_full) {
            ahead.spawn(Arc::clone(self).prepare(last));
        }
        // Where folding fails, this step comes again, and not the one after it.
        self.fold_step(step).await.inspect_err(|_| *ahead = Ahead::new())
    }

    async fn wait_for_more(&self) {
        tokio::select! {
            () = self.log.grown_past(self.progress.applied()) => {}
            () = self.users.crowded.notified() => self.users.make_room(),
        }
        if !self.progress.is_awaited() {
            tokio::time::sleep(GATHER).await;
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
        let step = self.next_step(self.progress.applied()).await?;
        self.fold_step(step).await
    }

    /// The records after `after`, decoded.
    async fn next_step(&self, after: Position) -> Result<Step, ProjectError> {
        let records = self.log.read(after, STEP_BYTES).await?;
        let bytes: usize = records.iter().map(|record| record.body.len()).sum();
        let decoded = |record: Stored| {
            let product = self.common.products.get(&record.product);
            let fact = product.map(|product| fold::decode(&record, &product.heeded));
            (record, fact)
        };
        let records = records.into_iter().map(decoded).collect();
        Ok(Step { records, is_full: bytes > STEP_BYTES / 2 })
    }

    /// The records after `after`, decoded, and everyone whom they are about brought into memory.
    async fn prepare(self: Arc<Self>, after: Position) -> Result<Step, ProjectError> {
        let step = self.next_step(after).await?;
        self.load_users_of(&step.records).await?;
        Ok(step)
    }

    async fn fold_step(&self, step: Step) -> Result<usize, ProjectError> {
        let Some(last) = step.last() else { return Ok(0) };
        let mut due = self.due(last);
        let mut rest = &step.records[..];
        while let Some((next, later)) = rest.split_first() {
            // Positions may have gaps: what is due is published before anything beyond it is folded.
            if let Some(at) = due.take_if(|at| next.0.position > *at) {
                self.publish(at);
            }
            if self.project_one(next)? {
                rest = later;
            } else {
                self.load_users_of(rest).await?;
            }
        }
        due.into_iter().for_each(|at| self.publish(at));
        self.append_sequels(last).await?;
        self.progress.set(last);
        self.make_room().await?;
        Ok(step.records.len())
    }

    /// Puts what follows from folded records on record, where the log does not bring it itself.
    async fn append_sequels(&self, last: Position) -> Result<(), AppendError> {
        let due = self.sequels.due(last);
        if due.is_empty() {
            return Ok(());
        }
        let (from, entries): (Vec<Position>, Vec<Entry>) = due.into_iter().unzip();
        self.log.append(entries).await?;
        self.sequels.appended(from.into_iter());
        Ok(())
    }

    /// Brings everyone into memory whom these records are about.
    async fn load_users_of(&self, records: &[Decoded]) -> Result<(), LoadError> {
        let keys = records.iter().filter(|(_, fact)| fact.is_some()).map(|(r, _)| fold::key_of(r));
        self.users.ensure(&*self.common.store, &self.common.products, keys).await
    }

    /// Folds one record, where its user is in memory; whether that is done. Records of products that are not served here
    /// wait for the day that they are.
    fn project_one(&self, (record, fact): &Decoded) -> Result<bool, ProjectError> {
        let Some(product) = self.common.products.get(&record.product) else { return Ok(true) };
        let fact = match fact {
            Some(Ok(fact)) => fact,
            Some(Err(error)) => {
                return Err(ProjectError::Record {
                    position: record.position,
                    error: error.clone(),
                });
            }
            None => return Ok(true),
        };
        if let Fact::Event(event) = fact {
            self.common.clock.saw(event.at);
            self.pace.saw(event.at);
        }
        let fold = |user: &mut User| self.fold(product, user, record, fact);
        let Some(is_own) = self.users.with(&fold::key_of(record), fold) else { return Ok(false) };
        if !self.sequels.is_empty() {
            self.sequels.brought(fold::key_of(record), fact.name());
        }
        // Once: a record whose user is not in memory comes again, and one that is another user's by now is told of that one.
        if is_own && let Some(advisor) = &self.common.advisor {
            advisor.watch(product, record, fact);
        }
        Ok(true)
    }

    /// Folds the record; whether it is the user's own still.
    fn fold(&self, product: &Product, user: &mut User, record: &Stored, fact: &Fact) -> bool {
        let Done { revision, sequel } = fold::apply(product, user, record, fact);
        if let Some(revision) = revision {
            product.learning.revise(&revision);
        }
        if let Some(sequel) = sequel {
            self.sequels.note(record.position, sequel);
        }
        if let Some((before, after)) = user.recount(&product.definition) {
            self.counts.moved(product, before.as_ref(), after.as_ref());
        }
        if let Fact::Decision(id, ..) = fact {
            user.pending.retain(|offer| offer.decision != *id);
        }
        !user.record.kin.is_merged()
    }
}
