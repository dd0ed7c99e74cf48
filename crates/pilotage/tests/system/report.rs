//! The report of the real process: the same after a restart and a kill, on every back end.

use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::{Installation, acme};
use crate::process::eventually;
use crate::user::user_id;

fn shared_out() -> String {
    let text = acme().replace("holdout: 0.1 ", "holdout: 0.3 ");
    assert_ne!(text, acme(), "the share has another form now");
    text
}

/// Forty users a day of February, of whom every second sees the first report three hours after signing up.
fn day_passes(client: &Client, day: u32) {
    let mut events = Vec::new();
    for n in 0..40 {
        let happened = |hour: u32, kind: &str, payload: Value| {
            json!({
                "userId": user_id(1 + day * 40 + n), "sessionId": "s", "eventType": kind, "payload": payload,
                "timestamp": format!("2026-02-{day:02}T{hour:02}:00:00.000Z"),
            })
        };
        events.push(happened(9, "signed_up", json!({})));
        if n % 2 == 0 {
            events.push(happened(10, "form_submit", json!({ "form": "new_project", "ok": true })));
            events.push(happened(11, "data_imported", json!({})));
            events.push(happened(12, "report_viewed", json!({})));
        }
    }
    client.post("/api/v1/events/batch", &json!({ "events": events })).expect(202);
}

fn sum(list: &Value, of: &str) -> u64 {
    let all = list.as_array().expect("a list").iter();
    all.map(|item| item[of].as_u64().expect("a count")).sum()
}

/// The report, once all of the five days is in it.
fn told(client: &Client) -> Value {
    eventually("all is counted", || {
        let report = client.get("/api/v1/report").expect(200);
        let milestones = |funnel: &Value| sum(&funnel["steps"], "users");
        let reached: u64 =
            report["funnel"].as_array().expect("funnels").iter().map(milestones).sum();
        let is_all = reached == 300 && sum(&report["groups"], "users") == 200;
        (is_all && report["at"] == "2026-02-11T12:00:00.000Z").then_some(report)
    })
}

#[test]
fn the_report_outlives_the_process() {
    let installation =
        Installation::of(&[&shared_out()]).flag("--dev").flag("--clock").flag("events");
    let server = installation.start();
    (1..=3).for_each(|day| day_passes(&server.client(), day));
    server.stop();
    let server = installation.start();
    day_passes(&server.client(), 4);
    // The first three days are a week old now.
    day_passes(&server.client(), 11);
    let before = told(&server.client());
    assert_eq!(before["at"], "2026-02-11T12:00:00.000Z");
    assert_eq!(sum(&before["groups"], "activated"), 100);
    let lift = &before["lift"][0];
    assert_eq!((&lift["against"], &lift["days"]), (&json!("holdout"), &json!(3)));
    let users =
        [&lift["guided"], &lift["other"]].map(|side| side["users"].as_u64().expect("users"));
    assert_eq!(users.iter().sum::<u64>(), 120);
    for funnel in before["funnel"].as_array().expect("funnels") {
        let steps = funnel["steps"].as_array().expect("steps");
        assert_eq!(steps[0]["users"], steps[3]["users"], "who creates a project goes all the way");
    }
    let curve = &before["curves"][0];
    let median = curve["medianMs"].as_f64();
    assert!(median.is_none_or(|ms| (7_200_000.0..=10_800_000.0).contains(&ms)), "{curve}");
    assert_eq!(
        before["spend"],
        json!({ "microUsd": 0, "incremental": null, "perIncrementalMicroUsd": null })
    );
    server.kill();
    let server = installation.start();
    // Where several processes share a log, a clock of events begins with the first one that it meets.
    let looks = json!({
        "userId": user_id(1 + 11 * 40), "sessionId": "s", "eventType": "page_view",
        "timestamp": "2026-02-11T12:00:00.000Z",
    });
    server.client().post("/api/v1/events", &looks).expect(202);
    assert_eq!(told(&server.client()), before);
    server.stop();
}
