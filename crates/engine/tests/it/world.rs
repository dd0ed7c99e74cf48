//! A small world to test in: acme on memory ports, with a clock that tests set. Must not hide what a test checks.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::event::EventContext;
use pilotage_domain::id::{EventId, ProductId, SessionId, UserId};
use pilotage_domain::policy::Policy;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::memory::{ManualClock, MemoryLog, MemoryStore, SeededEntropy};
use pilotage_engine::port::clock::Clock;
use pilotage_engine::port::store::Store;
use pilotage_engine::{ClockMode, DecideCall, Engine, Ingested, Options, Parts, ProductSource};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record::decision::{StoredDecision, SurfaceBody};
use pilotage_wire::yaml;

/// Noon of a day in November 2026.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_348_800_000);

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    definition: String,
}

/// acme with nobody held out and nothing explored, so that a test's user is always guided by the policy.
pub(crate) fn acme() -> String {
    let text = include_str!("../../../../examples/acme.yaml");
    text.replace("holdout: 0.1 ", "holdout: 0 ").replace("explore: 0.02 ", "explore: 0 ")
}

pub(crate) fn product() -> ProductId {
    ProductId::new("acme").expect("valid")
}

/// A user whose id is a UUID that ends in these digits.
pub(crate) fn user(n: u32) -> UserId {
    UserId::new(&format!("00000000-0000-4000-8000-{n:012}")).expect("valid")
}

pub(crate) fn session(name: &str) -> SessionId {
    SessionId::new(name).expect("valid")
}

pub(crate) fn source(text: &str) -> ProductSource {
    let checked = yaml::load(text).unwrap_or_else(|faults| panic!("{faults:?}"));
    ProductSource { definition: checked.definition, text: text.to_owned() }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(acme(), Options::default()).await
    }

    pub(crate) async fn with(definition: String, options: Options) -> Self {
        let log = Arc::new(MemoryLog::default());
        let store = Arc::new(MemoryStore::default());
        Self::over(log, store, definition, options).await
    }

    async fn over(
        log: Arc<MemoryLog>,
        store: Arc<MemoryStore>,
        definition: String,
        options: Options,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let parts = Parts {
            log: log.clone(),
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            products: vec![source(&definition)],
            options,
        };
        let engine = Engine::open(parts).await.expect("opens");
        engine.caught_up().await;
        Self { engine, log, store, clock, definition }
    }

    /// What another process over the same log and store is put together from.
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            log: Arc::new(self.log.reopen()),
            store: Arc::new(self.store.reopen()),
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(8)),
            products: vec![source(&self.definition)],
            options: Options::default(),
        }
    }

    /// The process is gone; another one starts over what log and store hold.
    pub(crate) async fn crash_and_restart(self) -> Self {
        self.crash_and_restart_with(Options::default()).await
    }

    pub(crate) async fn crash_and_restart_with(self, options: Options) -> Self {
        // What the first engine still does beside us must not reach the store any more, as if its process were gone.
        Store::close(&*self.store).await;
        let (log, store) = (Arc::new(self.log.reopen()), Arc::new(self.store.reopen()));
        Self::over(log, store, self.definition, options).await
    }

    /// The same over the same log and store, working otherwise.
    pub(crate) fn parts_with(&self, options: Options) -> Parts {
        Parts { options, ..self.parts() }
    }

    /// The process ends in order; another one starts.
    pub(crate) async fn restart(self, options: Options) -> Self {
        let definition = self.definition.clone();
        self.restart_as(definition, options).await
    }

    /// The process ends in order; another one starts with another definition.
    pub(crate) async fn restart_as(self, definition: String, options: Options) -> Self {
        self.engine.close().await;
        self.again(definition, options).await
    }

    /// The process is gone; another one starts.
    pub(crate) async fn crash(self, options: Options) -> Self {
        Store::close(&*self.store).await;
        let definition = self.definition.clone();
        self.again(definition, options).await
    }

    async fn again(self, definition: String, options: Options) -> Self {
        let (log, store) = (Arc::new(self.log.reopen()), Arc::new(self.store.reopen()));
        let now = self.clock.now();
        let world = Self::over(log, store, definition, options).await;
        world.at(now);
        world
    }

    /// It is that moment now.
    pub(crate) fn at(&self, moment: Timestamp) {
        self.clock.set(moment);
    }

    pub(crate) async fn send(&self, event: IncomingEvent) -> Ingested {
        let mut taken = self.engine.ingest(&product(), vec![event]).await.expect("taken");
        taken.pop().expect("one answer")
    }

    /// A decision on a profile that holds everything sent so far.
    pub(crate) async fn decide(&self, user: &UserId, path: &str) -> StoredDecision {
        self.settle().await;
        let call = call(user, path);
        self.engine.decide(&product(), call).await.expect("served").decision
    }

    /// Waits until everything sent is folded.
    pub(crate) async fn settle(&self) {
        self.engine.settled().await.expect("the memory log answers");
    }

    pub(crate) fn later(&self, by: Millis) {
        self.clock.advance(by);
    }
}

pub(crate) fn call(user: &UserId, path: &str) -> DecideCall {
    DecideCall {
        user: user.clone(),
        session: session("s1"),
        surface: SurfaceBody {
            path: Some(path.to_owned()),
            app_version: Some("2.1.0".to_owned()),
            ..SurfaceBody::default()
        },
        after: None,
        wait: Millis::new(50),
        at: None,
    }
}

pub(crate) fn event(user: &UserId, kind: &str, payload: &str) -> IncomingEvent {
    IncomingEvent {
        id: None,
        user: user.clone(),
        session: session("s1"),
        kind: kind.into(),
        claimed: None,
        anonymous: None,
        attributes: None,
        context: EventContext::default(),
        payload: serde_json::value::RawValue::from_string(payload.to_owned()).ok(),
        api_version: None,
        trace_parent: None,
    }
}

pub(crate) fn named(id: &str, event: IncomingEvent) -> IncomingEvent {
    IncomingEvent { id: Some(EventId::new(id).expect("valid")), ..event }
}

pub(crate) fn form(user: &UserId, form: &str, ok: bool) -> IncomingEvent {
    event(user, "form_submit", &format!(r#"{{"form":"{form}","ok":{ok}}}"#))
}

pub(crate) fn small_memory() -> Options {
    Options {
        users_bytes: 20_000,
        write_back_every: Duration::from_millis(20),
        policy: Policy::Static,
        clock: ClockMode::System,
        advisor: None,
    }
}
