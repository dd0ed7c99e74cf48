//! A provider in disorder: statuses, half answers and broken connections, by chance. Must not depend on which of them come when.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::asking::{Seen, asking, ends_whole, tell};
use super::lives::Life;
use super::peer::{Peer, node};
use super::relay::{Exchange, Relay};
use crate::process::eventually;

const DECISIONS: u32 = 1_000;
/// Each of them is met by seven users.
const SITUATIONS: u32 = 140;
/// How often each disorder happens. Answers that are none are rarer: a model that gives many of them loses its say.
const RATES: [&str; 8] = [
    "--chaos-drop",
    "0.1",
    "--chaos-disconnect",
    "0.1",
    "--chaos-ratelimit",
    "0.1",
    "--chaos-malformed",
    "0.04",
];

/// It always names a guide first that nobody here may see, then one that fits.
fn answers() -> Value {
    let names = |guide: &str| {
        let choice = json!({ "first": "create-project", "second": guide }).to_string();
        json!({
            "match": { "userMessage": format!("- {guide}:") }, "response": { "content": choice },
        })
    };
    let fixtures = ["import-data", "import-help", "open-report"].map(names);
    json!({ "fixtures": fixtures })
}

/// What went wrong, if anything.
fn kind(exchange: &Exchange) -> &'static str {
    match (exchange.status(), exchange.answer()) {
        (None, _) => "reset",
        (Some(429), _) => "429",
        (Some(500), _) => "500",
        // In one chunk, or whole.
        (Some(200), body) if String::from_utf8_lossy(body).contains("{malformed") => "malformed",
        (Some(200), _) => "answer",
        (Some(_), _) => "other",
    }
}

#[test]
fn a_thousand_decisions_stand_beside_a_provider_in_disorder() {
    let file = tempfile::NamedTempFile::with_suffix(".json").expect("a file");
    std::fs::write(file.path(), answers().to_string()).expect("written");
    let path = file.path().to_string_lossy();
    let words = [&["--port", "0", "--strict", "--fixtures", &*path][..], &RATES].concat();
    let peer = Peer::start(&mut node("@copilotkit/aimock/dist/cli.js", &words));
    let relay = Relay::to(peer.address);
    let installation =
        asking("openai", &relay.url("/v1"), "gpt-4o-mini").set("PILOTAGE_MODEL_WORKERS", "8");
    let server = installation.start();
    let client = server.client();
    let mut seen = Seen::default();
    for number in 0..DECISIONS {
        let life = Life::of(number % SITUATIONS).by_user(number);
        for event in life.events() {
            client.post("/api/v1/events", &event).expect(202);
        }
        client.get(&format!("/api/v1/users/{}", life.user())).expect(200);
        seen.decides(&client, &life);
    }
    let counted = || {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        relay.kept().iter().for_each(|exchange| *kinds.entry(kind(exchange)).or_default() += 1);
        kinds
    };
    let kinds = eventually("everything has gone wrong once", || {
        Some(counted()).filter(|kinds| {
            ["reset", "429", "500", "malformed", "answer"].iter().all(|k| kinds.contains_key(k))
        })
    });
    tell(&format!(
        "{DECISIONS} decisions, {} guides shown, {} heard advice; calls: {kinds:?}",
        seen.exposed, seen.heard
    ));
    assert!(!kinds.contains_key("other"), "{kinds:?}");
    assert!(seen.exposed > 0 && seen.heard > 0, "{seen:?}");
    ends_whole(&installation, server);
}
