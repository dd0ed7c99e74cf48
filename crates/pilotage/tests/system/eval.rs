//! `pilotage eval` on the recorded answers in `evals/`. Must ask nobody.

use std::path::PathBuf;

use serde_json::Value;

use crate::process::{pilotage, run};

fn evaluation() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../evals/acme.json"))
}

#[test]
fn nothing_forbidden_is_advised() {
    let ended = run(pilotage().arg("eval").arg(evaluation()).arg("--json"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told: Value = serde_json::from_str(&ended.output).expect("JSON");
    assert_eq!((&told["forbidden"], &told["noAdvice"]), (&0.into(), &0.into()), "{told:#}");
    // One recorded answer asks for the card that was declined: the ladder takes the next best.
    assert_eq!(told["namedForbidden"], 1, "{told:#}");
    let people = run(pilotage().arg("eval").arg(evaluation()));
    assert!(people.output.contains("0 forbidden"), "{}", people.output);
}

#[test]
fn a_live_evaluation_needs_a_model() {
    let ended = run(pilotage().arg("eval").arg(evaluation()).arg("--live"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("PILOTAGE_MODEL_PROVIDER"), "{}", ended.errors);
    let scripted = run(pilotage()
        .arg("eval")
        .arg(evaluation())
        .args(["--live", "--json"])
        .env("PILOTAGE_MODEL_PROVIDER", "scripted"));
    assert_eq!(scripted.code, Some(0), "{scripted:?}");
}
