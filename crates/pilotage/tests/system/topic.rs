//! The topic as somebody else's program reads it: any Kafka client that knows JSON. Must not use our own reader.

use std::process::Command;

use serde_json::{Value, json};

use crate::installation::Installation;
use crate::shared::Shared;
use crate::user::User;

/// So many records of the installation's topic, read by kafkajs.
fn read(installation: &Installation, count: usize) -> Vec<Value> {
    let (brokers, topic) = installation.topic();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/kafka/read.js");
    let ended = Command::new("node").args([script, &brokers, &topic, &count.to_string()]).output();
    let ended = ended.expect("node runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let lines = String::from_utf8(ended.stdout).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_plain_consumer_finds_events_and_decisions_as_json() {
    let installation = Installation::shared(Shared::new());
    let server = installation.start();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let client = server.client().with("x-api-version", "2024-10-01").with("traceparent", trace);
    let user = User::new(&client, 7);
    let id = user.event("form_submit", json!({ "form": "new_project", "ok": true }));
    let decision = user.decision("/projects", &id);
    let records = read(&installation, 2);

    let [event, decided] = &records[..] else { panic!("two records: {records:?}") };
    assert_eq!(event["key"], format!("acme:{}", user.id));
    assert_eq!((&event["key"], &event["partition"]), (&decided["key"], &decided["partition"]));
    let value: Value = serde_json::from_str(event["value"].as_str().expect("text")).expect("JSON");
    let expected = [
        ("eventId", json!(id)),
        ("userId", json!(user.id)),
        ("sessionId", json!("s1")),
        ("eventType", json!("form_submit")),
        ("payload", json!({ "form": "new_project", "ok": true })),
    ];
    for (member, expected) in expected {
        assert_eq!(value[member], expected, "{member} of {value}");
    }
    assert!(value["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{value}");
    let expected = [
        ("x-api-version", "2024-10-01"),
        ("event-id", &id),
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_source", "pilotage/acme"),
        ("ce_type", "pilotage.event.form_submit"),
        ("content-type", "application/json"),
        ("traceparent", trace),
    ];
    for (header, expected) in expected {
        assert_eq!(event["headers"][header], expected, "{header} of {event}");
    }
    assert_eq!(event["headers"]["ce_time"], value["timestamp"]);

    let value: Value =
        serde_json::from_str(decided["value"].as_str().expect("text")).expect("JSON");
    assert_eq!(
        (&value["eventType"], &value["eventId"]),
        (&json!("guide_decided"), &decision["decisionId"])
    );
    assert_eq!(decided["headers"]["ce_type"], "pilotage.decision");
}
