//! A real small language model in every dialect that its server speaks. It chooses badly, which is what it is here for. Must not
//! judge how well it chooses.

use serde_json::Value;

use super::asking::{Seen, answered, asking, decide_for_all, ends_whole, live, tell};
use super::lives::{Life, SITUATIONS};
use super::peer::{Peer, script};
use super::relay::{Exchange, Relay};
use super::unmasked;
use crate::client::Client;

/// How many pairs of guides there are to choose from.
const PAIRS: u32 = 6;

/// The model, with its own form of a chat, which knows no tool.
fn model() -> Peer {
    Peer::start(&mut script(include_str!("llm.py")))
}

/// The same, with a form in which a message may use a tool.
fn model_with_tools() -> Peer {
    Peer::start(script(include_str!("llm.py")).arg(include_str!("llm.jinja")))
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
    lives.sort_by_key(Life::as_asked);
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
    let mut questions: Vec<Value> = relay.kept().iter().map(Exchange::asked).collect();
    questions.retain(|asked| !unmasked::is_repair(asked));
    questions.sort_by_key(Value::to_string);
    questions.dedup();
    Came { questions, advised, seen }
}

/// How a dialect is asked without the mask.
struct Bare {
    dialect: &'static str,
    path: &'static str,
    /// The same question about every guide of the catalogue.
    unmasked: fn(&Value) -> Value,
    /// What an answer chooses, where it does.
    choice: fn(&Value) -> Option<String>,
    /// What a question offers as the product asks it.
    offered: fn(&Value) -> Vec<String>,
}

/// Asks about all situations with the mask, then without it, and says how many raw choices break a precondition.
fn chooses(peer: &Peer, bare: &Bare) {
    let Came { questions, advised, seen } = asked_about(peer, bare.dialect, SITUATIONS);
    assert!(advised > 0 && seen.heard > 0 && seen.exposed > 0, "{advised} {seen:?}");
    assert!(questions.len() >= SITUATIONS as usize, "{} questions", questions.len());
    let chosen = |asked: Value| {
        let client = Client::new(peer.address);
        let answer = client.post(bare.path, &(bare.unmasked)(&asked)).expect(200);
        Some((asked, (bare.choice)(&answer)?))
    };
    let answers = questions.len();
    let (questions, choices): (Vec<Value>, Vec<String>) =
        questions.into_iter().filter_map(chosen).unzip();
    let breaking = unmasked::breaking(&questions, &choices, bare.offered);
    tell(&format!(
        "{}: without the mask {breaking} of {} raw choices break a precondition, in {answers} answers",
        bare.dialect,
        choices.len()
    ));
    assert!(breaking > 0, "the mask would be needless: {choices:?}");
}

#[test]
fn a_chat_with_a_schema_exposes_nothing_that_may_not_be_shown() {
    let bare = Bare {
        dialect: "openai",
        path: "/v1/chat/completions",
        unmasked: unmasked::chat,
        choice: unmasked::first,
        offered: unmasked::offered_in_chat,
    };
    chooses(&model(), &bare);
}

#[test]
fn letters_expose_nothing_that_may_not_be_shown() {
    let bare = Bare {
        dialect: "label_logprobs",
        path: "/v1/chat/completions",
        unmasked: unmasked::letters,
        choice: unmasked::lettered,
        offered: unmasked::offered_by_letter,
    };
    chooses(&model(), &bare);
}

#[test]
fn messages_expose_nothing_that_may_not_be_shown() {
    let bare = Bare {
        dialect: "anthropic",
        path: "/v1/messages",
        unmasked: unmasked::messages,
        choice: unmasked::used,
        offered: unmasked::offered_in_messages,
    };
    chooses(&model_with_tools(), &bare);
}

/// A server that does not hold its model to the tool: it writes at length, and is refused. Prose is no choice, so none is counted, and
/// it is asked about one situation of each pair of guides.
#[test]
fn prose_in_messages_exposes_nothing_that_may_not_be_shown() {
    let Came { questions, advised, seen } = asked_about(&model(), "anthropic", PAIRS);
    assert!(questions.len() >= PAIRS as usize, "{seen:?}");
    assert_eq!((advised, seen.heard), (0, 0), "prose is no advice");
}
