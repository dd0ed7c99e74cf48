//! `pilotage evaluate`, `replay` and `export --decisions` on files and on a data folder. Must find the same in JSON and for people.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::installation::{Installation, acme};
use crate::process::{Ended, pilotage, run};
use crate::shared::Shared;
use crate::user::User;

/// Two actions, drawn alike: the first is worth twice the second.
fn log(rows: usize) -> String {
    let row = |n: usize| {
        let first = n.is_multiple_of(2);
        let reward = (n / 2) % 5 < if first { 2 } else { 1 };
        let action = |name, evaluation| json!({ "action": name, "propensity": 0.5, "evaluation": evaluation });
        json!({
            "action": if first { "a" } else { "b" }, "propensity": 0.5, "reward": i32::from(reward),
            "actions": [action("a", 0.75), action("b", 0.25)],
        })
    };
    (0..rows).map(|n| format!("{}\n", row(n))).collect()
}

fn evaluate(log: &Path, policy: &str, flags: &[&str]) -> Ended {
    let mut command = pilotage();
    run(command.arg("evaluate").arg("--log").arg(log).args(["--policy", policy]).args(flags))
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.output).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn a_log_of_others_is_evaluated() {
    let place = Installation::of(&[]);
    let file = place.file("log.jsonl", &log(1_000));
    let page = place.file("page.html", "");
    let ended = evaluate(&file, "given", &["--json", "--html", &page.display().to_string()]);
    assert_eq!((ended.code, &*ended.errors), (Some(0), ""), "{ended:?}");
    let told = json_of(&ended);
    let snips = &told["estimates"][1];
    assert_eq!(snips["estimator"], "snips");
    let value = snips["value"].as_f64().expect("a number");
    assert!((value - (0.75 * 0.4 + 0.25 * 0.2)).abs() < 1e-9, "{value}");
    assert!(snips["low"].as_f64() < Some(value) && snips["high"].as_f64() > Some(value));
    let people = evaluate(&file, "given", &[]);
    let line = people.output.lines().find(|line| line.starts_with("SNIPS "));
    assert!(line.is_some_and(|line| line.contains(&format!("{value:.5}"))), "{}", people.output);
    let page = std::fs::read_to_string(page).expect("written");
    assert!(page.contains("SNDR") && page.contains("<svg"), "{page}");
}

#[test]
fn what_can_not_be_answered_is_refused() {
    let place = Installation::of(&[]);
    let file = place.file("log.jsonl", &log(100));
    let ended = evaluate(&file, "random", &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.output.contains("no answer") && ended.output.contains("200"), "{}", ended.output);
    let told = json_of(&evaluate(&file, "random", &["--json"]));
    assert_eq!((&told["refused"]["code"], &told["estimates"]), (&json!("too_few"), &json!([])));
    let ended = evaluate(&file, "learner", &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("pilotage replay"), "{}", ended.errors);
    let broken = place.file("broken.jsonl", "{\"action\":\"a\"}\n{\"acton\":\"a\"}\n[]\n");
    let ended = evaluate(&broken, "logged", &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("line 2") && ended.errors.contains("line 3"), "{}", ended.errors);
    let other = place.file("other.yaml", "product: acme\nversion: 1\nmilestones:\n");
    let ended = evaluate(&other, "logged", &[]);
    assert!(ended.errors.contains("in any of its lines"), "{}", ended.errors);
    assert!(!ended.errors.contains("line 2:"), "one line tells enough: {}", ended.errors);
    let bare = place.file("bare.jsonl", "{\"action\":\"a\",\"propensity\":0.5,\"reward\":1}\n");
    let ended = evaluate(&bare, "random", &[]);
    assert!(ended.errors.contains("row 1: `actions`"), "{}", ended.errors);
    assert_eq!(evaluate(Path::new("nowhere.jsonl"), "logged", &[]).code, Some(2));
}

/// An installation where a guided user was offered the first guide, saw it and clicked it.
fn recorded(place: Installation) -> Installation {
    let server = place.start();
    let client = server.client();
    let user = User::of_group(&client, "guided");
    let event = user.event("signed_up", json!({}));
    let decision = user.decision("/projects", &event);
    assert_eq!(decision["guide"]["id"], "create-project", "{decision}");
    for kind in ["guide_shown", "guide_clicked"] {
        user.event(kind, json!({ "decisionId": decision["decisionId"] }));
    }
    server.stop();
    place
}

fn replay(place: &Installation, product: &Path, flags: &[&str]) -> Ended {
    let mut command: Command = pilotage();
    command.arg("replay").arg("--data").arg(place.data()).arg("--product").arg(product);
    run(command.args(flags))
}

#[test]
fn a_data_folder_is_replayed_under_an_edited_definition() {
    let place = recorded(Installation::embedded());
    let same = place.file("same.yaml", &acme());
    let told = json_of(&replay(&place, &same, &["--json"]));
    assert_eq!((&told["decisions"], &told["kinds"]), (&json!(1), &json!({ "same": 1 })), "{told}");
    assert_eq!(told["sameDefinition"], 1);
    let edited = acme().replace(
        "target: new_project_button",
        "never: { event: signed_up }\n    target: new_project_button",
    );
    assert_ne!(edited, acme());
    let edited = place.file("edited.yaml", &edited);
    let page = place.file("page.html", "");
    let ended = replay(&place, &edited, &["--json", "--html", &page.display().to_string()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = json_of(&ended);
    assert_eq!(told["because"], json!([["stopped by never", 1]]), "{told}");
    let first = &told["mostChanged"][0]["first"];
    assert!(
        first["recorded"].as_str().is_some_and(|arm| arm.starts_with("create-project/")),
        "{told}"
    );
    let people = replay(&place, &edited, &[]);
    assert!(people.output.contains("stopped by never"), "{}", people.output);
    let page = std::fs::read_to_string(page).expect("written");
    assert!(page.contains("create-project") && page.contains("<svg"), "{page}");
}

#[test]
fn traffic_in_kafka_is_replayed_where_it_is() {
    let place = recorded(Installation::shared(Shared::new()));
    let told = json_of(&run(place.command("replay").arg("--json")));
    assert_eq!((&told["decisions"], &told["kinds"]), (&json!(1), &json!({ "same": 1 })), "{told}");
    let file = place.file("decisions.parquet", "");
    let ended = run(place.command("export").arg("--decisions").arg(&file).arg("--json"));
    assert_eq!(json_of(&ended), json!({ "decisions": 1, "drawn": 1 }), "{ended:?}");
    let told = json_of(&evaluate(&file, "logged", &["--json"]));
    assert_eq!((&told["rows"], &told["refused"]["code"]), (&json!(1), &json!("nothing")), "{told}");
}

#[test]
fn what_can_not_be_replayed_is_refused() {
    let place = Installation::embedded();
    let file = place.file("acme.yaml", &acme());
    let ended = replay(&place, &file, &[]);
    assert_eq!(ended.code, Some(2), "there is no data folder: {ended:?}");
    let model = [("PILOTAGE_MODEL_PROVIDER", "scripted")];
    let ended = run(place.command("replay").args(["--policy", "model"]).envs(model));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("asks no model"), "{}", ended.errors);
    let shared = [
        ("PILOTAGE_LOG", "kafka"),
        ("PILOTAGE_STORE", "postgres"),
        ("PILOTAGE_KAFKA_BROKERS", "127.0.0.1:1"),
        ("PILOTAGE_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
    ];
    let ended = run(place.command("replay").args(["--policy", "learner"]).envs(shared));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("a data folder's log alone"), "{}", ended.errors);
    let ended = run(pilotage().arg("replay").arg("--data").arg(place.data()));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("one definition"), "{}", ended.errors);
}

#[test]
fn decisions_are_exported_in_both_forms() {
    let place = recorded(Installation::embedded());
    let export = |file: &Path| {
        let ended = run(place.command("export").arg("--decisions").arg(file).arg("--json"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(json_of(&ended), json!({ "decisions": 1, "drawn": 1 }));
    };
    let lines = place.file("decisions.jsonl", "");
    let columns = place.file("decisions.parquet", "");
    export(&lines);
    export(&columns);
    let text = std::fs::read_to_string(&lines).expect("written");
    let row: Value = serde_json::from_str(text.trim()).expect("one line");
    assert!(row["shownAt"].is_string() && row["clickedAt"].is_string(), "{row}");
    assert_eq!(
        (&row["propensity"], &row["mature"], &row["reward"]),
        (&json!(1.0), &json!(false), &json!(0.0))
    );
    let told = [&lines, &columns].map(|file| json_of(&evaluate(file, "logged", &["--json"])));
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0]["leftOut"]["notMature"], 1, "{}", told[0]);
    let laws = place.file("laws.jsonl", "");
    let product = place.file("acme.yaml", &acme());
    let flags = ["--policy", "random", "--decisions", &laws.display().to_string()];
    assert_eq!(replay(&place, &product, &flags).code, Some(0));
    let text = std::fs::read_to_string(&laws).expect("written");
    let row: Value = serde_json::from_str(text.trim()).expect("one line");
    let shares: Vec<f64> = row["actions"]
        .as_array()
        .expect("actions")
        .iter()
        .map(|action| action["evaluation"].as_f64().expect("a law"))
        .collect();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && shares[0] < 1.0, "{row}");
}
