//! Use cases over ports: take events, fold profiles, decide. Must not know HTTP, SQL, Kafka or a model's wire.

mod clock;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod decide;
mod figures;
mod ingest;
mod lookup;
pub mod memory;
mod open;
pub mod port;
mod product;
mod project;
mod rebuild;
mod report;
mod users;
mod write_back;

use std::sync::{Arc, Mutex};

use pilotage_domain::definition::Definition;
use pilotage_domain::id::ProductId;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Timestamp;

pub use clock::ClockMode;
pub use decide::{DecideCall, DecideError, Decided, MAX_WAIT};
pub use figures::Figures;
pub use ingest::{IngestError, Ingested};
pub use lookup::{GuideOutcome, LookupError, TimelineItem, TimelinePage, UserView};
pub use open::{OpenError, Options, Parts, ProductSource};
pub use product::PauseError;
pub use project::Readiness;
pub use rebuild::{Digest, RebuildError, Rebuilt};

use clock::EngineClock;
use port::clock::Entropy;
use port::log::Log;
use port::store::Store;
use product::Products;
use project::Progress;
use users::Users;

/// The engine: cheap to clone, one per process.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

/// What every use case works on.
pub(crate) struct Inner {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: EngineClock,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) products: Products,
    pub(crate) policy: Policy,
    pub(crate) users: Users,
    pub(crate) progress: Progress,
    pub(crate) counts: report::Counts,
    /// Proves to the SDK and to an audit that a decision's content passed the rules here.
    pub(crate) validation_key: [u8; 32],
    /// Held by the one write-back under way.
    pub(crate) write_back_turn: tokio::sync::Mutex<()>,
    pub(crate) passes: figures::Passes,
    pub(crate) background: Mutex<Option<open::Background>>,
    pub(crate) options: Options,
}

impl Engine {
    /// The products served, in the order given; the first is the default.
    pub fn products(&self) -> &[ProductId] {
        self.0.products.ids()
    }

    /// The definition in force.
    pub fn definition(&self, product: &ProductId) -> Option<Definition> {
        self.0.products.get(product).map(|p| p.definition.clone())
    }

    /// The moment, by the clock in force.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Which clock is in force.
    pub fn clock_mode(&self) -> ClockMode {
        self.0.clock.mode()
    }

    /// How many of the newest events are known again when they come twice.
    pub fn remembered_events(&self) -> u64 {
        self.0.log.remembered()
    }
}
