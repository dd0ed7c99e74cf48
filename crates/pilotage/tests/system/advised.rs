//! `pilotage serve` with a model of its own: advice in a decision's trace, a review, a restart, and both verifications. Must
//! ask no provider.

use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::{Installation, Server, acme};
use crate::process::{eventually, run};
use crate::user::user_id;

/// acme with everybody guided and nothing explored.
pub(crate) fn guided() -> String {
    acme().replace("holdout: 0.1 ", "holdout: 0 ").replace("explore: 0.02 ", "explore: 0 ")
}

fn installation() -> Installation {
    Installation::of(&[&guided()])
        .flag("--dev")
        .flag("--policy")
        .flag("model")
        .set("PILOTAGE_MODEL_PROVIDER", "scripted")
        .set("PILOTAGE_MODEL_MODE", "live")
        .set("PILOTAGE_WRITE_BACK_MS", "50")
}

/// A user of the trial with a project.
fn trial(client: &Client, n: u32) -> String {
    let user = user_id(n);
    let context = json!({ "appVersion": "2.1.0" });
    let signup = json!({ "userId": user, "sessionId": "s", "eventType": "signed_up",
        "attributes": { "tier": "trial" }, "context": context });
    client.post("/api/v1/events", &signup).expect(202);
    let project = json!({ "userId": user, "sessionId": "s", "eventType": "form_submit",
        "payload": { "form": "new_project", "ok": true } });
    client.post("/api/v1/events", &project).expect(202);
    user
}

/// A decision with its trace about the next user of the trial.
fn decision(client: &Client, n: &mut u32) -> Value {
    *n += 1;
    let user = trial(client, *n);
    let context = json!({ "path": "/import", "appVersion": "2.1.0" });
    let ask = json!({ "userId": user, "sessionId": "s", "context": context });
    // What was acknowledged is in the profile once somebody has seen it there.
    client.get(&format!("/api/v1/users/{user}")).expect(200);
    client.post("/api/v1/decisions?explain=true", &ask).expect(200)
}

/// The proposal that a decision took, of whichever guided user comes next.
fn heard(client: &Client, n: &mut u32) -> String {
    eventually("a decision hears advice", || {
        let advice = &decision(client, n)["trace"]["advice"];
        advice["proposal"].as_str().map(str::to_owned)
    })
}

fn pages(server: &Server) -> Value {
    server.client().get("/api/v1/proposals").expect(200)
}

#[test]
fn advice_is_heard_reviewed_kept_and_verified() {
    let installation = installation();
    let server = installation.start();
    let client = server.client();
    let mut n = 10;
    let proposal = heard(&client, &mut n);
    let path = format!("/api/v1/proposals/{proposal}");
    let shown = client.get(&path).expect(200);
    assert_eq!((&shown["review"], &shown["provider"]), (&json!("open"), &json!("scripted")));
    assert_eq!(shown["advice"][0]["option"], shown["brief"]["options"][0]["id"]);
    let model = client.get("/api/v1/model").expect(200);
    assert_eq!(
        (&model["mode"], &model["providers"][0]["breaker"]),
        (&json!("live"), &json!("closed"))
    );
    assert!(model["providers"][0]["verdicts"]["passed"].as_u64() >= Some(1), "{model}");
    let rejected = client.post(&format!("{path}/reject"), &json!({ "by": "ann" })).expect(200);
    assert_eq!((&rejected["review"], &rejected["reviewedBy"]), (&json!("rejected"), &json!("ann")));
    for _ in 0..5 {
        let advice = decision(&client, &mut n)["trace"]["advice"].clone();
        assert_ne!(advice["proposal"], json!(proposal), "it is rejected");
    }
    client.post(&format!("{path}/approve"), &json!({})).expect(200);
    let before = pages(&server);
    server.stop();

    let server = installation.start();
    assert_eq!(pages(&server), before, "a restart keeps the book");
    assert_eq!(heard(&server.client(), &mut n), proposal);
    server.stop();
    for command in ["verify", "verify-audit"] {
        let ended = run(installation.command(command).arg("--json"));
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        let told: Value = serde_json::from_str(&ended.output).expect("JSON");
        let whole = told["whole"] == json!(true) || told["decisions"].as_u64() >= Some(5);
        assert!(whole, "{told}");
    }
}

#[test]
fn a_model_of_our_own_is_for_trying_alone() {
    let installation = Installation::of(&[&guided()]).set("PILOTAGE_MODEL_PROVIDER", "scripted");
    let ended = installation.refused();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("scripted"), "{}", ended.errors);
    let unknown = Installation::dev()
        .set("PILOTAGE_MODEL_PROVIDER", "openai")
        .set("PILOTAGE_MODEL_NAME", "nobody-knows");
    let ended = unknown.refused();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("model_price"), "{}", ended.errors);
    let without = Installation::dev().set("PILOTAGE_POLICY", "model").refused();
    assert_eq!(without.code, Some(2), "{without:?}");
    assert!(without.errors.contains("model_provider"), "{}", without.errors);
}
