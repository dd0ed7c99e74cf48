//! A real decision model over the System One protocol. Must not judge how well it chooses.

use serde_json::Value;

use super::asking::{answered, asking, decide_for_all, ends_whole, live, tell};
use super::lives::{Life, SITUATIONS};
use super::peer::{Peer, script};
use super::relay::{Exchange, Relay};
use super::unmasked;
use crate::client::Client;

#[test]
fn a_decision_model_exposes_nothing_that_may_not_be_shown() {
    let peer = Peer::start(&mut script(include_str!("sparrow.py")));
    let relay = Relay::to(peer.address);
    let installation = asking("systemone", &relay.url("/v1"), "sparrow");
    let server = installation.start();
    let client = server.client();
    let lives: Vec<Life> = (0..SITUATIONS).map(Life::of).collect();
    live(&client, &lives);
    let answers = answered(&client, &lives);
    let seen = decide_for_all(&client, &lives);
    assert!(seen.exposed > 0, "nobody saw anything");
    assert_eq!(seen.heard, seen.guided);
    for call in &answers {
        assert!(call["advice"].is_array(), "{call}");
    }
    ends_whole(&installation, server);

    let questions: Vec<Value> = relay.kept().iter().map(Exchange::asked).collect();
    let choices: Vec<String> = questions
        .iter()
        .map(|asked| {
            // It closes each connection.
            let client = Client::new(peer.address);
            let answer = client.post("/v1/systemone", &unmasked::system_one(asked)).expect(200);
            answer["answers"]["guide"]["choice"].as_str().expect("a name").to_owned()
        })
        .collect();
    let breaking = unmasked::breaking(&questions, &choices, unmasked::offered_in_system_one);
    tell(&format!(
        "without the mask {breaking} of {} raw choices break a precondition",
        choices.len()
    ));
    assert!(breaking > 0, "the mask would be needless: {choices:?}");
}
