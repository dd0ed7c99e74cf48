//! Every route in one table, and each one's handler. Must serve nothing that is not in the table.

mod decide;
mod ingest;
mod lookup;
mod model;
mod operate;
mod pages;
mod site;

use std::future::ready;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use serde::Serialize;

use crate::access::Access;
use crate::app::App;
use crate::edge::{self, endpoint};

pub use site::Site;

/// A route: where it is and who may use it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) id: RouteId,
    pub(crate) method: MethodFilter,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
}

macro_rules! routes {
    ($($id:ident = $name:literal, $method:ident $path:literal, $access:ident;)+) => {
        /// The name of a route, in metrics and in the OpenAPI document.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum RouteId { $($id,)+ /** Whatever is in no table. */ Unmatched }

        impl RouteId {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$id,)+ Self::Unmatched];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)+ Self::Unmatched => "unmatched" }
            }
        }

        /// Every route that is served.
        pub(crate) static ROUTES: &[Route] = &[$(Route {
            id: RouteId::$id,
            method: MethodFilter::$method,
            path: $path,
            access: Access::$access,
        },)+];
    };
}

routes! {
    Event = "event", POST "/api/v1/events", Publishable;
    Batch = "batch", POST "/api/v1/events/batch", Publishable;
    Decide = "decide", POST "/api/v1/decisions", Publishable;
    Decision = "decision", GET "/api/v1/decisions/{id}", Secret;
    User = "user", GET "/api/v1/users/{id}", Secret;
    Timeline = "timeline", GET "/api/v1/users/{id}/timeline", Secret;
    Pause = "pause", POST "/api/v1/guides/{id}/pause", Secret;
    Resume = "resume", POST "/api/v1/guides/{id}/resume", Secret;
    Report = "report", GET "/api/v1/report", Secret;
    Model = "model", GET "/api/v1/model", Secret;
    ModelMode = "modelMode", POST "/api/v1/model/mode", Secret;
    Proposals = "proposals", GET "/api/v1/proposals", Secret;
    Proposal = "proposal", GET "/api/v1/proposals/{id}", Secret;
    Approve = "approve", POST "/api/v1/proposals/{id}/approve", Secret;
    Reject = "reject", POST "/api/v1/proposals/{id}/reject", Secret;
    Healthz = "healthz", GET "/healthz", Open;
    Readyz = "readyz", GET "/readyz", Open;
    Metrics = "metrics", GET "/metrics", Open;
    Openapi = "openapi", GET "/openapi.json", Open;
    ErrorPage = "errorPage", GET "/docs/errors/{code}", Open;
    Sdk = "sdk", GET "/sdk.js", Open;
    SdkModule = "sdkModule", GET "/sdk/{file}", Open;
}

/// Which part of the API a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    All,
    /// Taking events.
    Ingest,
    /// Deciding, looking up, reporting and operating.
    Decide,
    /// What every process serves: its health, its figures, its documents.
    Common,
}

impl Part {
    const fn holds(self, route: RouteId) -> bool {
        let part = match route {
            RouteId::Event | RouteId::Batch => Self::Ingest,
            RouteId::Decide
            | RouteId::Decision
            | RouteId::User
            | RouteId::Timeline
            | RouteId::Pause
            | RouteId::Resume
            | RouteId::Report
            | RouteId::Model
            | RouteId::ModelMode
            | RouteId::Proposals
            | RouteId::Proposal
            | RouteId::Approve
            | RouteId::Reject => Self::Decide,
            _ => Self::Common,
        };
        matches!(
            (self, part),
            (Self::All, _)
                | (_, Self::Common)
                | (Self::Ingest, Self::Ingest)
                | (Self::Decide, Self::Decide)
        )
    }
}

/// Everything that is served.
pub fn site(app: &App) -> Site {
    site_of(app, Part::All)
}

/// That part of it; the rest is not found there.
pub fn site_of(app: &App, part: Part) -> Site {
    let fallback = app.clone();
    let router = ROUTES
        .iter()
        .filter(|route| part.holds(route.id))
        .fold(Router::new(), |router, route| router.route(route.path, handler_of(app, route)))
        .fallback(move |request: Request| ready(edge::not_found(&fallback, &request)));
    Site::new(app, part, router)
}

fn handler_of(app: &App, route: &'static Route) -> MethodRouter {
    match route.id {
        RouteId::Event => browser(app, endpoint(app, route, ingest::event)),
        RouteId::Batch => browser(app, endpoint(app, route, ingest::batch)),
        RouteId::Decide => browser(app, endpoint(app, route, decide::decide)),
        RouteId::Decision => endpoint(app, route, lookup::decision),
        RouteId::User => endpoint(app, route, lookup::user),
        RouteId::Timeline => endpoint(app, route, lookup::timeline),
        RouteId::Pause => endpoint(app, route, operate::pause),
        RouteId::Resume => endpoint(app, route, operate::resume),
        RouteId::Report => endpoint(app, route, operate::report),
        RouteId::Model => endpoint(app, route, model::model),
        RouteId::ModelMode => endpoint(app, route, model::mode),
        RouteId::Proposals => endpoint(app, route, model::proposals),
        RouteId::Proposal => endpoint(app, route, model::proposal),
        RouteId::Approve => endpoint(app, route, model::approve),
        RouteId::Reject => endpoint(app, route, model::reject),
        RouteId::Healthz => endpoint(app, route, operate::healthz),
        RouteId::Readyz => endpoint(app, route, operate::readyz),
        RouteId::Metrics => endpoint(app, route, operate::exposition),
        RouteId::Openapi => endpoint(app, route, pages::openapi),
        RouteId::ErrorPage => endpoint(app, route, pages::error_page),
        RouteId::Sdk => endpoint(app, route, pages::sdk),
        RouteId::SdkModule => endpoint(app, route, pages::sdk_module),
        RouteId::Unmatched => MethodRouter::new(),
    }
}

/// A route that pages of other origins may call: browsers ask first.
fn browser(app: &App, route: MethodRouter) -> MethodRouter {
    let app = app.clone();
    route.options(move |request: Request| ready(edge::preflight(&app, &request)))
}

/// Room for most answers, in bytes.
const ROOM: usize = 512;

/// A JSON answer.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(ROOM);
    // Answers hold text, finite numbers, lists and objects with text keys: writing them to memory can't fail.
    serde_json::to_writer(&mut bytes, body).expect("an answer is always writable");
    typed(status, "application/json", bytes)
}

/// An answer of a media type.
fn typed(status: StatusCode, media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
