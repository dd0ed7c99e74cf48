//! Decisions. Must hold the answers to the contract's two forms, member by member.

use axum::http::StatusCode;
use pilotage_engine::ClockMode;
use pilotage_engine::memory::Fault;
use serde_json::json;

use crate::world::{PUBLISHABLE, Plan, SECRET, USER, World, ask, bearer, post, two_keys};

const PATH: &str = "/api/v1/decisions";

#[tokio::test]
async fn a_guide_is_shown_with_all_that_a_page_needs() {
    let world = World::new().await;
    world.event("signed_up", json!({})).await;
    let reply = world.decide("/projects").await;
    assert_eq!(reply.status, StatusCode::OK);
    let decision = reply.json();
    assert_eq!(decision["outcome"], "show");
    assert_eq!(
        decision["guide"],
        json!({
            "id": "create-project", "variant": "plain", "component": "tooltip", "milestone": "project",
            "target": { "path": "/projects", "anchor": "[data-guide=\"new-project\"]" },
            "copy": { "title": "Start your first project", "body": "It takes about a minute.", "cta": "New project", "locale": "en" },
            "action": { "path": "/projects" },
        })
    );
    let members: Vec<_> =
        decision.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = [
        "catalogueVersion",
        "decisionId",
        "expiresAt",
        "guide",
        "outcome",
        "policy",
        "propensity",
        "signature",
        "validationHash",
    ];
    assert_eq!(members, expected);
    assert_eq!(
        (&decision["propensity"], &decision["policy"], &decision["catalogueVersion"]),
        (&json!(1.0), &json!("static"), &json!(7))
    );
}

#[tokio::test]
async fn nothing_is_shown_with_a_reason() {
    let world = World::new().await;
    let mut ask = ask("/projects");
    ask["context"]["components"] = json!(["hologram"]);
    let decision = world.post(PATH, &ask).await.json();
    assert_eq!(
        (&decision["outcome"], &decision["reason"]),
        (&json!("withhold"), &json!("no_candidate"))
    );
    assert!(decision["validationHash"].as_str().is_some_and(|hash| hash.len() == 64));
    for absent in ["guide", "expiresAt", "stale", "explore", "trace"] {
        assert!(decision.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn after_waits_for_the_event_and_says_when_it_did_not_come() {
    let world = World::new().await;
    let event = world.event("form_submit", json!({ "form": "new_project", "ok": true })).await;
    let mut ask = ask("/import");
    ask["after"] = json!(event);
    ask["waitMs"] = json!(1000);
    let decision = world.post(PATH, &ask).await.json();
    assert_eq!(decision["guide"]["id"], "import-data");
    assert!(decision.get("stale").is_none());
    ask["after"] = json!("never-sent");
    ask["waitMs"] = json!(0);
    assert_eq!(world.post(PATH, &ask).await.json()["stale"], true);
}

#[tokio::test]
async fn every_fault_of_a_question_is_listed() {
    let world = World::new().await;
    let body = json!({
        "userId": "x", "after": "", "waitMs": -1, "at": "noon",
        "context": { "path": 1, "appVersion": [], "locale": "x".repeat(101), "components": [1] },
    });
    let reply = world.post(PATH, &body).await;
    let expected = [
        "userId",
        "sessionId",
        "context.path",
        "context.appVersion",
        "context.locale",
        "context.components",
        "after",
        "waitMs",
        "at",
    ];
    assert_eq!(reply.problem().0, 400);
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn at_is_for_the_event_clock_alone() {
    let mut ask = ask("/projects");
    ask["at"] = json!("2026-11-22T20:15:00Z");
    let reply = World::new().await.post(PATH, &ask).await;
    assert_eq!((reply.problem().0, reply.faults()), (400, vec!["at".to_owned()]));

    let world = World::with(Plan { clock: ClockMode::Events, ..Plan::default() }).await;
    world.event("signed_up", json!({})).await;
    let reply = world.post(PATH, &ask).await;
    assert_eq!(reply.status, StatusCode::OK);
    let id = reply.json()["decisionId"].as_str().expect("an id").to_owned();
    let record = world.get(&format!("{PATH}/{id}")).await.json();
    assert_eq!(record["at"], "2026-11-22T20:15:00.000Z");
}

#[tokio::test]
async fn explain_tells_how_each_guide_fared_to_a_secret_key_alone() {
    let world = World::with(Plan { keys: two_keys(), ..Plan::default() }).await;
    let explained = |key: &'static str, query: &str| {
        world.send(bearer(post(&format!("{PATH}?{query}"), &ask("/projects")), key))
    };
    let trace = explained(SECRET, "explain=true").await.json()["trace"].clone();
    assert_eq!(trace["group"], "guided");
    assert_eq!(trace["guides"].as_array().map(Vec::len), Some(6));
    let stopped =
        trace["guides"].as_array().expect("guides").iter().find(|g| g["id"] == "import-data");
    let stopped = stopped.expect("every guide is told of");
    assert_eq!(stopped["gate"], "state");
    assert!(stopped["near"]["sentence"].as_str().is_some_and(|sentence| !sentence.is_empty()));
    let shown =
        trace["guides"].as_array().expect("guides").iter().find(|g| g["id"] == "create-project");
    assert_eq!(
        shown.expect("every guide is told of")["arms"][0],
        json!({ "variant": "plain", "propensity": 1.0 })
    );
    assert!(explained(SECRET, "explain=false").await.json().get("trace").is_none());
    assert_eq!(explained(SECRET, "explain=maybe").await.faults(), ["query.explain"]);
    assert_eq!(
        explained(PUBLISHABLE, "explain=true").await.problem(),
        (403, "forbidden".to_owned())
    );
}

#[tokio::test]
async fn a_decision_is_found_again_with_its_trace() {
    let world = World::new().await;
    world.event("signed_up", json!({})).await;
    let decision = world.decide("/projects").await.json();
    let id = decision["decisionId"].as_str().expect("an id");
    let record = world.get(&format!("{PATH}/{id}")).await.json();
    for (member, value) in decision.as_object().expect("an object") {
        assert_eq!(record[member], *value, "{member}");
    }
    assert_eq!(
        (&record["userId"], &record["context"]["path"]),
        (&json!(USER), &json!("/projects"))
    );
    assert!(record["trace"]["stages"].as_array().is_some_and(|stages| !stages.is_empty()));
    for unknown in ["dec_00000000000000000000000000000000", "nonsense", "dec_%ff"] {
        assert_eq!(
            world.get(&format!("{PATH}/{unknown}")).await.problem(),
            (404, "unknown_decision".to_owned())
        );
    }
}

#[tokio::test]
async fn what_cannot_be_put_on_record_is_withheld_as_degraded() {
    let world = World::new().await;
    world.event("signed_up", json!({})).await;
    world.engine.settled().await.expect("answers");
    world.log.set_fault(Some(Fault::Full));
    let decision = world.post(PATH, &ask("/projects")).await.json();
    assert_eq!(
        (&decision["outcome"], &decision["reason"]),
        (&json!("withhold"), &json!("degraded"))
    );
}
