//! Batches. Must hold that one bad event never sinks the rest.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use pilotage_engine::memory::Fault;
use serde_json::{Value, json};

use crate::world::{USER, World, page_view};

const PATH: &str = "/api/v1/events/batch";

fn named(id: &str) -> Value {
    let mut event = page_view();
    event["eventId"] = json!(id);
    event
}

async fn lines(world: &World, text: String) -> crate::world::Reply {
    let request = Request::post(PATH).header("content-type", "application/x-ndjson");
    world.send(request.body(Body::from(text)).expect("a request")).await
}

#[tokio::test]
async fn results_come_in_request_order_and_bad_events_sink_nothing() {
    let world = World::new().await;
    let mut bad = named("bad");
    bad["eventType"] = json!("unheard_of");
    let events = json!({ "events": [named("a"), bad, 7, named("b"), named("a")] });
    let reply = world.post(PATH, &events).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let answer = reply.json();
    let results = answer["results"].as_array().expect("results");
    let brief: Vec<_> = results
        .iter()
        .map(|r| (r["eventId"].as_str(), r["status"].as_str().expect("a status")))
        .collect();
    let expected = [
        (Some("a"), "queued"),
        (Some("bad"), "rejected"),
        (None, "rejected"),
        (Some("b"), "queued"),
        (Some("a"), "duplicate"),
    ];
    assert_eq!(brief, expected);
    assert_eq!(results[1]["code"], "validation_failed");
    assert_eq!(results[1]["details"][0]["path"], "eventType");
    assert_eq!(world.get(&format!("/api/v1/users/{USER}")).await.json()["events"], 2);
}

#[tokio::test]
async fn an_event_that_is_too_large_by_itself_is_too_large_in_a_batch() {
    let world = World::new().await;
    let mut large = named("large");
    large["payload"] = json!({ "text": "x".repeat(1 << 20) });
    let reply = world.post(PATH, &json!({ "events": [named("a"), large] })).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let answer = reply.json();
    assert_eq!(answer["results"][0]["status"], "queued");
    assert_eq!(answer["results"][1]["status"], "rejected");
    assert_eq!(answer["results"][1]["code"], "payload_too_large");
}

#[tokio::test]
async fn ndjson_is_read_line_by_line() {
    let world = World::new().await;
    let text = format!("{}\r\n\n{{broken\n  \n{}", named("a"), named("b"));
    let reply = lines(&world, text).await;
    let statuses: Vec<_> = reply.json()["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|r| r["status"].clone())
        .collect();
    assert_eq!(statuses, ["queued", "rejected", "queued"]);
    assert_eq!(lines(&world, String::new()).await.json(), json!({ "results": [] }));
}

#[tokio::test]
async fn a_body_that_is_no_batch_is_refused_whole() {
    let world = World::new().await;
    let cases = [
        (json!([]), ""),
        (json!({}), "events"),
        (json!({ "events": {} }), "events"),
        (json!({ "events": null }), "events"),
    ];
    for (body, path) in cases {
        let reply = world.post(PATH, &body).await;
        assert_eq!(reply.problem(), (400, "validation_failed".to_owned()), "{body}");
        assert_eq!(reply.faults(), [path], "{body}");
    }
    assert_eq!(world.post(PATH, &json!({ "events": [] })).await.json(), json!({ "results": [] }));
}

#[tokio::test]
async fn a_batch_is_bounded_in_events_and_bytes() {
    let world = World::new().await;
    let events = |n: usize| json!({ "events": vec![page_view(); n] });
    let reply = world.post(PATH, &events(2_500)).await;
    assert_eq!(reply.json()["results"].as_array().map(Vec::len), Some(2_500));
    assert_eq!(
        world.post(PATH, &events(2_501)).await.problem(),
        (413, "batch_too_large".to_owned())
    );
    let reply = lines(&world, format!("{}\n", page_view()).repeat(2_501)).await;
    assert_eq!(reply.problem(), (413, "batch_too_large".to_owned()));
    let reply = lines(&world, "\n".repeat((5 << 20) + 1)).await;
    assert_eq!(reply.problem(), (413, "payload_too_large".to_owned()));
    assert_eq!(lines(&world, "\n".repeat(5 << 20)).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn when_the_log_refuses_the_whole_batch_is_to_be_sent_again() {
    let world = World::new().await;
    world.log.set_fault(Some(Fault::Full));
    let reply = world.post(PATH, &json!({ "events": [page_view(), 7] })).await;
    assert_eq!(reply.problem(), (503, "overloaded".to_owned()));
    assert_eq!(reply.header("retry-after"), "1");
}
