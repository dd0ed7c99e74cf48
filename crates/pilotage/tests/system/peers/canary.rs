//! That no byte of what a user writes, is called or looks at goes out to a model, in a whole run of the product. Must see every
//! byte that arrives.

use serde_json::{Value, json};

use super::asking::{asking, until};
use super::peer::{Peer, program};
use super::relay::Relay;
use crate::client::Client;
use crate::process::Ended;

/// Stands in everything that a user can write.
const MARK: &str = "kanarie7q";
/// The user's id is made of these alone.
const USER: &str = "5ec2e75e-1d5e-4c2e-85ec-2e75e1d5ec2e";

/// What the provider wants to see; it goes out, and nowhere else.
const KEY: &str = "sk-0f3c-not-to-be-seen";

/// Every path by which something of a user comes in.
fn lives(client: &Client) {
    let caller = |kind: &str, payload: Value| {
        json!({
            "userId": USER, "sessionId": format!("s-{MARK}"), "eventType": kind, "payload": payload,
            "eventId": format!("{MARK}-{kind}"), "anonymousId": format!("a-{MARK}"),
            "context": context(),
        })
    };
    let free = json!({
        "form": format!("{MARK}-form"), "error": format!("{MARK}-error"), MARK: [MARK, { MARK: MARK }],
        "url": format!("https://{MARK}.example/{MARK}?q={MARK}#{MARK}"),
    });
    let mut signup = caller("signed_up", free.clone());
    signup["attributes"] = json!({
        "tier": "trial", "firstName": format!("Ann {MARK}"), "seats": 31_337_421, MARK: MARK,
    });
    client.post("/api/v1/events", &signup).expect(202);
    let project = caller("form_submit", json!({ "form": "new_project", "ok": true, "name": MARK }));
    client.post("/api/v1/events", &project).expect(202);
    let batch =
        json!({ "events": [caller("page_view", free.clone()), caller("button_click", free)] });
    client.post("/api/v1/events/batch", &batch).expect(202);
}

/// Of the version its first number goes out, and no other.
fn context() -> Value {
    json!({
        "appVersion": format!("2.31337.421-{MARK}"), "locale": format!("x-{MARK}"),
        "path": format!("/import/{MARK}?name={MARK}#{MARK}"), "timezone": MARK,
    })
}

/// What people do once there is advice: decisions, outcomes, reviews, looking up.
fn goes_on(client: &Client) {
    let mut context = context();
    context["components"] = json!(["tooltip", "hotspot", MARK]);
    let ask = json!({ "userId": USER, "sessionId": format!("s-{MARK}"), "context": context });
    let decision = client.post("/api/v1/decisions?explain=true", &ask).expect(200);
    let payload = json!({ "decisionId": decision["decisionId"], MARK: MARK });
    let dismissed = json!({
        "userId": USER, "sessionId": MARK, "eventType": "tooltip_dismiss", "payload": payload,
    });
    client.post("/api/v1/events", &dismissed).expect(202);
    client.get(&format!("/api/v1/users/{USER}/timeline")).expect(200);
}

/// Whether anything of the user stands in it, as it is or by another spelling.
fn leaks(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let hex: String = MARK.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bare = USER.replace('-', "");
    let marks = [MARK, &hex, USER, &bare, "31337", "ann "];
    marks.iter().any(|mark| text.contains(mark))
}

/// A whole run, from the first event to the end; what was sent to the model, and what the product said.
fn run_of(dialect: &str, peer: &Peer, path: &str) -> (Vec<u8>, Ended) {
    let relay = Relay::to(peer.address);
    let installation =
        asking(dialect, &relay.url(path), "jev-1.13.0").set("PILOTAGE_MODEL_KEY", KEY);
    let server = installation.start();
    let client =
        server.client().with("user-agent", MARK).with("cookie", MARK).with("referer", MARK);
    lives(&client);
    until(1, "somebody is asked", || relay.kept().len());
    goes_on(&client);
    let ended = server.stop();
    (relay.kept().iter().flat_map(|exchange| exchange.sent.clone()).collect(), ended)
}

#[test]
fn nothing_of_a_user_arrives_at_a_model() {
    let chats = Peer::start(&mut program("llmock", &["serve", "--port", "0"]));
    let decides = Peer::start(&mut program("jevcompat", &["mock", "--port", "0"]));
    for (dialect, peer, path) in [
        ("openai", &chats, "/v1"),
        ("label_logprobs", &chats, "/v1"),
        ("anthropic", &chats, "/anthropic/v1"),
        ("decisions", &chats, "/v1"),
        ("systemone", &decides, "/v1"),
    ] {
        let (bytes, ended) = run_of(dialect, peer, path);
        let sent = String::from_utf8_lossy(&bytes);
        assert!(sent.contains("trial") && sent.contains("import-data"), "{dialect}: {sent}");
        assert!(!leaks(&bytes), "{dialect}: {sent}");
        assert!(!leaks(ended.errors.as_bytes()), "{dialect}: {}", ended.errors);
        assert!(sent.contains(KEY), "{dialect}: {sent}");
        assert!(!format!("{ended:?}").contains("0f3c"), "{dialect}: the key is shown");
    }
}

#[test]
fn a_leak_would_be_seen() {
    for leak in [MARK, "/IMPORT/KANARIE7Q", USER, "5ec2e75e1d5e4c2e85ec2e75e1d5ec2e", "2.31337.421"]
    {
        assert!(leaks(format!("{{\"x\":\"{leak}\"}}").as_bytes()), "{leak}");
    }
    assert!(!leaks(b"{\"tier\":\"trial\",\"appVersion.major\":2}"));
}
