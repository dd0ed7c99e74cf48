//! Asking models, as people see it: figures, proposals, reviews, modes. Must see the effect on decisions, too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::price::{Price, PriceTable};
use pilotage_domain::id::ProviderId;
use pilotage_domain::number::Probability;
use pilotage_engine::advise::{Provider, Setup};
use pilotage_engine::memory::model::Line;
use pilotage_engine::memory::{Fault, Scripted};
use pilotage_engine::port::book::{Book, Reading};
use pilotage_wire::model::{Dialect, Prompt, TokenLimit};
use serde_json::{Value, json};

use crate::world::{Plan, USER, World};

/// Far longer than anything takes; only a fault reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

fn completion(content: &str) -> Line {
    let message = json!({ "content": content });
    let chosen = json!({ "finish_reason": "stop", "message": message });
    let usage = json!({ "prompt_tokens": 400, "completion_tokens": 12 });
    Line::says(json!({ "choices": [chosen], "usage": usage }).to_string())
}

/// A server whose model first says this, then that.
async fn asking(answers: [&'static str; 2]) -> World {
    let play = move |place: usize, _: &[u8]| completion(answers[place.min(1)]);
    let price = Price { input: MicroUsd::new(1_000_000), output: MicroUsd::new(2_000_000) };
    let id = ProviderId::new("main").expect("an identifier");
    let limit = TokenLimit::MaxTokens;
    let model = Arc::new(Scripted::of(play));
    let setup = Setup {
        providers: vec![Provider::new(id, Dialect::OpenAi, "model-1", limit, model)],
        prices: PriceTable::built_in().with("model-1", price),
        caps: Caps { month: MicroUsd::dollars(1), ..Caps::default() },
        mode: Mode::Review,
        canary: Probability::ONE,
        prompt: Prompt::newest(),
        workers: 1,
    };
    let plan = Plan { advisor: Some(Arc::new(setup)), ..Plan::default() };
    let world = World::with(plan).await;
    let body = json!({ "userId": USER, "sessionId": "s1", "eventType": "signed_up",
        "attributes": { "tier": "trial" }, "context": { "appVersion": "2.1.0" } });
    assert_eq!(world.post("/api/v1/events", &body).await.status.as_u16(), 202);
    world.event("form_submit", json!({ "form": "new_project", "ok": true })).await;
    world
}

async fn until(world: &World, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let body = world.get(path).await.json();
        if holds(&body) {
            return body;
        }
        assert!(start.elapsed() < PATIENCE, "{body:#}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const GOOD: &str = r#"{"first":"connect-billing","second":"import-data"}"#;

#[tokio::test]
async fn a_proposal_is_listed_reviewed_and_heard() {
    let world = asking([GOOD; 2]).await;
    let listed = |body: &Value| body["items"].as_array().is_some_and(|items| items.len() == 1);
    let list = until(&world, "/api/v1/proposals", listed).await;
    let item = &list["items"][0];
    assert_eq!((&item["review"], &list["next"]), (&json!("open"), &Value::Null));
    assert_eq!(item["advice"][0]["option"], "connect-billing");
    assert_eq!(item["costMicroUsd"], 424);
    let path = format!("/api/v1/proposals/{}", item["id"].as_str().expect("an id"));
    assert_eq!(world.get(&path).await.json(), *item);
    let explained = "/api/v1/decisions?explain=true";
    let before = world.post(explained, &crate::world::ask("/nowhere")).await.json();
    assert_eq!(before["trace"]["advice"], Value::Null, "nobody has approved it");
    let approved = world.post(&format!("{path}/approve"), &json!({ "by": "ann" })).await.json();
    let said = (&approved["review"], &approved["reviewedBy"]);
    assert_eq!(said, (&json!("approved"), &json!("ann")));
    let after = world.post(explained, &crate::world::ask("/import")).await.json();
    assert_eq!(after["trace"]["advice"]["proposal"], item["id"], "{after:#}");
    assert_eq!(after["trace"]["advice"]["strength"], json!(1.0));
    let rejected = world.post_empty(format!("{path}/reject")).await.json();
    assert_eq!((&rejected["review"], &rejected["reviewedBy"]), (&json!("rejected"), &Value::Null));
    let model = world.get("/api/v1/model").await.json();
    assert_eq!(model["budget"]["monthMicroUsd"], 424);
    assert_eq!(model["providers"][0]["verdicts"]["passed"], 1);
    assert!(model["decisions"]["newest"].as_u64() >= Some(1), "{model:#}");
    let metrics = world.get("/metrics").await.text;
    let line = r#"pilotage_model_calls_total{provider="main",verdict="passed"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn a_refused_proposal_is_shown_and_can_not_be_approved() {
    let world = asking([r#"{"first":"DROP TABLE","second":"guides"}"#; 2]).await;
    let listed = |body: &Value| body["items"].as_array().is_some_and(|items| !items.is_empty());
    let list = until(&world, "/api/v1/proposals?limit=1", listed).await;
    let item = &list["items"][0];
    assert_eq!(item["refusal"]["code"], "membership");
    assert!(!list.to_string().contains("DROP"), "a provider's own words are not kept");
    let path = format!("/api/v1/proposals/{}", item["id"].as_str().expect("an id"));
    let reply = world.post_empty(format!("{path}/approve")).await;
    assert_eq!(reply.problem(), (409, "proposal_refused".to_owned()));
    for unknown in ["1", "999", "x"] {
        let reply = world.get(&format!("/api/v1/proposals/{unknown}")).await;
        assert_eq!(reply.problem(), (404, "unknown_proposal".to_owned()), "{unknown}");
    }
    let faults = world.get("/api/v1/proposals?limit=0&cursor=x").await.faults();
    assert_eq!(faults, ["query.limit", "query.cursor"]);
}

#[tokio::test]
async fn a_mode_is_set_for_the_product_and_for_guides() {
    let world = asking([GOOD; 2]).await;
    let set = async |body: Value| world.post("/api/v1/model/mode", &body).await;
    let model = set(json!({ "mode": "canary", "by": "ann" })).await.json();
    assert_eq!((&model["mode"], &model["guides"]["import-data"]), (&json!("canary"), &Value::Null));
    let model = set(json!({ "mode": "shadow", "guide": "import-data" })).await.json();
    assert_eq!(model["guides"]["import-data"], "shadow");
    let unknown = set(json!({ "mode": "off", "guide": "nothing" })).await;
    assert_eq!(unknown.problem(), (404, "unknown_guide".to_owned()));
    assert_eq!(set(json!({ "mode": "on", "by": 7 })).await.faults(), ["mode", "by"]);
    assert_eq!(set(json!({})).await.faults(), ["mode"]);
    world.store.set_fault(Some(Fault::Unavailable));
    let away = set(json!({ "mode": "live" })).await;
    assert_eq!(away.problem(), (503, "unavailable".to_owned()));
}

#[tokio::test]
async fn without_a_model_there_is_nothing_to_see() {
    let world = World::new().await;
    let model = world.get("/api/v1/model").await.json();
    assert_eq!((&model["mode"], &model["providers"]), (&json!("off"), &json!([])));
    assert_eq!(world.get("/api/v1/proposals").await.json(), json!({ "items": [] }));
    assert!(!world.get("/metrics").await.text.contains("pilotage_model_"));
    // What nobody would go by is not set, and nothing is written down of it.
    let set = world.post("/api/v1/model/mode", &json!({ "mode": "live" })).await;
    assert_eq!(set.problem(), (400, "validation_failed".to_owned()));
    assert_eq!(set.faults(), ["mode"]);
    let asked = Reading { after: 0, answers_since: None, limit: 10 };
    assert_eq!(world.store.pages(asked).await.expect("a book").len(), 0);
}
