//! A judge of clients: it fails in a given order, and says afterwards what the client made of that. Must not tell the product
//! what comes.

use serde_json::{Value, json};

use super::asking::{asking, calls, decide_for_all, ends_whole, live, until};
use super::lives::Life;
use super::peer::{Peer, program, told};
use crate::client::Client;

/// More situations than there are faults.
const LIVES: u32 = 14;

/// What is to go wrong, in order, and in how many calls that is seen: one situation after the other is asked about. Where a
/// provider names no pause it fails but once at a time: of two waits of random length the second may be the shorter one, which the
/// judge takes for none.
fn faults() -> Vec<Value> {
    let fails = |status: u16| json!({ "type": "fail", "status": status });
    vec![
        json!({ "type": "fail", "status": 429, "retry_after": 1, "times": 2 }),
        fails(500),
        json!({ "type": "fail", "status": 503, "retry_after": 1 }),
        fails(529),
        fails(408),
        json!({ "type": "delay", "seconds": 1 }),
        // None of these will ever be better.
        fails(400),
        fails(401),
        fails(403),
        fails(404),
        fails(422),
    ]
}

#[test]
fn the_judge_finds_nothing_to_say() {
    for (dialect, path) in [("openai", "/v1"), ("anthropic", "/anthropic/v1")] {
        let peer = Peer::start(&mut program("llmock", &["serve", "--port", "0"]));
        let judge = Client::new(peer.address);
        judge.post("/_llmock/scenario", &json!({ "behaviors": faults() })).expect(201);
        // One situation at a time, so that each meets a fault of its own.
        let installation = asking(dialect, &peer.url(path), "gpt-4o-mini")
            .set("PILOTAGE_MODEL_KEY", "key-0f3c")
            .set("PILOTAGE_MODEL_WORKERS", "1");
        let server = installation.start();
        let client = server.client();
        let lives: Vec<Life> = (0..LIVES).map(Life::of).collect();
        live(&client, &lives);
        // Two of the first, one each of four more, and one for every situation; those with the last five are given up.
        until(20, "calls are made", || calls(&client).len());
        // What was turned down rests for half a minute, and would be asked about again.
        client.post("/api/v1/model/mode", &json!({ "mode": "off" })).expect(200);
        let code = |call: &Value| call["refusal"]["code"].as_str().unwrap_or("none").to_owned();
        let codes: Vec<String> = calls(&client).iter().map(code).collect();
        let refused = codes.iter().filter(|code| *code == "transport").count();
        assert_eq!((codes.len(), refused), (20, 11), "{codes:?}");
        assert!(decide_for_all(&client, &lives).exposed > 0);
        ends_whole(&installation, server);

        let report = told(&mut program("llmock", &["report", "--strict", "--url", &peer.url("")]));
        assert_eq!(report.code, Some(0), "{dialect}: {report:?}");
        let verdict = judge.get("/_llmock/verdict").expect(200);
        assert_eq!(
            (&verdict["attempts"], &verdict["findings"]),
            (&json!(20), &json!([])),
            "{dialect}: {verdict}"
        );
    }
}
