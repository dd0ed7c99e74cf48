//! What is counted of requests: every name in one list, every handle made once. Must not carry anything personal as a label.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::routes::RouteId;

/// Bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Every metric of this room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Requests answered, by route and status.
    Requests,
    /// From the request's head to the answer's, by route.
    Latency,
    /// Connections open now.
    Connections,
    /// Events answered, by result.
    Events,
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Latency, Self::Connections, Self::Events];

    /// As Prometheus shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "pilotage_http_requests_total",
            Self::Latency => "pilotage_http_request_duration_seconds",
            Self::Connections => "pilotage_http_connections",
            Self::Events => "pilotage_http_events_total",
        }
    }
}

/// Makes a Prometheus recorder the process's recorder. To be called once, before anything is counted. The handle's
/// `run_upkeep` must be called every few seconds: `serve` does.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .install_recorder()?;
    describe_counter!(Name::Requests.as_str(), "Requests answered, by route and status.");
    describe_histogram!(
        Name::Latency.as_str(),
        "Seconds from a request's head to its answer's, by route."
    );
    describe_gauge!(Name::Connections.as_str(), "Connections open now.");
    describe_counter!(Name::Events.as_str(), "Events answered, by result.");
    Ok(handle)
}

/// The statuses that are counted by themselves; any other is counted as 0.
const STATUSES: [u16; 16] =
    [0, 200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 503];

/// Handles, made once, so that counting a request allocates nothing.
pub(crate) struct Metrics {
    routes: Vec<RouteMetrics>,
    pub(crate) connections: Gauge,
    pub(crate) queued: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) rejected: Counter,
}

struct RouteMetrics {
    route: &'static str,
    latency: Histogram,
    answers: [OnceLock<Counter>; STATUSES.len()],
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let routes = RouteId::ALL.iter().map(|id| RouteMetrics {
            route: id.name(),
            latency: histogram!(Name::Latency.as_str(), "route" => id.name()),
            answers: Default::default(),
        });
        let events = |result: &'static str| counter!(Name::Events.as_str(), "result" => result);
        Self {
            routes: routes.collect(),
            connections: gauge!(Name::Connections.as_str()),
            queued: events("queued"),
            duplicate: events("duplicate"),
            rejected: events("rejected"),
        }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, route: RouteId, status: StatusCode, took: Duration) {
        let Some(metrics) = self.routes.get(route as usize) else { return };
        metrics.latency.record(took.as_secs_f64());
        let place = STATUSES.iter().position(|known| *known == status.as_u16()).unwrap_or(0);
        let Some(cell) = metrics.answers.get(place) else { return };
        let status = STATUSES.get(place).copied().unwrap_or(0);
        let counter = cell.get_or_init(|| {
            counter!(Name::Requests.as_str(), "route" => metrics.route, "status" => status.to_string())
        });
        counter.increment(1);
    }
}
