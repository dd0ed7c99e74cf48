//! Several processes over one shared log and store: profiles live in the store, whoever decides reads them there, and
//! the workers that fold share the log's partitions. Must not trust a notification: what has to be right is read or
//! reserved in the store.

mod cache;
mod decide;
mod look;
mod shift;
mod tell;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use pilotage_domain::event::Position;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::open::{self, OpenError, Options, ProductSource};
use crate::port::clock::{Clock, Entropy};
use crate::port::feed::{Feed, Shift};
use crate::port::log::Journal;
use crate::port::shared::Shared;
use crate::port::store::{Store, Watermark};
use crate::{Common, Engine, Readiness, Seat};

use cache::Cache;
use shift::Claims;

/// Makes a worker's feed; partitions come and go by way of the given handler.
pub type MakeFeed = Box<dyn FnOnce(Arc<dyn Shift>) -> Result<Box<dyn Feed>, String> + Send>;

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
    /// What this process's worker has taken over; empty where it is none.
    pub(crate) claims: Claims,
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
    listener: JoinHandle<()>,
}

impl Engine {
    /// Starts one process of several over a shared log and store.
    #[expect(clippy::disallowed_methods, reason = "one task, which `close` ends")]
    pub async fn join(parts: ClusterParts) -> Result<Self, OpenError> {
        let ClusterParts { journal, shared, feed, clock, entropy, products, options } = parts;
        let store: Arc<dyn Store> = shared.clone();
        let common = open::common(journal, store, (clock, entropy), products, options).await?;
        let common = Arc::new(common);
        same_folds(&common).await?;
        let cluster = Arc::new(Cluster {
            common: common.clone(),
            cache: Cache::default(),
            claims: Claims::new(shared.clone()),
            shared,
            state: Mutex::new(State::Running),
            background: Mutex::new(None),
        });
        let (stop, stopped) = watch::channel(false);
        let worker = feed.map(|feed| worker::spawn(cluster.clone(), feed, stopped.clone()));
        let listener = tokio::spawn({
            let cluster = cluster.clone();
            async move { cluster.listen(stopped).await }
        });
        let background = Background { stop, worker, listener };
        *cluster.background.lock().unwrap_or_else(PoisonError::into_inner) = Some(background);
        Ok(Self { common, seat: Seat::Cluster(cluster) })
    }
}

/// Profiles of another fold can't be read under this definition; and no process may forget them while others work.
async fn same_folds(common: &Common) -> Result<(), OpenError> {
    let kept = common.store.watermark().await?;
    let folds = common.products.folds();
    let changed = folds.iter().find(|(id, fold)| kept.folds.get(*id).is_some_and(|k| k != *fold));
    if let Some((product, _)) = changed {
        return Err(OpenError::FoldChanged { product: product.clone() });
    }
    if folds.keys().any(|id| !kept.folds.contains_key(id)) {
        let folds = kept.folds.into_iter().chain(folds).collect();
        let watermark = Some(Watermark { folds, ..kept });
        common.store.write(crate::port::store::Batch { users: Vec::new(), watermark }).await?;
    }
    Ok(())
}

impl Cluster {
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
        if let Some(Background { stop, worker, listener }) = taken {
            stop.send_replace(true);
            if let Some(worker) = worker
                && tokio::task::spawn_blocking(move || worker.join()).await.is_err()
            {
                warn!("the worker did not end in order");
            }
            listener.abort();
        }
        self.common.journal.close().await;
        self.shared.close().await;
    }

    /// Whether the stored profiles hold everything up to these positions, one of each partition.
    async fn holds(&self, ends: &[Position]) -> Result<bool, crate::LookupError> {
        use crate::port::feed::Partition;
        let applied = self.shared.applied().await?;
        Ok(ends.iter().all(|end| {
            let partition = Partition::of(*end);
            *end <= applied.get(&partition).copied().unwrap_or(partition.start())
        }))
    }

    /// Resolves once the profiles hold what is in the log now.
    pub(crate) async fn settled(&self) -> Result<(), crate::LookupError> {
        self.common.journal.barrier().await?;
        let ends = self.common.journal.ends().await?;
        while !self.holds(&ends).await? {
            tokio::time::sleep(decide::LOOK_AGAIN).await;
        }
        Ok(())
    }
}
