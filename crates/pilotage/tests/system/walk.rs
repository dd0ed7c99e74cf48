//! The sample product walked through, as a browser and an operator would. Must name each guide that it expects.

use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::Installation;
use crate::user::{User, gate};

/// A user whose bank declined a card that often, in the trial, with a project.
fn declined(client: &Client, number: u32, times: u32) -> (User<'_>, String) {
    let user = User::new(client, number);
    let mut signed_up = user.body("signed_up", json!({}));
    signed_up["attributes"] = json!({ "tier": "trial" });
    user.send(&signed_up);
    let mut last = user.event("form_submit", json!({ "form": "new_project", "ok": true }));
    for _ in 0..times {
        last = user.event(
            "form_submit",
            json!({ "form": "billing", "ok": false, "error": "card_declined" }),
        );
    }
    (user, last)
}

#[test]
fn a_card_that_was_declined_twice_is_never_asked_for_again() {
    let server = Installation::dev().start();
    let client = server.client();
    let (once, last) = declined(&client, 1, 1);
    assert_eq!(once.decision("/settings/billing", &last)["guide"]["id"], "connect-billing");

    for (number, path) in (2..).zip(["/projects", "/settings/billing", "/support", "/reports"]) {
        let (user, last) = declined(&client, number, 2);
        assert_eq!(user.profile()["holdout"], false, "user {number} may be guided");
        assert_eq!(user.milestone("billing"), "blocked");
        let decision = user.decision(path, &last);
        assert_eq!(decision["guide"]["id"], "retry-billing", "{path}: {decision}");
        assert_eq!(decision["guide"]["action"]["path"], "/settings/billing/retry");
        assert_eq!(gate(&decision, "connect-billing"), "state");
    }
}

#[test]
fn the_way_out_is_not_offered_where_it_leads_nowhere() {
    let server = Installation::dev().start();
    let client = server.client();
    let (tried_often, last) = declined(&client, 1, 4);
    let decision = tried_often.decision("/settings/billing", &last);
    assert_eq!(
        (&decision["outcome"], &decision["reason"]),
        (&json!("withhold"), &json!("no_candidate"))
    );
    assert_eq!(gate(&decision, "retry-billing"), "never");

    let (of_a_newer_app, last) = declined(&client, 2, 2);
    let mut ask = of_a_newer_app.ask("/settings/billing", &last);
    ask["context"]["appVersion"] = json!("4.0.0");
    let decision = client.post("/api/v1/decisions?explain=true", &ask).expect(200);
    assert_eq!(decision["reason"], "no_candidate");
    assert_eq!(gate(&decision, "retry-billing"), "surface");

    let (recovered, _) = declined(&client, 3, 2);
    let paid = recovered.event("form_submit", json!({ "form": "billing", "ok": true }));
    assert_eq!(recovered.decision("/settings/billing", &paid)["outcome"], "withhold");
    assert_eq!(recovered.milestone("billing"), "reached");
}

#[test]
fn a_user_of_the_holdout_sees_nothing() {
    let server = Installation::dev().start();
    let client = server.client();
    let user = User::of_group(&client, "holdout");
    let event = user.event("page_view", json!({}));
    for path in ["/projects", "/import", "/settings/billing"] {
        let decision = user.decision(path, &event);
        assert_eq!(
            (&decision["outcome"], &decision["reason"]),
            (&json!("withhold"), &json!("holdout"))
        );
        assert!(decision.get("guide").is_none());
    }
    assert_eq!(user.profile()["holdout"], true);
}

#[test]
fn a_decision_explains_itself_now_and_later() {
    let server = Installation::dev().start();
    let client = server.client();
    let user = User::of_group(&client, "guided");
    let event = user.event("page_view", json!({}));
    let decision = user.decision("/projects", &event);
    assert_eq!(decision["guide"]["id"], "create-project");
    assert_eq!(gate(&decision, "create-project"), Value::Null);
    let stages = decision["trace"]["stages"].as_array().expect("stages");
    let gates: Vec<&Value> = stages.iter().map(|stage| &stage["gate"]).collect();
    let expected = [
        "holdout",
        "state",
        "when",
        "never",
        "lifecycle",
        "surface",
        "copy",
        "text",
        "limits",
        "contact",
    ];
    assert_eq!(gates, expected);
    let left: Vec<u64> = stages.iter().filter_map(|stage| stage["left"].as_u64()).collect();
    assert!(left.is_sorted_by(|a, b| a >= b), "{left:?}");
    assert_eq!((left.first(), left.last()), (Some(&6), Some(&1)), "{left:?}");
    let guides = decision["trace"]["guides"].as_array().expect("guides");
    let stopped = guides.iter().find(|guide| guide["id"] == "open-report").expect("every guide");
    assert_eq!(
        (&stopped["near"]["subject"], &stopped["near"]["missing"]),
        (&json!("first_report"), &json!("data"))
    );
    let path = format!("/api/v1/decisions/{}", decision["decisionId"].as_str().expect("an id"));
    let record = client.get(&path).expect(200);
    for (member, value) in decision.as_object().expect("an object") {
        assert_eq!(record[member], *value, "{member}");
    }
    assert_eq!(
        (&record["userId"], &record["context"]["path"]),
        (&json!(user.id), &json!("/projects"))
    );
}

#[test]
fn a_paused_guide_stays_paused_until_it_is_resumed() {
    let installation = Installation::dev();
    let server = installation.start();
    let client = server.client();
    let switch = |client: &Client, to: &str| {
        client.post(&format!("/api/v1/guides/create-project/{to}"), &json!({})).expect(200)
    };
    assert_eq!(switch(&client, "pause")["paused"], true);
    server.stop();

    let server = installation.start();
    let client = server.client();
    let user = User::of_group(&client, "guided");
    let event = user.event("page_view", json!({}));
    let decision = user.decision("/projects", &event);
    assert_eq!(decision["outcome"], "withhold");
    assert_eq!(gate(&decision, "create-project"), "lifecycle");
    assert_eq!(switch(&client, "resume")["paused"], false);
    assert_eq!(user.decision("/projects", &event)["guide"]["id"], "create-project");
}
