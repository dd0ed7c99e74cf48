//! The corpus of product files: examples that load, and broken ones of which each says what is wrong with it. Must not
//! test how a fault is worded.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pilotage_domain::definition::fault::{Fault, FaultCode};
use pilotage_wire::yaml::{self, Colour};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every product file of a folder, by name, in order.
fn files(name: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder(name)).expect("the folder is part of the repository");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    let read = |path: PathBuf| {
        let name = path.file_name().expect("it has one").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("UTF-8"))
    };
    let mut files: Vec<_> = yaml.map(read).collect();
    files.sort();
    files
}

/// What is wrong with a text, or, where nothing is, what is doubtful.
fn faults(text: &str) -> Vec<Fault> {
    match yaml::load(text) {
        Ok(checked) => checked.warnings,
        Err(faults) => faults,
    }
}

/// `code@line:column`, as the first line of a broken file lists them.
fn place(fault: &Fault) -> String {
    format!("{}@{}:{}", fault.code, fault.span.start.line, fault.span.start.column)
}

fn expected(text: &str) -> Vec<String> {
    let first = text.lines().next().and_then(|line| line.strip_prefix("# expect: "));
    first
        .expect("a broken file begins with what is expected of it")
        .split(' ')
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_broken_file_has_exactly_the_faults_that_it_says() {
    let files = files("tests/definitions/broken");
    assert!(files.len() >= 40, "only {} files", files.len());
    let differs = |(name, text): &(String, String)| {
        let found: Vec<_> = faults(text).iter().map(place).collect();
        let drawn = || yaml::render(name, text, &faults(text), Colour::Plain);
        (found != expected(text)).then(|| format!("{}# expect: {}\n", drawn(), found.join(" ")))
    };
    let different: Vec<String> = files.iter().filter_map(differs).collect();
    assert!(different.is_empty(), "\n{}", different.join("\n"));
}

#[test]
fn every_code_has_a_broken_file() {
    // No file of the corpus is that large.
    let mut seen = BTreeSet::from([FaultCode::TooLarge]);
    for (_, text) in files("tests/definitions/broken") {
        seen.extend(faults(&text).iter().map(|fault| fault.code));
    }
    let unseen: Vec<_> = FaultCode::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn a_file_over_the_bound_is_not_read() {
    let text = format!("format: 1\n#{}", "x".repeat(yaml::MAX_BYTES));
    assert_eq!(faults(&text).iter().map(place).collect::<Vec<_>>(), ["too_large@1:1"]);
}

#[test]
fn ten_faults_are_told_at_once() {
    let text = std::fs::read_to_string(folder("tests/definitions/broken/ten-at-once.yaml"));
    let codes: BTreeSet<_> = faults(&text.expect("it is there")).iter().map(|f| f.code).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
}

#[test]
fn every_fault_says_where_it_is_in_the_content() {
    for (name, text) in files("tests/definitions/broken") {
        let root = yaml::parse(&text);
        for fault in faults(&text).iter().filter(|_| root.is_ok()) {
            let whole = [FaultCode::WrongType, FaultCode::MissingKey].contains(&fault.code);
            assert!(whole || !fault.path.is_empty(), "{name}: {fault:?}");
        }
    }
}

#[test]
fn examples_load_without_a_warning() {
    let files = files("../../examples");
    assert!(files.len() >= 4, "only {} files", files.len());
    for (name, text) in files {
        let faults = faults(&text);
        assert!(faults.is_empty(), "\n{}", yaml::render(&name, &text, &faults, Colour::Plain));
    }
}

/// The first cell of each row of a page's tables, where it is a word in code.
fn rows(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder("../../docs").join(page)).expect("the page is there");
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    cells.map(|(cell, _)| cell.to_owned()).collect()
}

#[test]
fn the_faults_page_has_a_row_for_each_code_and_no_other() {
    let mut rows = rows("definition-faults.md");
    let mut codes: Vec<_> = FaultCode::ALL.iter().map(|code| code.to_string()).collect();
    rows.sort();
    codes.sort();
    assert_eq!(rows, codes);
}

#[test]
fn the_manual_names_every_key() {
    let manual = std::fs::read_to_string(folder("../../docs/definition.md")).expect("it is there");
    let schema = pilotage_wire::schema::definition();
    let defs = schema["$defs"].as_object().expect("definitions").values().chain([&schema]);
    let keys =
        defs.flat_map(|shape| shape["properties"].as_object().into_iter().flat_map(|p| p.keys()));
    // Every other piece between backticks is code.
    let code = manual.split('`').skip(1).step_by(2);
    let words: BTreeSet<_> =
        code.flat_map(|code| code.split(|c: char| !c.is_alphanumeric())).collect();
    let missing: BTreeSet<_> = keys.filter(|key| !words.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
