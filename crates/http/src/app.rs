//! What every request is served from: the engine, who may call, the limits. Must not handle a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use pilotage_domain::id::ProductId;
use pilotage_engine::{ClockMode, Engine};
use thiserror::Error;

use crate::keys::{KeyKind, Keys};
use crate::metrics::Metrics;

/// Bounds on what a client may do to a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Connections open at the same time; further ones wait in the listener's queue.
    pub max_connections: u32,
    /// How long a connection may take to deliver the next request's head, idle time included.
    pub head_timeout: Duration,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a client may leave an answer unread.
    pub write_timeout: Duration,
    /// On shutdown, how long `/readyz` says no before connections are refused.
    pub unready_for: Duration,
    /// On shutdown, how long requests in flight may take to end.
    pub drain_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_connections: 8_192,
            head_timeout: Duration::from_secs(65),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            unready_for: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Why keys and products don't go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetupFault {
    /// A key belongs to a product that is not served.
    #[error("a key belongs to the product {0}, which is not served")]
    UnknownProduct(ProductId),
    /// The event clock lets any caller move time, so browsers must not reach it.
    #[error("the event clock does not go together with publishable keys")]
    EventClockInBrowsers,
}

/// The application: cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What an `App` holds; of use inside this room alone.
pub struct Inner {
    pub(crate) engine: Engine,
    pub(crate) keys: Keys,
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) exposition: PrometheusHandle,
    draining: AtomicBool,
}

impl App {
    /// The application; every fault at once where keys, products and clock don't go together.
    pub fn new(
        engine: Engine,
        keys: Keys,
        settings: Settings,
        exposition: PrometheusHandle,
    ) -> Result<Self, Vec<SetupFault>> {
        check(&keys, engine.products(), engine.clock_mode())?;
        let metrics = Metrics::new();
        let draining = AtomicBool::new(false);
        Ok(Self(Arc::new(Inner { engine, keys, settings, metrics, exposition, draining })))
    }

    /// From here on `/readyz` says that the server is draining.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }
}

/// Whether keys, products and clock go together; every fault at once. `App::new` asks it, too: asked before anything is
/// opened, it keeps a server from starting half.
pub fn check(keys: &Keys, products: &[ProductId], clock: ClockMode) -> Result<(), Vec<SetupFault>> {
    let mut faults = Vec::new();
    for key in keys.all() {
        if !products.contains(&key.product) {
            faults.push(SetupFault::UnknownProduct(key.product.clone()));
        }
    }
    let in_browsers = keys.all().any(|key| key.kind == KeyKind::Publishable);
    if clock == ClockMode::Events && in_browsers {
        faults.push(SetupFault::EventClockInBrowsers);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
