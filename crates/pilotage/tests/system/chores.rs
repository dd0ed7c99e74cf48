//! The commands that serve nothing: check, schema, openapi. Must hold their exit codes and what other programs read.

use std::path::Path;

use serde_json::{Value, json};

use crate::installation::{Installation, acme};
use crate::process::{Ended, pilotage, run};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn check(file: &Path, flags: &[&str]) -> Ended {
    run(pilotage().arg("check").arg(file).args(flags))
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.output).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn every_example_is_valid() {
    for name in ["acme", "atlas", "forms", "single"] {
        let file = Path::new(ROOT).join("examples").join(format!("{name}.yaml"));
        let ended = check(&file, &[]);
        assert_eq!((ended.code, &*ended.errors), (Some(0), ""), "{ended:?}");
        assert!(ended.output.contains("is valid"), "{}", ended.output);
        let ended = check(&file, &["--json"]);
        assert_eq!((ended.code, &json_of(&ended)["errors"]), (Some(0), &json!(0)), "{ended:?}");
    }
}

#[test]
fn every_fault_is_shown_in_its_place() {
    let text = acme()
        .replace("requires: [data]", "requires: [dta]")
        .replace("gap: 24h", "gap: 24x")
        .replace("\ncontact:", "\ncontakt:");
    let installation = Installation::of(&[]);
    let file = installation.file("broken.yaml", &text);
    let ended = check(&file, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let expected = [
        ("unknown_milestone", "      requires: [dta]", "dta"),
        ("bad_duration", "    limits: { shows: 3, gap: 24x }", "24x"),
        ("unknown_key", "contakt:", "contakt"),
    ];
    for (code, line, place) in expected {
        let (row, column) = place_of(&text, line, place);
        let head = format!("broken.yaml:{row}:{column}: error[{code}]");
        assert!(ended.output.contains(&head), "{head} is not in\n{}", ended.output);
        let margin = " ".repeat(row.to_string().len());
        let caret = format!(
            "{row} | {line}\n{margin} | {}{}\n",
            " ".repeat(column - 1),
            "^".repeat(place.len())
        );
        assert!(ended.output.contains(&caret), "{caret} is not in\n{}", ended.output);
    }
    let ended = check(&file, &["--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let told = json_of(&ended);
    let codes: Vec<&Value> =
        told["faults"].as_array().expect("faults").iter().map(|fault| &fault["code"]).collect();
    assert_eq!(codes, ["unknown_milestone", "bad_duration", "unknown_key"]);
    assert_eq!(told["errors"], 3);
}

/// Line and column, from 1, of a word in the first line that reads so.
fn place_of(text: &str, line: &str, word: &str) -> (usize, usize) {
    let row = text.lines().position(|other| other == line).expect("the line is there");
    (row + 1, line.find(word).expect("the word is there") + 1)
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let ended = check(Path::new("nowhere.yaml"), &[]);
    assert_eq!((ended.code, &*ended.output), (Some(2), ""), "{ended:?}");
    assert!(ended.errors.contains("nowhere.yaml"), "{}", ended.errors);
}

#[test]
fn help_says_what_exit_codes_mean() {
    let ended = run(pilotage().arg("--help"));
    assert_eq!((ended.code, &*ended.errors), (Some(0), ""), "{ended:?}");
    let codes: Vec<&str> = ended
        .output
        .lines()
        .skip_while(|line| *line != "Exit codes:")
        .filter_map(|line| line.trim_start().split("  ").next())
        .filter(|word| word.parse::<u8>().is_ok())
        .collect();
    assert_eq!(codes, ["0", "1", "2"], "{}", ended.output);
}

#[test]
fn the_published_documents_are_the_printed_ones() {
    for (command, file) in [("schema", "pilotage.schema.json"), ("openapi", "openapi.json")] {
        let ended = run(pilotage().arg(command));
        assert_eq!((ended.code, &*ended.errors), (Some(0), ""), "{ended:?}");
        let path = Path::new(ROOT).join("docs").join(file);
        let published = std::fs::read_to_string(path).expect("published");
        let published: Value = serde_json::from_str(&published).expect("JSON");
        assert!(json_of(&ended) == published, "docs/{file} is not what `{command}` prints");
    }
}
