//! Starting and stopping: check what is stored against the definitions, bring profiles up to the log, keep them there.
//! Must refuse to start on what does not fit together.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pilotage_domain::definition::Definition;
use pilotage_domain::event::Position;
use pilotage_domain::id::ProductId;
use pilotage_domain::policy::Policy;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::advise::{self, Advisor, BookError, Role, Setup};
use crate::clock::{ClockMode, EngineClock};
use crate::figures::Passes;
use crate::ingest::Namings;
use crate::learn::{self, Pace};
use crate::port::clock::{Clock, Entropy};
use crate::port::log::{Journal, Log};
use crate::port::store::{Store, StoreError, Watermark};
use crate::product::Products;
use crate::project::Progress;
use crate::report::{self, Counts};
use crate::sequel::Sequels;
use crate::sweep::Sweep;
use crate::users::Users;
use crate::{Alone, Common, Engine, Seat};

/// A definition and the text that it was read from, which is kept by its hash.
#[derive(Debug, Clone)]
pub struct ProductSource {
    /// Checked.
    pub definition: Definition,
    /// As it was given.
    pub text: String,
}

/// What an engine is put together from.
pub struct Parts {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The machine's time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The products; the first is the default.
    pub products: Vec<ProductSource>,
    /// The rest.
    pub options: Options,
}

/// How an engine works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who chooses for guided users.
    pub policy: Policy,
    /// Which clock is in force.
    pub clock: ClockMode,
    /// About how many bytes of users are kept in memory.
    pub users_bytes: usize,
    /// How long changed profiles gather before they are written back.
    pub write_back_every: Duration,
    /// Whom to ask what to show, where anybody is asked.
    pub advisor: Option<Arc<Setup>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::Static,
            clock: ClockMode::System,
            users_bytes: 512 << 20,
            write_back_every: Duration::from_secs(5),
            advisor: None,
        }
    }
}

/// Why an engine did not start.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is nothing to serve.
    #[error("no product is given")]
    NoProduct,
    /// Two definitions of one product.
    #[error("product `{0}` is given twice")]
    DoubledProduct(ProductId),
    /// Profiles of other products are stored, and none of those that are given.
    #[error(
        "it holds {}, and nothing of {}: give the definition of both (--product again and again), or another folder \
         (--data)",
        listed(kept),
        listed(given)
    )]
    OtherProducts {
        /// Whose profiles are stored.
        kept: Vec<ProductId>,
        /// The products that are given.
        given: Vec<ProductId>,
    },
    /// The store stands for records that the log does not have.
    #[error(
        "the profiles stand for the log up to record {}, but the log ends at {}: the two are not of one installation, \
         or the log was cut",
        store.0, log.0
    )]
    StoreAheadOfLog {
        /// How far the store stands.
        store: Position,
        /// Where the log ends.
        log: Position,
    },
    /// A shared store holds profiles of another fold.
    #[error(
        "the stored profiles of product `{product}` were folded under another definition: stop every process of this \
         installation and run `pilotage rebuild` once with the new one"
    )]
    FoldChanged {
        /// Whose.
        product: ProductId,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is kept of models can't be read.
    #[error("{0}")]
    Book(String),
}

impl From<BookError> for OpenError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Store(error) => Self::Store(error),
            page @ BookError::Page { .. } => Self::Book(page.to_string()),
        }
    }
}

impl Engine {
    /// Starts an engine. It resolves before the profiles are up to date: `readiness` says when they are.
    #[expect(clippy::disallowed_methods, reason = "one task, which `close` ends")]
    pub async fn open(parts: Parts) -> Result<Self, OpenError> {
        let alone = Arc::new(Alone::assemble(parts).await?);
        let (stop, stopped) = watch::channel(false);
        let projector = spawn_projector(Arc::clone(&alone), stopped);
        let writer = tokio::spawn({
            let alone = Arc::clone(&alone);
            async move { alone.keep_writing_back().await }
        });
        let advisors = advise::spawn(&alone.common, Role::Asks);
        let background = Background { stop, projector: Some(projector), writer, advisors };
        *alone.background.lock().unwrap_or_else(PoisonError::into_inner) = Some(background);
        Ok(Self { common: alone.common.clone(), seat: Seat::Alone(alone) })
    }

    /// Resolves once the profiles hold what was in the log at the start.
    pub async fn caught_up(&self) {
        if let Seat::Alone(alone) = &self.seat {
            alone.progress.caught_up().await;
        }
    }

    /// Stops: what was queued becomes durable, what is durable is folded, what is folded is written back.
    pub async fn close(&self) {
        match &self.seat {
            Seat::Alone(alone) => alone.close().await,
            Seat::Cluster(cluster) => cluster.close().await,
        }
    }
}

/// What runs beside requests.
pub(crate) struct Background {
    stop: watch::Sender<bool>,
    projector: Option<thread::JoinHandle<()>>,
    writer: JoinHandle<()>,
    advisors: JoinSet<()>,
}

impl Background {
    /// Lets the projector reach the log's end (unless it has halted, or waits for a log that can't be written), then ends both.
    async fn finish(mut self, inner: &Alone, end: Position) {
        self.advisors.shutdown().await;
        if let Some(projector) = self.projector.take() {
            let goes_on = || !projector.is_finished() && inner.log.healthy();
            while inner.progress.applied() < end && goes_on() {
                let step = Duration::from_millis(20);
                let _ = tokio::time::timeout(step, inner.progress.reached(end)).await;
            }
            self.stop.send_replace(true);
            let joined = tokio::task::spawn_blocking(move || projector.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                warn!("the projector did not end in order");
            }
        }
        self.writer.abort();
    }
}

/// The projector has a thread of its own: folding a large step must not hold up a worker that serves requests.
fn spawn_projector(
    inner: Arc<Alone>,
    mut stopped: watch::Receiver<bool>,
) -> thread::JoinHandle<()> {
    let runtime = Handle::current();
    let run = move || {
        runtime.block_on(async {
            tokio::select! {
                () = inner.project() => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        });
    };
    thread::Builder::new()
        .name("project".to_owned())
        .spawn(run)
        .expect("the system can start one more thread at startup")
}

/// What every use case works on.
pub(crate) async fn common(
    journal: Arc<dyn Journal>,
    store: Arc<dyn Store>,
    (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    products: Vec<ProductSource>,
    options: Options,
) -> Result<Common, OpenError> {
    check_products(&products)?;
    keep_definitions(&*store, &products).await?;
    let definitions = products.into_iter().map(|product| product.definition).collect();
    let products = Products::new(definitions, store.paused().await?);
    let watermark = store.watermark().await?;
    report::note_milestones(&*store, &products, &watermark).await?;
    let newest = watermark.newest_event;
    let seed = [entropy.bits().to_be_bytes(), entropy.bits().to_be_bytes()].concat();
    let fresh = pilotage_domain::hash::ContentHash::of_bytes(&seed);
    let advisor = match &options.advisor {
        None => None,
        Some(setup) => {
            let (store, clock, entropy) =
                (Arc::clone(&store), Arc::clone(&clock), Arc::clone(&entropy));
            let advisor = Advisor::new(Arc::clone(setup), store, clock, entropy);
            advisor.configure(&products).await?;
            Some(Arc::new(advisor))
        }
    };
    Ok(Common {
        advisor,
        validation_key: store.secret("validation", *fresh.as_bytes()).await?,
        clock: EngineClock::new(options.clock, clock, newest),
        policy: options.policy,
        spent: Mutex::default(),
        namings: Namings::default(),
        journal,
        store,
        entropy,
        products,
        options,
    })
}

impl Alone {
    /// An engine that nothing drives yet.
    pub(crate) async fn assemble(parts: Parts) -> Result<Self, OpenError> {
        let Parts { log, store, clock, entropy, products, options } = parts;
        check_owners(&*store, &products).await?;
        let common = common(log.clone(), store, (clock, entropy), products, options).await?;
        let watermark = starting_point(&*common.store, &*log, &common.products).await?;
        let counts = Counts::default();
        for (id, product) in common.products.all() {
            counts.start_from(id, common.store.cohorts(id, &product.grid).await?);
        }
        let alone = Self {
            users: Users::new(common.options.users_bytes),
            progress: Progress::new(watermark.position, log.end()),
            sequels: Sequels::new(log.end()),
            pace: Pace::new(&watermark, &*log),
            log,
            counts,
            sweep: tokio::sync::Mutex::new(Sweep::new(watermark.position)),
            passes: Passes::from(watermark.position),
            background: Mutex::new(None),
            common: Arc::new(common),
        };
        alone.common.take_over_learnt().await?;
        Ok(alone)
    }

    async fn close(&self) {
        self.progress.drain();
        if let Err(fault) = self.log.barrier().await {
            warn!(error = %fault, "the log could not be brought to its end at shutdown");
        }
        let end = self.log.end();
        let taken = self.background.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(background) = taken {
            background.finish(self, end).await;
        }
        if let Err(fault) = self.write_back().await {
            warn!(error = %fault, "profiles could not be written back at shutdown; the next start folds them again");
        }
        self.log.close().await;
        self.common.store.close().await;
    }
}

fn check_products(products: &[ProductSource]) -> Result<(), OpenError> {
    let mut seen = std::collections::BTreeSet::new();
    for source in products {
        if !seen.insert(&source.definition.product) {
            return Err(OpenError::DoubledProduct(source.definition.product.clone()));
        }
    }
    if seen.is_empty() { Err(OpenError::NoProduct) } else { Ok(()) }
}

/// Another product's profiles are not forgotten for a slip of the hand: who means it gives both, or another place.
async fn check_owners(store: &dyn Store, products: &[ProductSource]) -> Result<(), OpenError> {
    let kept = store.watermark().await?.folds;
    let given = products.iter().map(|source| source.definition.product.clone());
    let given: Vec<ProductId> = given.collect();
    if kept.is_empty() || given.is_empty() || given.iter().any(|id| kept.contains_key(id)) {
        return Ok(());
    }
    Err(OpenError::OtherProducts { kept: kept.into_keys().collect(), given })
}

fn listed(products: &[ProductId]) -> String {
    let named: Vec<String> = products.iter().map(|id| format!("product `{id}`")).collect();
    named.join(" and ")
}

async fn keep_definitions(store: &dyn Store, products: &[ProductSource]) -> Result<(), StoreError> {
    for ProductSource { definition, text } in products {
        let (id, hash) = (&definition.product, definition.hash);
        store.keep_definition(id, definition.version, hash, text).await?;
    }
    Ok(())
}

/// Where folding goes on. Profiles that were folded under another definition are forgotten, and folded again from the
/// log's beginning.
async fn starting_point(
    store: &dyn Store,
    log: &dyn Log,
    products: &Products,
) -> Result<Watermark, OpenError> {
    let watermark = store.watermark().await?;
    if watermark.position > log.end() {
        return Err(OpenError::StoreAheadOfLog { store: watermark.position, log: log.end() });
    }
    let folds = products.folds();
    let same_fold = || folds.iter().all(|(id, fold)| watermark.folds.get(id) == Some(fold));
    if watermark.position == Position(0)
        || (same_fold() && learn::misfit(store, products).await?.is_none())
    {
        return Ok(watermark);
    }
    info!("the definition has changed what profiles hold: folding the log again");
    store.reset().await?;
    Ok(Watermark { newest_event: watermark.newest_event, ..Watermark::default() })
}
