//! The product asking a peer: users live, situations are answered, decisions are held against what may be shown. Must not know
//! which peer it is.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::lives::Life;
use crate::client::Client;
use crate::installation::{Installation, Server, acme};
use crate::process::{eventually, run};

/// Between two looks at how far somebody is: on a small machine whoever looks all the time takes it from whom they wait for.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest list of proposals.
const MOST: usize = 500;

/// Acme with everybody guided and nothing explored, served with the say of a model behind this URL.
pub(crate) fn asking(dialect: &str, url: &str, model: &str) -> Installation {
    let everybody = acme().replace("holdout: 0.1 ", "holdout: 0 ");
    assert_ne!(everybody, acme(), "the share has another form now");
    Installation::of(&[&everybody])
        .flag("--dev")
        .flag("--policy")
        .flag("model")
        .set("PILOTAGE_MODEL_PROVIDER", dialect)
        .set("PILOTAGE_MODEL_URL", url)
        .set("PILOTAGE_MODEL_NAME", model)
        .set("PILOTAGE_MODEL_PRICE", "1/1")
        .set("PILOTAGE_MODEL_PROXY", "off")
        .set("PILOTAGE_MODEL_MODE", "live")
        .set("PILOTAGE_WRITE_BACK_MS", "50")
}

/// Everything that has happened to them happens, to each of them at once: what they are in on the way is hardly met.
pub(crate) fn live(client: &Client, lives: &[Life]) {
    for life in lives {
        let events = json!({ "events": life.events() });
        client.post("/api/v1/events/batch", &events).expect(202);
    }
}

/// The situation that somebody is in, as a page hears that can draw nothing.
fn situation(client: &Client, life: &Life) -> String {
    client.get(&format!("/api/v1/users/{}", life.user())).expect(200);
    let mut ask = life.ask();
    ask["context"]["components"] = json!(["nothing"]);
    let decision = client.post("/api/v1/decisions", &ask).expect(200);
    assert_eq!(decision["reason"], "no_candidate", "{decision}");
    decision["signature"].as_str().expect("a name").to_owned()
}

/// Waits until a model was asked about each of their situations; the last call about each.
pub(crate) fn answered(client: &Client, lives: &[Life]) -> Vec<Value> {
    let wanted: BTreeSet<String> = lives.iter().map(|life| situation(client, life)).collect();
    assert_eq!(wanted.len(), lives.len(), "two are in one situation");
    let (mut newest, mut of) = (Value::Null, BTreeMap::new());
    until(wanted.len(), "situations are answered", || {
        // The whole book is much to read, while a model needs the processor: it is looked at where it has grown.
        let last = page(client, 1)["items"][0].clone();
        if last != newest {
            newest = last;
            of = answers(client);
            of.retain(|signature, _| wanted.contains(signature));
        }
        of.len()
    });
    of.into_values().collect()
}

/// So many of the newest calls.
fn page(client: &Client, limit: usize) -> Value {
    client.get(&format!("/api/v1/proposals?limit={limit}")).expect(200)
}

/// The calls that were made, oldest first, as the book has them.
pub(crate) fn calls(client: &Client) -> Vec<Value> {
    let listed = page(client, MOST);
    assert_eq!(listed["next"], Value::Null, "more calls than one list holds");
    let mut calls = listed["items"].as_array().expect("a list").clone();
    calls.reverse();
    calls
}

/// The last call about each situation, by signature.
fn answers(client: &Client) -> BTreeMap<String, Value> {
    let signature = |call: &Value| call["brief"]["signature"].as_str().expect("a name").to_owned();
    calls(client).into_iter().map(|call| (signature(&call), call)).collect()
}

/// Waits until it has come to so many; only a stop in between is a fault.
pub(crate) fn until(wanted: usize, what: &str, mut count: impl FnMut() -> usize) {
    let mut so_far = count();
    while so_far < wanted {
        so_far = eventually(&format!("{what}, {so_far} of {wanted}"), || {
            thread::sleep(PAUSE);
            let now = count();
            (now > so_far).then_some(now)
        });
    }
}

/// What came of deciding for somebody.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Decisions for users who are not in a group for comparison.
    pub(crate) guided: usize,
    /// Decisions that heard a model.
    pub(crate) heard: usize,
    /// Guides that were truly shown.
    pub(crate) exposed: usize,
}

impl Seen {
    /// Decides for this user and shows what is to be shown. Panics where a guide has any chance that the rules give none.
    pub(crate) fn decides(&mut self, client: &Client, life: &Life) {
        let decision = client.post("/api/v1/decisions?explain=true", &life.ask()).expect(200);
        assert_ne!(decision["reason"], "degraded", "{decision}");
        let guides = decision["trace"]["guides"].as_array().expect("a trace");
        for guide in guides.iter().filter(|guide| has_a_chance(guide)) {
            let id = guide["id"].as_str().expect("an id");
            assert!(life.may_see().contains(&id), "{id} has a chance: {life:?} {decision}");
        }
        self.guided += usize::from(decision["trace"]["group"] == "guided");
        self.heard += usize::from(decision["trace"]["advice"].is_object());
        let Some(shown) = decision["guide"]["id"].as_str() else { return };
        assert!(life.may_see().contains(&shown), "{shown} is shown: {life:?} {decision}");
        let payload = json!({ "decisionId": decision["decisionId"] });
        client.post("/api/v1/events", &life.event("guide_shown", payload)).expect(202);
        self.exposed += 1;
    }
}

fn has_a_chance(guide: &Value) -> bool {
    let arms = guide["arms"].as_array().expect("arms");
    arms.iter().any(|arm| arm["propensity"].as_f64().is_some_and(|p| p > 0.0))
}

/// Decides for all of them, once what has happened is in their profiles; every guide that was shown stands in a timeline.
pub(crate) fn decide_for_all(client: &Client, lives: &[Life]) -> Seen {
    let mut seen = Seen::default();
    for life in lives {
        // What was acknowledged is in the profile once somebody has seen it there.
        client.get(&format!("/api/v1/users/{}", life.user())).expect(200);
        seen.decides(client, life);
    }
    assert_eq!(exposures(client, lives), seen.exposed);
    seen
}

fn exposures(client: &Client, lives: &[Life]) -> usize {
    let shown = |life: &Life| {
        let path = format!("/api/v1/users/{}/timeline?limit=100", life.user());
        let items = client.get(&path).expect(200)["items"].as_array().expect("items").clone();
        items.iter().filter(|item| item["outcome"] == "shown").count()
    };
    lives.iter().map(shown).sum()
}

/// Ends the server; every decision and every page of the book is what it was.
pub(crate) fn ends_whole(installation: &Installation, server: Server) {
    server.stop();
    for command in ["verify", "verify-audit"] {
        let ended = run(&mut installation.command(command));
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
    }
}

/// Says what was measured.
#[expect(clippy::print_stdout, reason = "figures are for people to read; `--nocapture` shows them")]
pub(crate) fn tell(line: &str) {
    println!("{line}");
}
