//! Use cases over ports: take events, fold profiles, decide, ask models. Must not know HTTP, SQL, Kafka or a model's wire.

pub mod advise;
mod clock;
mod cluster;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod decide;
mod figures;
mod fold;
mod ingest;
mod learn;
mod lookup;
pub mod memory;
mod open;
pub mod port;
mod product;
mod project;
mod rebuild;
pub mod replay;
mod report;
mod sequel;
mod sweep;
mod users;
mod verify;
mod write_back;

use std::sync::{Arc, Mutex};

use pilotage_domain::definition::Definition;
use pilotage_domain::id::ProductId;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Timestamp;

pub use clock::ClockMode;
pub use cluster::{ClusterParts, MakeFeed, MoveError, Moved, Stage};
pub use decide::{DecideCall, DecideError, Decided, MAX_WAIT};
pub use figures::{Figures, Folding};
pub use ingest::{IngestError, Ingested};
pub use lookup::{GuideOutcome, LookupError, TimelineItem, TimelinePage, UserView};
pub use open::{OpenError, Options, Parts, ProductSource};
pub use product::PauseError;
pub use project::{Hurry, Readiness};
pub use rebuild::{Digest, RebuildError, Rebuilt};
pub use report::Report;
pub use verify::{Verified, VerifyError, verify_decisions, verify_shared_decisions};

use advise::Advisor;
use clock::EngineClock;
use cluster::Cluster;
use port::clock::Entropy;
use port::log::{Journal, Log};
use port::store::Store;
use product::Products;
use project::Progress;
use users::Users;

/// The engine: cheap to clone, one per process.
#[derive(Clone)]
pub struct Engine {
    pub(crate) common: Arc<Common>,
    pub(crate) seat: Seat,
}

/// How the work on a log is shared.
#[derive(Clone)]
pub(crate) enum Seat {
    /// This process has log and store to itself, and the profiles in memory.
    Alone(Arc<Alone>),
    /// Several processes share them.
    Cluster(Arc<Cluster>),
}

/// What every use case works on.
pub(crate) struct Common {
    /// Where events and decisions are put on record.
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: EngineClock,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) products: Products,
    pub(crate) policy: Policy,
    /// Who asks models, where one is configured.
    pub(crate) advisor: Option<Arc<Advisor>>,
    /// What asking models has cost, as far as a report has counted it.
    pub(crate) spent: Mutex<report::Spent>,
    /// Who is known to be named on record.
    pub(crate) namings: ingest::Namings,
    /// Proves to the SDK and to an audit that a decision's content passed the rules here.
    pub(crate) validation_key: [u8; 32],
    pub(crate) options: Options,
}

/// An engine that has log and store to itself.
pub(crate) struct Alone {
    pub(crate) common: Arc<Common>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) users: Users,
    pub(crate) progress: Progress,
    pub(crate) counts: report::Counts,
    pub(crate) sequels: sequel::Sequels,
    pub(crate) pace: learn::Pace,
    /// Held by the one write-back under way.
    pub(crate) sweep: tokio::sync::Mutex<sweep::Sweep>,
    pub(crate) passes: figures::Passes,
    pub(crate) background: Mutex<Option<open::Background>>,
}

impl Engine {
    /// The products served, in the order given; the first is the default.
    pub fn products(&self) -> &[ProductId] {
        self.common.products.ids()
    }

    /// The definition in force.
    pub fn definition(&self, product: &ProductId) -> Option<Definition> {
        self.common.products.get(product).map(|p| p.definition.clone())
    }

    /// The moment, by the clock in force.
    pub fn now(&self) -> Timestamp {
        self.common.clock.now()
    }

    /// Which clock is in force.
    pub fn clock_mode(&self) -> ClockMode {
        self.common.clock.mode()
    }
}
