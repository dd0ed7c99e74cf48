//! Several processes over one shared log and store: profiles live in the store, whoever decides reads them there, and
//! the workers that fold share the log's partitions. Must not trust a notification: what has to be right is read or
//! reserved in the store.

mod behind;
mod cache;
mod decide;
mod followed;
mod handoff;
mod import;
mod learn;
mod look;
mod rebuild;
mod shift;
mod tell;
mod worker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::warn;

use crate::advise::{self, Role};
use crate::figures::Folding;
use crate::lookup::LookupError;
use crate::open::{self, OpenError, Options, ProductSource};
use crate::port::clock::{Clock, Entropy};
use crate::port::feed::{Feed, Partition, Shift};
use crate::port::log::Journal;
use crate::port::shared::{Claim, Shared};
use crate::port::store::{Store, StoreError};
use crate::{Common, Engine, Readiness, Seat};

use behind::Behind;
use cache::Cache;
use followed::Followed;
use shift::Claims;

pub use import::{MoveError, Moved, Stage};

/// How long whoever asks for figures waits for the log.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes a worker's feed; partitions come and go by way of the given handler.
pub type MakeFeed = Arc<dyn Fn(Arc<dyn Shift>) -> Result<Box<dyn Feed>, String> + Send + Sync>;

/// What one process of several is put together from.
pub struct ClusterParts {
    /// The log, for writing.
    pub journal: Arc<dyn Journal>,
    /// The store.
    pub shared: Arc<dyn Shared>,
    /// The log, for folding; `None` where this process is no worker.
    pub feed: Option<MakeFeed>,
    /// The machine's time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The products; the first is the default. Every process of an installation is given the same.
    pub products: Vec<ProductSource>,
    /// The rest.
    pub options: Options,
}

/// One process of several.
pub(crate) struct Cluster {
    pub(crate) common: Arc<Common>,
    pub(crate) shared: Arc<dyn Shared>,
    cache: Cache,
    behind: Behind,
    /// What this process's worker has taken over; empty where it is none.
    pub(crate) claims: Claims,
    followed: Mutex<Followed>,
    /// How many records that follow from folded ones were too large for the log.
    dropped: AtomicU64,
    state: Mutex<State>,
    background: Mutex<Option<Background>>,
}

enum State {
    Running,
    Draining,
    Halted(String),
}

/// What runs beside requests.
struct Background {
    stop: watch::Sender<bool>,
    worker: Option<thread::JoinHandle<()>>,
    learner: Option<JoinHandle<()>>,
    listener: JoinHandle<()>,
    advisors: JoinSet<()>,
}

impl Engine {
    /// Starts one process of several over a shared log and store.
    #[expect(clippy::disallowed_methods, reason = "two tasks, which `close` ends")]
    pub async fn join(parts: ClusterParts) -> Result<Self, OpenError> {
        // From before anything is read, so that no change falls between the reading and the hearing.
        let changes = parts.shared.changes();
        let (cluster, feed) = Cluster::assemble(parts).await?;
        cluster.accept_folds().await?;
        cluster.common.take_over_learnt().await?;
        let (stop, stopped) = watch::channel(false);
        let learner = feed.is_some().then(|| {
            let (cluster, stopped) = (cluster.clone(), stopped.clone());
            tokio::spawn(async move { cluster.keep_learning(stopped).await })
        });
        let worker = feed.map(|feed| worker::spawn(cluster.clone(), &feed, stopped.clone()));
        let listener = tokio::spawn({
            let cluster = cluster.clone();
            async move {
                tokio::select! {
                    () = cluster.listen(changes, stopped) => {}
                    () = cluster.watch_folding() => {}
                }
            }
        });
        let role = if worker.is_some() { Role::Asks } else { Role::Hears };
        let advisors = advise::spawn(&cluster.common, role);
        let background = Background { stop, worker, learner, listener, advisors };
        *cluster.background.lock().unwrap_or_else(PoisonError::into_inner) = Some(background);
        Ok(Self { common: cluster.common.clone(), seat: Seat::Cluster(cluster) })
    }
}

impl Cluster {
    /// A process that nothing drives yet, and what makes its feed.
    async fn assemble(parts: ClusterParts) -> Result<(Arc<Self>, Option<MakeFeed>), OpenError> {
        let ClusterParts { journal, shared, feed, clock, entropy, products, options } = parts;
        let store: Arc<dyn Store> = shared.clone();
        let common = open::common(journal, store, (clock, entropy), products, options).await?;
        // The event clock goes on from where the workers have brought it.
        shared.teaching(0).await?.newest_event.into_iter().for_each(|at| common.clock.saw(at));
        let cluster = Self {
            common: Arc::new(common),
            cache: Cache::default(),
            behind: Behind::default(),
            claims: Claims::new(shared.clone()),
            shared,
            followed: Mutex::default(),
            dropped: AtomicU64::new(0),
            state: Mutex::new(State::Running),
            background: Mutex::new(None),
        };
        Ok((Arc::new(cluster), feed))
    }

    /// The first product of which the store holds what was folded under another definition.
    async fn misfit(&self) -> Result<Option<ProductId>, StoreError> {
        let products = &self.common.products;
        let kept = self.shared.watermark().await?;
        let folds = products.folds();
        let other = |(id, fold): &(&ProductId, &ContentHash)| {
            kept.folds.get(*id).is_some_and(|kept| kept != *fold)
        };
        match folds.iter().find(other) {
            Some((id, _)) => Ok(Some(id.clone())),
            None => crate::learn::misfit(&*self.common.store, products).await,
        }
    }

    /// Profiles of another fold can't be read under this definition, and no process may forget them while others work.
    async fn accept_folds(&self) -> Result<(), OpenError> {
        if let Some(product) = self.misfit().await? {
            return Err(OpenError::FoldChanged { product });
        }
        // Another process may begin with another definition at this very moment: the store says whose counts.
        let ours = self.common.products.folds();
        let agreed = self.shared.agree(ours.clone()).await?;
        if let Some((product, _)) = ours.into_iter().find(|(id, ours)| agreed.get(id) != Some(ours))
        {
            return Err(OpenError::FoldChanged { product });
        }
        self.begin_learning().await?;
        match crate::learn::misfit(&*self.common.store, &self.common.products).await? {
            Some(product) => Err(OpenError::FoldChanged { product }),
            None => Ok(()),
        }
    }

    pub(crate) fn readiness(&self) -> Readiness {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Draining => return Readiness::Draining,
            State::Halted(what) => return Readiness::CutOff { what: what.clone() },
            State::Running => {}
        }
        let parts =
            [(self.common.journal.healthy(), "the log"), (self.shared.healthy(), "the store")];
        match parts.iter().find(|(healthy, _)| !healthy) {
            Some((_, part)) => Readiness::CutOff { what: format!("{part} can't be written") },
            None => Readiness::Ready,
        }
    }

    fn enter(&self, next: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    pub(crate) async fn close(&self) {
        self.enter(State::Draining);
        if let Err(fault) = self.common.journal.barrier().await {
            warn!(error = %fault, "the log could not be brought to its end at shutdown");
        }
        let taken = self.background.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Background { stop, worker, learner, listener, mut advisors }) = taken {
            advisors.shutdown().await;
            stop.send_replace(true);
            if let Some(worker) = worker
                && !matches!(tokio::task::spawn_blocking(move || worker.join()).await, Ok(Ok(())))
            {
                warn!("the worker did not end in order");
            }
            if let Some(learner) = learner
                && learner.await.is_err()
            {
                warn!("the task that learns did not end in order");
            }
            listener.abort();
        }
        self.common.journal.close().await;
        self.shared.close().await;
    }

    /// Whether the stored profiles hold everything up to these positions, one of each partition.
    async fn holds(&self, ends: &[Position]) -> Result<bool, LookupError> {
        let applied = self.shared.applied().await?;
        Ok(ends.iter().all(|end| {
            let partition = Partition::of(*end);
            *end <= applied.get(&partition).copied().unwrap_or(partition.start())
        }))
    }

    /// Resolves once the profiles hold what is in the log now, and what follows from it.
    pub(crate) async fn settled(&self) -> Result<(), LookupError> {
        self.common.journal.barrier().await?;
        let mut changes = self.shared.changes();
        // What follows from folded records stands in the log, and nothing follows from that.
        for _ in 0..2 {
            let ends = self.common.journal.ends().await?;
            while !self.holds(&ends).await? {
                // Whatever comes, looking again is right; a lost notification costs one pause.
                let _ = tokio::time::timeout(decide::LOOK_AGAIN, changes.recv()).await;
            }
        }
        Ok(())
    }

    /// What this process's worker folds, and how far behind the log it is.
    pub(crate) async fn folding(&self) -> Folding {
        let held = self.claims.all();
        let lag = if held.is_empty() {
            Some(0)
        } else {
            tokio::time::timeout(PATIENCE, self.lag(&held)).await.ok().flatten()
        };
        let dropped = self.dropped.load(Ordering::Relaxed);
        Folding { partitions: held.len(), lag, dropped }
    }

    async fn lag(&self, held: &[Claim]) -> Option<u64> {
        let ends = self.common.journal.ends().await.ok()?;
        let end_of = |claim: &Claim| {
            ends.iter().find(|end| Partition::of(**end) == claim.partition).copied()
        };
        let behind = |claim: &Claim| Some(end_of(claim)?.0.saturating_sub(claim.applied.0));
        held.iter().map(behind).sum()
    }
}
