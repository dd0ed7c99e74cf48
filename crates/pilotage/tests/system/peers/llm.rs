//! A real small language model in every dialect that its server speaks. It chooses badly, which is what it is here for. Must not
//! judge how well it chooses.

use serde_json::Value;

use super::asking::{Seen, answered, asking, decide_for_all, ends_whole, live, tell};
use super::lives::{Life, SITUATIONS};
use super::peer::{Peer, script};
use super::relay::Relay;
use super::unmasked;
use crate::client::Client;

/// How many pairs of guides there are to choose from.
const PAIRS: u32 = 6;

fn model() -> Peer {
    Peer::start(&mut script(include_str!("llm.py")))
}

/// What came of asking about some situations.
struct Came {
    /// The questions, each once.
    questions: Vec<Value>,
    /// Situations that there is advice about.
    advised: usize,
    seen: Seen,
}

/// Asks about so many situations in that dialect and decides for everyone.
fn asked_about(peer: &Peer, dialect: &str, situations: u32) -> Came {
    let relay = Relay::to(peer.address);
    // It answers one at a time.
    let installation =
        asking(dialect, &relay.url("/v1"), "smollm2").set("PILOTAGE_MODEL_WORKERS", "1");
    let server = installation.start();
    let client = server.client();
    let mut lives: Vec<Life> = (0..situations).map(Life::of).collect();
    // What questions have in common is read once where they follow each other.
    lives.sort_by_key(Life::may_see);
    live(&client, &lives);
    let answers = answered(&client, &lives);
    let seen = decide_for_all(&client, &lives);
    let advised = answers.iter().filter(|call| call["advice"].is_array()).count();
    tell(&format!(
        "{dialect}: {} situations, {advised} advised, {} decisions heard advice, {} guides shown, none \
         that the rules have not passed",
        answers.len(),
        seen.heard,
        seen.exposed
    ));
    ends_whole(&installation, server);
    // A question that was asked again counts once.
    let mut questions: Vec<Value> = Vec::new();
    for question in relay.kept().iter().map(super::relay::Exchange::asked) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    Came { questions, advised, seen }
}

/// What the model chooses, asked the same with every guide of the catalogue; questions without a choice are left out.
fn raw(
    peer: &Peer,
    questions: Vec<Value>,
    unmasked: fn(&Value) -> Value,
    choice: fn(&Value) -> Option<String>,
) -> (Vec<Value>, Vec<String>) {
    let chosen = |asked: Value| {
        let client = Client::new(peer.address);
        let answer = client.post("/v1/chat/completions", &unmasked(&asked)).expect(200);
        Some((asked, choice(&answer)?))
    };
    questions.into_iter().filter_map(chosen).unzip()
}

fn tell_raw(breaking: usize, choices: &[String]) {
    tell(&format!(
        "without the mask {breaking} of {} raw choices break a precondition",
        choices.len()
    ));
    assert!(breaking > 0, "the mask would be needless: {choices:?}");
}

#[test]
fn a_chat_with_a_schema_exposes_nothing_that_may_not_be_shown() {
    let peer = model();
    let Came { questions, advised, seen, .. } = asked_about(&peer, "openai", SITUATIONS);
    assert!(advised > 0 && seen.heard > 0 && seen.exposed > 0, "{advised} {seen:?}");
    let first = |answer: &Value| Some(unmasked::first(answer));
    let (questions, choices) = raw(&peer, questions, unmasked::chat, first);
    tell_raw(unmasked::breaking(&questions, &choices, unmasked::offered_in_chat), &choices);
}

#[test]
fn letters_expose_nothing_that_may_not_be_shown() {
    let peer = model();
    let Came { questions, advised, seen, .. } = asked_about(&peer, "label_logprobs", SITUATIONS);
    assert!(advised > 0 && seen.heard > 0 && seen.exposed > 0, "{advised} {seen:?}");
    let (questions, choices) = raw(&peer, questions, unmasked::letters, unmasked::lettered);
    tell_raw(unmasked::breaking(&questions, &choices, unmasked::offered_by_letter), &choices);
}

/// The server does not hold this model to the tool: it writes at length, and is refused. So it is asked about one situation of each
/// pair of guides, and what it costs is time. Prose is no choice: there are no raw ones to count.
#[test]
fn messages_expose_nothing_that_may_not_be_shown() {
    let Came { questions, seen, .. } = asked_about(&model(), "anthropic", PAIRS);
    assert!(questions.len() >= PAIRS as usize, "{seen:?}");
}
