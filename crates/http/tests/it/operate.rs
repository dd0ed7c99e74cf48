//! The kill switch, the report, health and metrics. Must see their effect, not only their answer.

use pilotage_engine::memory::Fault;
use pilotage_http::MetricName;
use serde_json::json;

use crate::world::{USER, World};

#[tokio::test]
async fn a_paused_guide_is_not_shown_until_it_is_resumed() {
    let world = World::new().await;
    world.event("signed_up", json!({})).await;
    let switch = |to: &str| world.post_empty(format!("/api/v1/guides/create-project/{to}"));
    assert_eq!(switch("pause").await.json(), json!({ "id": "create-project", "paused": true }));
    assert_eq!(world.decide("/projects").await.json()["outcome"], "withhold");
    assert_eq!(switch("resume").await.json(), json!({ "id": "create-project", "paused": false }));
    assert_eq!(world.decide("/projects").await.json()["guide"]["id"], "create-project");
    for unknown in ["nothing", "UPPER", "%ff"] {
        let reply = world.post_empty(format!("/api/v1/guides/{unknown}/pause")).await;
        assert_eq!(reply.problem(), (404, "unknown_guide".to_owned()), "{unknown}");
    }
    world.store.set_fault(Some(Fault::Unavailable));
    assert_eq!(switch("pause").await.problem(), (503, "unavailable".to_owned()));
}

#[tokio::test]
async fn the_report_counts_users_and_activations_by_group() {
    let world = World::new().await;
    let empty = world.get("/api/v1/report").await.json();
    assert_eq!(
        empty["groups"][0],
        json!({ "group": "guided", "users": 0, "signedUp": 0, "activated": 0, "rate": null })
    );
    world.event("signed_up", json!({})).await;
    world.event("form_submit", json!({ "form": "new_project", "ok": true })).await;
    world.event("data_imported", json!({})).await;
    world.event("report_viewed", json!({})).await;
    let report = world.get("/api/v1/report").await.json();
    assert_eq!(report["product"], "acme");
    assert_eq!(
        report["groups"][0],
        json!({ "group": "guided", "users": 1, "signedUp": 1, "activated": 1, "rate": 1.0 })
    );
    let groups: Vec<_> =
        report["groups"].as_array().expect("groups").iter().map(|g| g["group"].clone()).collect();
    assert_eq!(groups, ["guided", "holdout", "random", "static"]);
}

#[tokio::test]
async fn readiness_follows_the_engine_and_the_drain() {
    let world = World::new().await;
    assert_eq!(world.get("/healthz").await.json(), json!({ "status": "alive" }));
    assert_eq!(world.get("/readyz").await.json(), json!({ "status": "ready" }));
    world.log.set_fault(Some(Fault::Unavailable));
    let reply = world.get("/readyz").await;
    assert_eq!(reply.problem(), (503, "not_ready".to_owned()));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(world.get("/healthz").await.status.as_u16(), 200);
    world.log.set_fault(None);
    world.app.drain();
    assert_eq!(world.get("/readyz").await.problem(), (503, "not_ready".to_owned()));
    assert_eq!(world.get("/healthz").await.status.as_u16(), 200);
    world.event("page_view", json!({})).await;
}

#[tokio::test]
async fn metrics_count_by_route_and_status_and_name_nobody() {
    let world = World::new().await;
    world.event("page_view", json!({})).await;
    world.get(&format!("/api/v1/users/{USER}")).await;
    world.get("/nowhere/secret-path").await;
    let text = world.get("/metrics").await.text;
    for line in [
        "pilotage_http_requests_total{route=\"event\",status=\"202\"}",
        "pilotage_http_requests_total{route=\"unmatched\",status=\"404\"}",
        "pilotage_http_request_duration_seconds_bucket{route=\"user\",le=\"0.001\"}",
        "pilotage_http_events_total{result=\"queued\"}",
        "pilotage_projection_lag_records 0",
        "pilotage_users_in_memory 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(USER) && !text.contains("secret-path"));
}

#[test]
fn metrics_have_names_of_one_kind_and_stand_in_the_page_about_them() {
    let page = include_str!("../../../../docs/metrics.md");
    for name in MetricName::ALL {
        let text = name.as_str();
        assert!(text.starts_with("pilotage_"), "{name:?}");
        assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name:?}");
        assert!(name.help().ends_with('.'), "{name:?}");
        assert!(page.contains(&format!("| `{text}` |")), "{text} is not in docs/metrics.md");
    }
    let cells =
        page.lines().filter_map(|line| line.strip_prefix("| `pilotage_")?.split('`').next());
    // One that workers have as well is told of twice.
    let told: std::collections::BTreeSet<&str> = cells.collect();
    assert_eq!(told.len(), MetricName::ALL.len(), "the page tells of metrics that are not there");
}
