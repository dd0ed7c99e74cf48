//! Single events. Must find every event that was answered 202, and none that was not.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use pilotage_engine::memory::Fault;
use serde_json::{Value, json};

use crate::world::{USER, World, page_view, post, with_header};

#[tokio::test]
async fn an_event_is_taken_once_and_found() {
    let world = World::new().await;
    let mut event = page_view();
    event["eventId"] = json!("e1");
    event["context"] = json!({ "path": "/projects", "appVersion": "2.1.0", "locale": "de" });
    event["attributes"] = json!({ "tier": "trial", "unheard": 1 });
    for _ in 0..2 {
        let reply = world
            .send(with_header(post("/api/v1/events", &event), "x-api-version", "2024-10-01"))
            .await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        assert_eq!(reply.json(), json!({ "status": "queued", "eventId": "e1" }));
    }
    let user = world.get(&format!("/api/v1/users/{USER}")).await.json();
    assert_eq!(user["events"], 1);
    assert_eq!(user["attributes"]["tier"], "trial");
    assert_eq!(user["attributes"]["appVersion"], "2.1.0");
}

#[tokio::test]
async fn an_event_without_an_id_is_given_one() {
    let world = World::new().await;
    let first = world.event("page_view", json!({})).await;
    let second = world.event("page_view", json!({})).await;
    assert!(first.starts_with("evt_"));
    assert_ne!(first, second);
}

#[tokio::test]
async fn every_fault_is_listed_and_nothing_is_taken() {
    let world = World::new().await;
    let body =
        json!({ "userId": "nobody", "eventType": "odd", "payload": 7, "context": { "path": 1 } });
    let reply = world.post("/api/v1/events", &body).await;
    assert_eq!(reply.problem(), (400, "validation_failed".to_owned()));
    assert_eq!(reply.json()["error"], "Validation failed");
    assert_eq!(reply.json()["type"], "/docs/errors/validation_failed");
    assert_eq!(reply.faults(), ["userId", "sessionId", "eventType", "payload", "context.path"]);
    assert_eq!(world.get("/api/v1/report").await.json()["groups"][0]["users"], 0);
}

#[tokio::test]
async fn what_is_not_json_or_not_text_is_refused() {
    let world = World::new().await;
    let send = |bytes: Vec<u8>| {
        let request = Request::post("/api/v1/events").header("content-type", "application/json");
        world.send(request.body(Body::from(bytes)).expect("a request"))
    };
    for bytes in [&b""[..], b"{", b"[]", b"{\"userId\":\"\xff\"}"] {
        let reply = send(bytes.to_vec()).await;
        assert_eq!(reply.problem().0, 400);
        assert_eq!(reply.faults(), [""]);
    }
}

#[tokio::test]
async fn media_types_and_codings_are_told_apart() {
    let world = World::new().await;
    let send = |kind: &'static str, coding: Option<&'static str>| {
        let mut request = post("/api/v1/events", &page_view());
        request = with_header(request, "content-type", kind);
        if let Some(coding) = coding {
            request = with_header(request, "content-encoding", coding);
        }
        world.send(request)
    };
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(send(kind, Some("identity")).await.status, StatusCode::ACCEPTED, "{kind}");
    }
    for kind in ["text/plain", "application/x-ndjson", "application/jsonx", "multipart/form-data"] {
        assert_eq!(
            send(kind, None).await.problem(),
            (415, "unsupported_media_type".to_owned()),
            "{kind}"
        );
    }
    assert_eq!(send("application/json", Some("gzip")).await.status.as_u16(), 415);
    let bare = Request::post("/api/v1/events").body(Body::from(page_view().to_string()));
    assert_eq!(world.send(bare.expect("a request")).await.status.as_u16(), 415);
}

fn event_of(bytes: usize) -> Value {
    let mut event = page_view();
    event["payload"] = json!({ "blob": "" });
    let rest = event.to_string().len();
    event["payload"]["blob"] = json!("x".repeat(bytes - rest));
    assert_eq!(event.to_string().len(), bytes);
    event
}

#[tokio::test]
async fn an_event_may_be_one_mebibyte_and_not_a_byte_more() {
    let world = World::new().await;
    assert_eq!(world.post("/api/v1/events", &event_of(1 << 20)).await.status, StatusCode::ACCEPTED);
    let reply = world.post("/api/v1/events", &event_of((1 << 20) + 1)).await;
    assert_eq!(reply.problem(), (413, "payload_too_large".to_owned()));
}

#[tokio::test]
async fn the_bound_holds_for_bodies_that_do_not_say_their_length() {
    let world = World::new().await;
    let pieces = |bytes: usize| {
        let text = event_of(bytes).to_string().into_bytes();
        let pieces: Vec<_> =
            text.chunks(10_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        Request::post("/api/v1/events")
            .header("content-type", "application/json")
            .body(body)
            .expect("a request")
    };
    assert_eq!(world.send(pieces(1 << 20)).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.send(pieces((1 << 20) + 1)).await.status.as_u16(), 413);
}

#[tokio::test]
async fn a_full_or_broken_log_is_said_to_be_so() {
    let world = World::new().await;
    world.log.set_fault(Some(Fault::Full));
    let reply = world.post("/api/v1/events", &page_view()).await;
    assert_eq!(reply.problem(), (503, "overloaded".to_owned()));
    assert_eq!(reply.json()["error"], "Service temporarily unavailable");
    assert_eq!(reply.header("retry-after"), "1");
    world.log.set_fault(Some(Fault::Unavailable));
    let reply = world.post("/api/v1/events", &page_view()).await;
    assert_eq!(reply.problem(), (503, "unavailable".to_owned()));
    assert_eq!(reply.header("retry-after"), "5");
    world.log.set_fault(None);
    assert_eq!(world.post("/api/v1/events", &page_view()).await.status, StatusCode::ACCEPTED);
    // A topic that somebody made by hand may take less than the API does.
    world.log.set_largest(10);
    let reply = world.post("/api/v1/events", &page_view()).await;
    assert_eq!(reply.problem(), (413, "payload_too_large".to_owned()));
    let batch = json!({ "events": [page_view()] });
    let reply = world.post("/api/v1/events/batch", &batch).await;
    assert_eq!(reply.problem(), (503, "unavailable".to_owned()), "others of it would be dropped");
}

#[tokio::test]
async fn a_request_id_is_kept_or_given() {
    let world = World::new().await;
    let ours = world
        .send(with_header(post("/api/v1/events", &page_view()), "x-request-id", "abc-1"))
        .await;
    assert_eq!(ours.header("x-request-id"), "abc-1");
    let odd =
        world.send(with_header(post("/api/v1/events", &page_view()), "x-request-id", "<b>")).await;
    assert!(odd.header("x-request-id").starts_with("req_"));
    assert_eq!(odd.header("x-content-type-options"), "nosniff");
    assert_eq!(odd.header("cache-control"), "no-store");
}
