//! A server in the test's own process. Must not hide what a test checks.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use pilotage_domain::id::ProductId;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Timestamp;
use pilotage_engine::advise::Setup;
use pilotage_engine::memory::{ManualClock, MemoryLog, MemoryStore, SeededEntropy};
use pilotage_engine::{ClockMode, Engine, Options, Parts, ProductSource};
use pilotage_http::{
    App, KeyKind, KeySpec, Keys, Settings, SetupFault, Site, install_metrics, site, site_with_demo,
};
use pilotage_wire::yaml;
use serde_json::{Value, json};

use crate::contract;

pub(crate) const USER: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const OTHER: &str = "00000000-0000-4000-8000-000000000002";
pub(crate) const SECRET: &str = "sk_0123456789abcdef";
pub(crate) const PUBLISHABLE: &str = "pk_0123456789abcdef";
pub(crate) const ORIGIN: &str = "https://app.example.com";

/// Noon of a day in November 2026.
const START: Timestamp = Timestamp::from_millis(1_795_348_800_000);

static METRICS: LazyLock<PrometheusHandle> =
    LazyLock::new(|| install_metrics().expect("the only recorder of this process"));

/// A server over memory.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) engine: Engine,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) store: Arc<MemoryStore>,
    site: Site,
}

/// What a world is made of, where it is not the usual.
pub(crate) struct Plan {
    pub(crate) keys: Keys,
    pub(crate) settings: Settings,
    pub(crate) clock: ClockMode,
    /// acme comes first, always.
    pub(crate) further_products: Vec<String>,
    /// Whom to ask, by whose word it is chosen.
    pub(crate) advisor: Option<Arc<Setup>>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            keys: Keys::dev(),
            settings: Settings::default(),
            clock: ClockMode::System,
            further_products: Vec::new(),
            advisor: None,
        }
    }
}

/// acme with nobody held out and nothing explored, so that a test's user is always guided by the policy.
pub(crate) fn acme() -> String {
    let text = include_str!("../../../../examples/acme.yaml");
    text.replace("holdout: 0.1 ", "holdout: 0 ").replace("explore: 0.02 ", "explore: 0 ")
}

pub(crate) fn product() -> ProductId {
    ProductId::new("acme").expect("valid")
}

fn source(text: String) -> ProductSource {
    let checked = yaml::load(&text).unwrap_or_else(|faults| panic!("{faults:?}"));
    ProductSource { definition: checked.definition, text }
}

/// A key of acme's.
pub(crate) fn key(text: &str, kind: KeyKind) -> KeySpec {
    KeySpec {
        key: text.to_owned(),
        kind,
        product: product(),
        origins: Vec::new(),
        rate: None,
        user_token_secret: None,
    }
}

/// A secret and a publishable key; pages of `ORIGIN` may use the latter.
pub(crate) fn two_keys() -> Keys {
    let browser =
        KeySpec { origins: vec![ORIGIN.to_owned()], ..key(PUBLISHABLE, KeyKind::Publishable) };
    Keys::new(vec![key(SECRET, KeyKind::Secret), browser]).expect("valid")
}

fn options(clock: ClockMode, advisor: Option<Arc<Setup>>) -> Options {
    let usual = Options { clock, ..Options::default() };
    match advisor {
        None => usual,
        Some(_) => Options {
            policy: Policy::Model,
            write_back_every: Duration::from_millis(10),
            advisor,
            ..usual
        },
    }
}

impl World {
    /// A server under `--dev`.
    pub(crate) async fn new() -> Self {
        Self::with(Plan::default()).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        Self::try_with(plan).await.unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    pub(crate) async fn try_with(plan: Plan) -> Result<Self, Vec<SetupFault>> {
        let (log, store) = (Arc::new(MemoryLog::default()), Arc::new(MemoryStore::default()));
        let parts = Parts {
            log: log.clone(),
            store: store.clone(),
            clock: Arc::new(ManualClock::new(START)),
            entropy: Arc::new(SeededEntropy::new(7)),
            products: std::iter::once(acme()).chain(plan.further_products).map(source).collect(),
            options: options(plan.clock, plan.advisor),
        };
        let engine = Engine::open(parts).await.expect("opens");
        engine.caught_up().await;
        let app = App::new(engine.clone(), plan.keys, plan.settings, METRICS.clone())?;
        Ok(Self { site: site(&app), app, engine, log, store })
    }

    pub(crate) fn site(&self) -> Site {
        self.site.clone()
    }

    /// The same, with the sample product beside the API.
    pub(crate) fn with_demo(self) -> Self {
        Self { site: site_with_demo(&self.app), ..self }
    }

    /// Sends the request and holds the answer against the contract.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let Ok(response) = self.site.answer(request).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a whole body");
        let reply = Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("text"),
        };
        contract::check(&method, &path, &reply);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(post(path, body)).await
    }

    pub(crate) async fn post_empty(&self, path: String) -> Reply {
        self.send(Request::post(path).body(Body::empty()).expect("a request")).await
    }

    /// Takes one event of `USER`'s and expects it to be taken.
    pub(crate) async fn event(&self, kind: &str, payload: Value) -> String {
        let body =
            json!({ "userId": USER, "sessionId": "s1", "eventType": kind, "payload": payload });
        let reply = self.post("/api/v1/events", &body).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
        reply.json()["eventId"].as_str().expect("an id").to_owned()
    }

    /// A decision for `USER`, once everything sent is folded.
    pub(crate) async fn decide(&self, path: &str) -> Reply {
        self.engine.settled().await.expect("the memory log answers");
        self.post("/api/v1/decisions", &ask(path)).await
    }
}

/// What a page at that path asks for `USER`.
pub(crate) fn ask(path: &str) -> Value {
    json!({ "userId": USER, "sessionId": "s1", "context": { "path": path, "appVersion": "2.1.0" } })
}

/// A good event of `USER`'s.
pub(crate) fn page_view() -> Value {
    json!({ "userId": USER, "sessionId": "s1", "eventType": "page_view" })
}

/// A JSON request.
pub(crate) fn post(path: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request")
}

/// Sets a header.
pub(crate) fn with_header(
    mut request: Request<Body>,
    name: &'static str,
    value: &str,
) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().expect("a header value"));
    request
}

/// Presents a key.
pub(crate) fn bearer(request: Request<Body>, key: &str) -> Request<Body> {
    with_header(request, "authorization", &format!("Bearer {key}"))
}

/// An answer, read whole.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The problem's status and code.
    pub(crate) fn problem(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or(&self.text).to_owned())
    }

    /// The paths of the faults.
    pub(crate) fn faults(&self) -> Vec<String> {
        let details = self.json()["details"].as_array().cloned().unwrap_or_default();
        details.iter().map(|fault| fault["path"].as_str().expect("a path").to_owned()).collect()
    }
}
