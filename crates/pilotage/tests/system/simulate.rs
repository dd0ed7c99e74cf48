//! `pilotage simulate` as programs and people call it. Must not judge the figures: the room of simulations does.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::process::{pilotage, run};

const BRIEF: [&str; 6] = ["simulate", "--world", "tiny", "--visitors", "3", "--json"];

#[test]
fn progress_is_told_on_a_terminal_beside_the_json_too() {
    let piped = run(pilotage().args(BRIEF));
    assert_eq!((piped.code, &*piped.errors), (Some(0), ""), "{piped:?}");
    let told: Value = serde_json::from_str(&piped.output).expect("JSON");
    assert_eq!(told.as_array().map(Vec::len), Some(1), "one world");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("told.json");
    let line =
        format!("'{}' {} > '{}'", env!("CARGO_BIN_EXE_pilotage"), BRIEF.join(" "), file.display());
    let seen = run(Command::new("script").args(["-qec", &line, "/dev/null"]));
    assert_eq!(seen.code, Some(0), "{seen:?}");
    assert!(seen.output.contains("1/1 tiny: "), "{seen:?}");
    assert_eq!(fs::read_to_string(&file).expect("written"), piped.output, "the same bytes");
}
