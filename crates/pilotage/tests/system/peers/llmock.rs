//! A judge of clients: it fails as it is told, and says afterwards what the client made of that. Must not tell the product what
//! comes.

use serde_json::{Value, json};

use super::asking::{asking, calls, decide_for_all, ends_whole, live, until};
use super::lives::Life;
use super::peer::{Peer, program, told};
use crate::client::Client;
use crate::installation::Server;

/// What goes wrong with one question, and what comes of each call about it. Where a provider names no pause it fails but once: of
/// two waits of random length the second may be the shorter one, which the judge takes for none. What will never be better comes
/// last: such a question rests for half a minute, and would be asked again.
fn faults() -> Vec<(Value, Vec<&'static str>)> {
    let fails = |status: u16| json!({ "type": "fail", "status": status });
    let pauses = |status: u16, times: u32| json!({ "type": "fail", "status": status, "retry_after": 1, "times": times });
    vec![
        (json!({ "type": "delay", "seconds": 1 }), vec!["none"]),
        (pauses(429, 2), vec!["transport", "transport", "none"]),
        (pauses(503, 1), vec!["transport", "none"]),
        (fails(408), vec!["transport", "none"]),
        (fails(409), vec!["transport", "none"]),
        (fails(500), vec!["transport", "none"]),
        (fails(529), vec!["transport", "none"]),
        (fails(400), vec!["transport"]),
        (fails(401), vec!["transport"]),
        (fails(403), vec!["transport"]),
        (fails(404), vec!["transport"]),
        (fails(422), vec!["transport"]),
    ]
}

/// Lets a new situation come up under each fault; how many calls were made.
fn suffers_all(judge: &Peer, server: &Server) -> usize {
    let client = server.client();
    let mut made = 0;
    for (number, (fault, expected)) in (0..).zip(faults()) {
        // It closes a connection that nobody uses for a while.
        let script = json!({ "behaviors": [fault] });
        Client::new(judge.address).post("/_llmock/scenario", &script).expect(201);
        // A version of the app that is new each time, and two events that lead to one question.
        let lives = [Life::of(24 * number)];
        live(&client, &lives);
        until(made + expected.len(), &fault.to_string(), || calls(&client).len());
        decide_for_all(&client, &lives);
        let code = |call: &Value| call["refusal"]["code"].as_str().unwrap_or("none").to_owned();
        let codes: Vec<String> = calls(&client)[made..].iter().map(code).collect();
        assert_eq!(codes, expected, "{fault}");
        made += expected.len();
    }
    // Nothing is asked again while the judge is heard.
    client.post("/api/v1/model/mode", &json!({ "mode": "off" })).expect(200);
    made
}

#[test]
fn the_judge_finds_nothing_to_say() {
    for (dialect, path) in [("openai", "/v1"), ("anthropic", "/anthropic/v1")] {
        let peer = Peer::start(&mut program("llmock", &["serve", "--port", "0"]));
        let installation =
            asking(dialect, &peer.url(path), "gpt-4o-mini").set("PILOTAGE_MODEL_KEY", "key-0f3c");
        let server = installation.start();
        let made = suffers_all(&peer, &server);
        ends_whole(&installation, server);
        let report = told(&mut program("llmock", &["report", "--strict", "--url", &peer.url("")]));
        assert_eq!(report.code, Some(0), "{dialect}: {report:?}");
        let verdict = Client::new(peer.address).get("/_llmock/verdict").expect(200);
        assert_eq!(
            (&verdict["attempts"], &verdict["findings"]),
            (&json!(made), &json!([])),
            "{dialect}: {verdict}"
        );
    }
}
