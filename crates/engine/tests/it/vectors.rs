//! Decisions with their proofs, written down for others: the SDK's test works the same hashes out of the same JSON, by what
//! `decide::validation_hash` says and without a line of ours. Must be made by an engine, not by hand.

use std::fmt::Write;

use pilotage_engine::Options;
use pilotage_engine::port::store::Store;
use pilotage_wire::api::decision::DecisionRecord;
use serde_json::{Value, json};

use crate::world::{World, event, product, user};

/// A product that never changes, with text that JSON has to escape.
const PRODUCT: &str = r#"
format: 1
product: acme
version: 1
userId: any
attributes:
  nick: { type: text }
journey:
  activation: looked
  milestones:
    - { id: looked, name: Looked around, reached: { event: page_view, count: 3 } }
routes:
  home: { path: /home }
targets:
  menu: { route: home, anchor: '[data-guide="menu"]' }
guides:
  - id: look
    about: Look around.
    serves: looked
    intent: activate
    target: menu
    component: tooltip
    action: { route: home }
    limits: { shows: 1 }
    variants:
      - id: plain
        copy:
          en: { title: "Say \"hi\", {nick|you} ✓", body: 'A \ and a / and ünïcode 🙂', cta: Go }
"#;

/// The file that both sides read; made of the text that this test prints where it differs.
const VECTORS: &str = include_str!("../../../../web/sdk/test/validation.json");

async fn vectors() -> Value {
    let world = World::with(PRODUCT.to_owned(), Options::default()).await;
    let mut decisions = Vec::new();
    for n in 1..=2 {
        let mut seen = event(&user(n), "page_view", r#"{"path":"/home"}"#);
        seen.attributes =
            serde_json::value::RawValue::from_string(r#"{"nick":"Zoë"}"#.to_owned()).ok();
        if n == 2 {
            seen.attributes = None;
        }
        world.send(seen).await;
        // The second time the one exposure is reserved: nothing is shown.
        for _ in 0..2 {
            let decision = world.decide(&user(n), "/home").await;
            decisions.push(serde_json::to_value(DecisionRecord::new(&decision)).expect("written"));
        }
    }
    for decision in &mut decisions {
        decision.as_object_mut().expect("an object").remove("trace");
    }
    let key = world.store.secret("validation", [0; 32]).await.expect("memory answers");
    let hex = key.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    json!({ "key": hex, "product": product().as_str(), "decisions": decisions })
}

#[tokio::test]
async fn the_vectors_of_the_sdk_are_what_an_engine_decides() {
    let made = vectors().await;
    let outcomes: Vec<&Value> =
        made["decisions"].as_array().expect("a list").iter().map(|d| &d["outcome"]).collect();
    assert_eq!(outcomes, ["show", "withhold", "show", "withhold"]);
    let kept: Value = serde_json::from_str(VECTORS).expect("JSON");
    assert_eq!(made, kept, "{}", serde_json::to_string_pretty(&made).expect("written"));
}
