//! Events in batches and again: each is judged alone, and counts once, whatever happens between. Must not count on order
//! of arrival.

use serde_json::{Value, json};

use crate::installation::Installation;
use crate::user::User;

fn with_id(user: &User<'_>, id: &str) -> Value {
    let mut body = user.body("page_view", json!({ "n": id }));
    body["eventId"] = json!(id);
    body
}

fn statuses(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results");
    results.iter().filter_map(|result| result["status"].as_str()).collect()
}

#[test]
fn one_bad_event_does_not_sink_a_batch() {
    let server = Installation::dev().start();
    let client = server.client();
    let user = User::new(&client, 1);
    let mut bad = with_id(&user, "bad");
    (bad["userId"], bad["eventType"]) = (json!("nobody"), json!("never_declared"));
    let events = json!({ "events": [with_id(&user, "a"), bad, with_id(&user, "b")] });
    let answer = client.post("/api/v1/events/batch", &events).expect(202);
    assert_eq!(statuses(&answer), ["queued", "rejected", "queued"]);
    let refused = &answer["results"][1];
    assert_eq!(
        (&refused["eventId"], &refused["code"]),
        (&json!("bad"), &json!("validation_failed"))
    );
    let places: Vec<&Value> =
        refused["details"].as_array().expect("faults").iter().map(|fault| &fault["path"]).collect();
    assert_eq!(places, ["userId", "eventType"]);
    assert_eq!(user.events(), ["a", "b"]);
}

#[test]
fn lines_are_judged_one_by_one() {
    let server = Installation::dev().start();
    let client = server.client();
    let user = User::new(&client, 1);
    let lines = format!("{}\n{{ \"userId\": \n\n{}", with_id(&user, "a"), with_id(&user, "b"));
    let body = Some(("application/x-ndjson", &*lines));
    let answer = client.call("POST", "/api/v1/events/batch", body).expect("an answer").expect(202);
    assert_eq!(statuses(&answer), ["queued", "rejected", "queued"]);
    assert_eq!(user.events(), ["a", "b"]);
    let unreadable = Some(("application/json", "{ \"events\": "));
    let refused = client.call("POST", "/api/v1/events/batch", unreadable).expect("an answer");
    assert_eq!(refused.problem(), (400, "validation_failed".to_owned()));
}

#[test]
fn the_same_event_counts_once_also_across_a_restart() {
    let installation = Installation::dev();
    let server = installation.start();
    let client = server.client();
    let user = User::new(&client, 1);
    let body = with_id(&user, "once");
    let first = client.post("/api/v1/events", &body);
    let again = client.post("/api/v1/events", &body);
    assert_eq!((first.status, &first.text), (again.status, &again.text), "the same answer");
    assert_eq!(first.expect(202), json!({ "status": "queued", "eventId": "once" }));
    let twice = json!({ "events": [with_id(&user, "two"), with_id(&user, "two")] });
    let answer = client.post("/api/v1/events/batch", &twice).expect(202);
    assert_eq!(statuses(&answer), ["queued", installation.again()]);
    server.stop();

    let server = installation.start();
    let client = server.client();
    let user = User::new(&client, 1);
    assert_eq!(client.post("/api/v1/events", &body).text, first.text);
    let answer = client.post("/api/v1/events/batch", &twice).expect(202);
    assert_eq!(statuses(&answer), [installation.again(); 2]);
    assert_eq!(user.profile()["events"], 2);
    assert_eq!(user.events(), ["once", "two"]);
    server.kill();

    let server = installation.start();
    let client = server.client();
    assert_eq!(client.post("/api/v1/events", &body).text, first.text);
    assert_eq!(User::new(&client, 1).events(), ["once", "two"]);
}
