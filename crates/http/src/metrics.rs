//! What `/metrics` shows: every name in one list, every handle made once. Must not carry anything personal as a label.

pub(crate) mod engine;
pub(crate) mod model;
mod page;

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

macro_rules! names {
    ($($id:ident = $name:literal, $help:literal;)+) => {
        /// Every metric. What is counted here begins with `pilotage_http_`; the rest is what the engine measures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Name { $(#[doc = $help] $id,)+ }

        impl Name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$id,)+];

            /// As Prometheus shows it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$id => $name,)+ }
            }

            /// What it says, in a line.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$id => $help,)+ }
            }
        }
    };
}

names! {
    Requests = "pilotage_http_requests_total", "Requests answered, by route and status.";
    Latency = "pilotage_http_request_duration_seconds", "Time from a request's head to its answer's, by route.";
    Connections = "pilotage_http_connections", "Connections open now.";
    Events = "pilotage_http_events_total", "Events answered, by result.";
    Lag = "pilotage_projection_lag_records", "Records of the log that are not in the profiles yet.";
    Partitions = "pilotage_worker_partitions", "Partitions of the log that this process folds.";
    Dropped = "pilotage_worker_dropped_records_total", "Records for merged users that were too large for the log.";
    Unstored = "pilotage_write_back_lag_records", "Records of the log that a restart would fold again.";
    Users = "pilotage_users_in_memory", "Users in memory.";
    UsersBytes = "pilotage_users_in_memory_bytes", "About how much memory they take.";
    UsersBound = "pilotage_users_in_memory_limit_bytes", "About how much memory they may take.";
    WriteBacks = "pilotage_write_back_passes_total", "Passes that wrote changed profiles to the store.";
    WriteBackFailures = "pilotage_write_back_failures_total", "Writes of profiles that the store refused.";
    LogCommit = "pilotage_log_commit_duration_seconds", "Time of a commit of the log, until it is durable.";
    LogCommitRecords = "pilotage_log_commit_records", "Records in a commit of the log.";
    StoreCommit = "pilotage_store_commit_duration_seconds", "Time of a commit of profiles, until it is durable.";
    StoreCommitUsers = "pilotage_store_commit_users", "Users in a commit of profiles.";
    ModelCalls = "pilotage_model_calls_total", "Calls of models, by provider and verdict.";
    ModelBarred = "pilotage_model_barred_total", "Calls of models that were not made, by provider.";
    ModelTokens = "pilotage_model_tokens_total", "Tokens, by provider and direction.";
    ModelCost = "pilotage_model_cost_micro_usd_total", "What calls of models have cost, in millionths of a dollar, by provider.";
    ModelBreaker = "pilotage_model_breaker_open", "1 while calls are kept away from a provider.";
    ModelSituations = "pilotage_model_situations_total", "Situations that were met, by what is known of them.";
    ModelDecisions = "pilotage_model_decisions_total", "Decisions that may go by advice, by where their advice came from.";
}

/// Makes a Prometheus recorder the process's recorder. To be called once, before anything is counted. The handle's
/// `run_upkeep` must be called every few seconds: `serve` does.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .install_recorder()?;
    describe_counter!(Name::Requests.as_str(), Name::Requests.help());
    describe_histogram!(Name::Latency.as_str(), Name::Latency.help());
    describe_gauge!(Name::Connections.as_str(), Name::Connections.help());
    describe_counter!(Name::Events.as_str(), Name::Events.help());
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
