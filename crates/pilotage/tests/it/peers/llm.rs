//! A real small language model in every dialect that its server speaks. It chooses badly, which is what it is here for. Must not
//! judge how well it chooses.

use serde_json::Value;

use super::asking::{answered, asking, decide_for_all, ends_whole, live, tell};
use super::lives::{Life, SITUATIONS};
use super::peer::{Peer, script};
use super::relay::Relay;
use super::unmasked;
use crate::client::Client;

fn model() -> Peer {
    Peer::start(&mut script(include_str!("llm.py")))
}

/// Asks about every situation in that dialect and decides for everyone; the questions that were asked.
fn asked_about_every_situation(peer: &Peer, dialect: &str) -> Vec<Value> {
    let relay = Relay::to(peer.address);
    // It answers one at a time.
    let installation =
        asking(dialect, &relay.url("/v1"), "smollm2").set("PILOTAGE_MODEL_WORKERS", "1");
    let server = installation.start();
    let client = server.client();
    let mut lives: Vec<Life> = (0..SITUATIONS).map(Life::of).collect();
    // What questions have in common is read once where they follow each other.
    lives.sort_by_key(Life::may_see);
    live(&client, &lives);
    let answers = answered(&client, &lives);
    let seen = decide_for_all(&client, &lives);
    assert!(seen.exposed > 0, "nobody saw anything");
    let advised = answers.iter().filter(|call| call["advice"].is_array()).count();
    tell(&format!(
        "{dialect}: {} situations, {advised} advised, {} decisions heard advice, {} guides shown, none \
         that the rules have not passed",
        answers.len(),
        seen.heard,
        seen.exposed
    ));
    assert!(advised > 0 && seen.heard > 0, "{answers:?}");
    ends_whole(&installation, server);
    // A question that was asked again counts once.
    let mut questions: Vec<Value> = Vec::new();
    for question in relay.kept().iter().map(super::relay::Exchange::asked) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions
}

#[test]
fn a_chat_with_a_schema_exposes_nothing_that_may_not_be_shown() {
    let peer = model();
    let questions = asked_about_every_situation(&peer, "openai");
    let choices: Vec<String> = questions
        .iter()
        .map(|asked| {
            let client = Client::new(peer.address);
            let answer = client.post("/v1/chat/completions", &unmasked::chat(asked)).expect(200);
            unmasked::first(&answer)
        })
        .collect();
    let breaking = unmasked::breaking(&questions, &choices, unmasked::offered_in_chat);
    tell(&format!(
        "without the mask {breaking} of {} raw choices break a precondition",
        choices.len()
    ));
    assert!(breaking > 0, "the mask would be needless: {choices:?}");
}

#[test]
fn letters_and_messages_expose_nothing_that_may_not_be_shown() {
    let peer = model();
    for dialect in ["label_logprobs", "anthropic"] {
        asked_about_every_situation(&peer, dialect);
    }
}
