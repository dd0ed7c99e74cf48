//! A provider that takes every request and never answers: decisions go on beside it, jobs end by themselves, the breaker
//! opens. Must measure no time: what counts is what happens while a call is open.

use serde_json::{Value, json};

use crate::advised::guided;
use crate::client::Client;
use crate::installation::Installation;
use crate::process::eventually;
use crate::provider::{Hanging, base};
use crate::user::user_id;

/// As many situations as failures in a row open a breaker.
const SITUATIONS: usize = 5;
/// As a tenth of them or so is not guided, some more than that.
const USERS: std::ops::Range<u32> = 20..40;
const SECRET: &str = "sk-0f3c-not-to-be-seen";

/// The app's version of the user of that number: another situation for each.
fn version(n: u32) -> String {
    format!("{n}.1.0")
}

/// A user of the trial with a project, in that version.
fn user(client: &Client, n: u32) {
    let user = user_id(n);
    let context = json!({ "appVersion": version(n) });
    for event in [
        json!({ "eventType": "signed_up", "attributes": { "tier": "trial" } }),
        json!({ "eventType": "form_submit", "payload": { "form": "new_project", "ok": true } }),
    ] {
        let mut whole = json!({ "userId": user, "sessionId": "s", "context": context });
        whole.as_object_mut().expect("an object").extend(event.as_object().expect("one").clone());
        client.post("/api/v1/events", &whole).expect(202);
    }
}

fn decide(client: &Client, n: u32) -> Value {
    let context = json!({ "path": "/import", "appVersion": version(n) });
    let ask = json!({ "userId": user_id(n), "sessionId": "s", "context": context });
    client.post("/api/v1/decisions?explain=true", &ask).expect(200)
}

#[test]
fn nobody_waits_for_a_provider_that_hangs() {
    let provider = Hanging::start();
    let installation = Installation::of(&[&guided()])
        .flag("--dev")
        .flag("--policy")
        .flag("model")
        .set("PILOTAGE_MODEL_PROVIDER", "openai")
        .set("PILOTAGE_MODEL_URL", &base(provider.address))
        .set("PILOTAGE_MODEL_NAME", "mine")
        .set("PILOTAGE_MODEL_PRICE", "1/2")
        .set("PILOTAGE_MODEL_KEY", SECRET)
        .set("PILOTAGE_MODEL_PROXY", "off")
        .set("PILOTAGE_MODEL_MODE", "live")
        .set("PILOTAGE_MODEL_WORKERS", "8")
        .set("PILOTAGE_WRITE_BACK_MS", "50");
    let server = installation.start();
    let client = server.client();
    USERS.for_each(|n| user(&client, n));
    eventually("the model is asked about the situations", || {
        (provider.begun() >= SITUATIONS).then_some(())
    });

    // A decision that waited for a call could not be answered before that call is over.
    eventually("decisions are answered while every call is open", || {
        let (begun, left) = (provider.begun(), provider.left());
        let decisions: Vec<Value> = USERS.map(|n| decide(&client, n)).collect();
        for decision in &decisions {
            assert_eq!(decision["trace"]["advice"], Value::Null, "nobody has answered: {decision}");
        }
        (left < begun && provider.left() == left).then_some(())
    });

    // The provider never does anything: it is the job's time that ends the calls.
    eventually("the jobs give up", || (provider.left() >= SITUATIONS).then_some(()));
    let model = eventually("the breaker opens", || {
        let model = client.get("/api/v1/model").expect(200);
        (model["providers"][0]["breaker"] == "open").then_some(model)
    });
    let verdicts = &model["providers"][0]["verdicts"];
    assert!(verdicts["transport"].as_u64() >= Some(5), "{model}");
    let pages = client.get("/api/v1/proposals").expect(200);
    assert_eq!(pages["items"][0]["refusal"]["code"], "transport", "{pages}");
    assert!(decide(&client, 20)["decisionId"].is_string());
    let said = format!("{model}{pages}{}{:?}", client.get("/metrics").text, server.stop());
    assert!(said.contains("breaker opened"), "{said}");
    assert!(!said.contains("0f3c"), "the key is told");
}
