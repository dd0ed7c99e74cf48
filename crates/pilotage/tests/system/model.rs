//! `pilotage model test` with a provider of our own on loopback: what is asked, what is told, and that no key is. Must not
//! ask anybody else.

use std::process::Command;

use serde_json::{Value, json};

use crate::installation::{Installation, acme};
use crate::process::{Ended, pilotage, run};
use crate::provider::{Fake, base, completion, direct};

const SECRET: &str = "sk-0f3c-not-to-be-seen";

/// The command, asking a model of that address.
fn asking(base: &str, product: &str) -> (Installation, Command) {
    let installation = Installation::of(&[]);
    let file = installation.file("product.yaml", product);
    let mut command = direct(pilotage());
    command
        .args(["model", "test", "--product"])
        .arg(file)
        .env("PILOTAGE_MODEL_PROVIDER", "openai")
        .env("PILOTAGE_MODEL_URL", base)
        .env("PILOTAGE_MODEL_NAME", "mine")
        .env("PILOTAGE_MODEL_PRICE", "1/2.5")
        .env("PILOTAGE_MODEL_KEY", SECRET);
    (installation, command)
}

fn told(ended: &Ended) -> Value {
    assert!(!format!("{ended:?}").contains("0f3c"), "the key is shown: {ended:?}");
    serde_json::from_str(&ended.output).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn one_question_is_asked_and_told() {
    let good = completion(r#"{"first":"connect-billing","second":"import-data"}"#);
    let fake = Fake::start(vec![good]);
    let (_installation, mut command) = asking(&base(fake.address), &acme());
    let ended = run(command.arg("--json"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = told(&ended);
    assert_eq!(told["situation"]["reached"], json!(["project"]));
    assert_eq!(told["situation"]["attributes"], json!({ "tier": "trial" }));
    let options: Vec<&Value> =
        told["brief"]["options"].as_array().expect("options").iter().map(|o| &o["id"]).collect();
    assert_eq!(options, ["connect-billing", "import-data"]);
    assert_eq!((&told["advised"], &told["calls"][0]["refusal"]), (&json!(true), &Value::Null));
    assert_eq!(told["calls"][0]["advice"][0]["option"], "connect-billing");
    assert_eq!(told["costMicroUsd"], 400 + 30);

    let asked = fake.asked();
    let [(head, request)] = &asked[..] else { panic!("{asked:?}") };
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
    assert!(head.contains(&format!("Bearer {SECRET}")), "{head}");
    assert_eq!(request["model"], "mine");
}

#[test]
fn people_read_the_same() {
    let fake = Fake::start(vec![
        completion("I would connect billing."),
        completion(r#"{"first":"open-report","second":"import-data"}"#),
    ]);
    let (_installation, mut command) = asking(&base(fake.address), &acme());
    let ended = run(&mut command);
    assert_eq!((ended.code, &*ended.errors), (Some(0), ""), "{ended:?}");
    for line in [
        "a new user, project reached, tier = trial",
        "option     import-data: The project is empty.",
        "verdict    refused: L1 form: not JSON",
        "verdict    passed: import-data",
        "passed over: L3 membership",
        "asked      openai",
        "cost       $0.000860",
    ] {
        assert!(ended.output.contains(line), "{line} is not in\n{}", ended.output);
    }
    assert_eq!(fake.asked().len(), 2);
}

#[test]
fn a_refusal_is_a_finding_and_no_log_line_has_the_key_however_much_is_logged() {
    let fake = Fake::start(vec![(401, "{}".to_owned())]);
    let (_installation, mut command) = asking(&base(fake.address), &acme());
    let ended = run(command.arg("--json").env("PILOTAGE_LOG_LEVEL", "trace"));
    assert!(ended.errors.contains("TRACE"), "nothing was logged: {ended:?}");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let told = told(&ended);
    assert_eq!((&told["advised"], &told["costMicroUsd"]), (&json!(false), &json!(0)));
    assert_eq!(told["calls"][0]["refusal"]["code"], "transport");
    fake.asked();
}

#[test]
fn the_next_one_is_asked_where_the_first_fails() {
    let first = Fake::start(vec![(400, "{}".to_owned())]);
    let good = r#"{"first":"connect-billing","second":"import-data"}"#;
    let block = json!({ "type": "tool_use", "name": "choose", "input":
        serde_json::from_str::<Value>(good).expect("JSON") });
    let message = json!({ "model": "spare-1", "stop_reason": "tool_use", "content": [block],
        "usage": { "input_tokens": 300, "output_tokens": 20 } });
    let spare = Fake::start(vec![(200, message.to_string())]);
    let (installation, mut command) = asking(&base(first.address), &acme());
    let file = installation.file(
        "pilotage.toml",
        &format!(
            "[[models]]\nid = \"spare\"\nprovider = \"anthropic\"\nurl = \"{}\"\nname = \"mine\"\n\
             price = \"3/5\"\n",
            base(spare.address)
        ),
    );
    command.arg("--config").arg(file).env("PILOTAGE_MODEL_SPARE_KEY", SECRET);
    let ended = run(command.arg("--json"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = told(&ended);
    let calls = told["calls"].as_array().expect("calls");
    let asked: Vec<&Value> = calls.iter().map(|call| &call["provider"]).collect();
    assert_eq!(asked, ["openai", "spare"]);
    assert_eq!(
        told["models"][1],
        json!({ "id": "spare", "provider": "anthropic", "name": "mine" })
    );
    // A request that was turned down costs nothing, and each has its own price, though the models' names are the same.
    assert_eq!(told["costMicroUsd"], 300 * 3 + 20 * 5);
    assert_eq!(first.asked().len(), 1);
    let (head, _) = &spare.asked()[0];
    assert!(head.to_ascii_lowercase().contains(&format!("x-api-key: {SECRET}")), "{head}");
}

#[test]
fn the_environments_proxy_is_asked_unless_it_is_off() {
    let good = completion(r#"{"first":"no_guide","second":"import-data"}"#);
    let proxy = Fake::start(vec![good]);
    let (installation, mut command) = asking("http://models.invalid/v1", &acme());
    let key = installation.file("key", &format!("{SECRET}\n"));
    command.env_remove("PILOTAGE_MODEL_KEY").env("PILOTAGE_MODEL_KEY_FILE", key);
    command.env("HTTP_PROXY", format!("http://{}", proxy.address));
    let ended = run(&mut command);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (head, _) = &proxy.asked()[0];
    assert!(head.starts_with("POST http://models.invalid/v1/chat/completions"), "{head}");
    assert!(head.contains(SECRET), "the key of the file is not in: {head}");

    let fake = Fake::start(vec![(401, "{}".to_owned())]);
    let (_installation, mut command) = asking(&base(fake.address), &acme());
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("PILOTAGE_MODEL_PROXY", "off");
    assert_eq!(run(&mut command).code, Some(1));
    assert_eq!(fake.asked().len(), 1, "it was asked directly");
}

#[test]
fn what_can_not_be_asked_is_said() {
    let (_installation, mut command) = asking("http://127.0.0.1:1/v1", &acme());
    let ended = run(command.env_remove("PILOTAGE_MODEL_PRICE"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.output.contains("openai: its price is not known: set model_price"), "{ended:?}");

    let lonely = acme().replace(
        "serves: billing\n    intent: activate",
        "serves: billing\n    lifecycle: draft\n    intent: activate",
    );
    assert_ne!(lonely, acme());
    let (_installation, mut command) = asking("http://127.0.0.1:1/v1", &lonely);
    let ended = run(&mut command);
    assert_eq!((ended.code, &*ended.output), (Some(2), ""), "{ended:?}");
    assert!(ended.errors.contains("no situation of a new user"), "{ended:?}");

    let (_installation, mut command) = asking("models.invalid", &acme());
    let ended = run(&mut command);
    assert_eq!((ended.code, &*ended.output), (Some(2), ""), "{ended:?}");
    assert!(ended.errors.contains("URL"), "{ended:?}");

    let (_installation, mut command) = asking("http://127.0.0.1:1/v1", &acme());
    let ended = run(command.env("PILOTAGE_MODEL_PROVIDER", "off"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("PILOTAGE_MODEL_PROVIDER"), "{ended:?}");
}
