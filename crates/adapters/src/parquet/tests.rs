//! Rows survive the file, and a file that is none is refused.

use std::fs;
use std::path::{Path, PathBuf};

use pilotage_domain::time::Timestamp;
use pilotage_wire::decision_log::{Action, Row};
use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.parquet");
    (folder, path)
}

fn back(path: &Path, rows: &[Row]) -> Vec<Row> {
    write(path, rows).expect("written");
    read(path, |_, _| {}).expect("read")
}

fn full() -> Row {
    let action = |name: &str, propensity, evaluation, estimate| Action {
        action: name.into(),
        propensity,
        evaluation,
        estimate,
    };
    let text = |text: &str| Some(text.to_owned());
    let at = Some(Timestamp::from_millis(1_795_348_800_123));
    Row {
        decision_id: text("dec_1"),
        at,
        product: text("acme"),
        user_id: text("größte \"u\""),
        session_id: text("s"),
        group: text("guided"),
        policy: text("random"),
        explore: Some(true),
        repeat: Some(false),
        slot: text("1"),
        reason: text("policy"),
        signature: text("00"),
        catalogue_hash: text("11"),
        action: "no_guide".into(),
        propensity: Some(0.1 + 0.2),
        reward: Some(-1.5),
        mature: Some(false),
        mature_at: at,
        shown_at: at,
        clicked_at: None,
        dismissed_at: at,
        actions: vec![
            action("g/v", Some(0.7), Some(1.0), Some(0.25)),
            action("g/w", Some(0.0), None, None),
            action("no_guide", None, Some(0.0), None),
        ],
    }
}

#[test]
fn rows_survive_the_file() {
    let (_folder, path) = folder();
    let least = Row { action: "a".into(), ..Row::default() };
    let rows = [full(), least.clone(), full(), least];
    assert_eq!(back(&path, &rows), rows);
    assert_eq!(back(&path, &[]), []);
}

#[test]
fn rows_of_several_groups_keep_their_order() {
    let (_folder, path) = folder();
    let row = |n: u32| Row { reward: Some(f64::from(n)), ..full() };
    let rows: Vec<Row> = (0..50).map(row).collect();
    write::write_in_groups(&path, &rows, 7).expect("written");
    let mut heard = Vec::new();
    assert_eq!(read(&path, |done, of| heard.push((done, of))).expect("read"), rows);
    assert_eq!(heard, [(50, 50)]);
}

#[test]
fn what_is_no_such_file_is_refused() {
    let (folder, path) = folder();
    assert!(matches!(read(&path, |_, _| {}), Err(FileError::File(_))));
    fs::write(&path, "{\"action\":\"a\"}\n").expect("written");
    assert!(matches!(read(&path, |_, _| {}), Err(FileError::Parquet(_))));
    write(&path, &[full()]).expect("written");
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    assert!(matches!(read(&path, |_, _| {}), Err(FileError::Parquet(_))));
    let missing = folder.path().join("missing").join("log.parquet");
    assert!(matches!(write(&missing, &[]), Err(FileError::File(_))));
}
