//! The data folder of the embedded back end: one process at a time, and no file that this version does not know. Must not
//! change what it refuses.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::installation::Installation;
use crate::process::{eventually, run};
use crate::user::User;

/// Where a SQLite file keeps the format that its program gave it, big-endian.
const FORMAT: std::ops::Range<usize> = 60..64;

#[test]
fn a_second_process_is_kept_out() {
    let installation = Installation::embedded();
    let server = installation.start();
    let ended = installation.refused();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let holder = format!("is in use by process {}", server.process.id());
    assert!(ended.errors.contains(&holder), "{}", ended.errors);
    let rebuild = run(installation.command("rebuild").arg("--json"));
    assert_eq!(rebuild.code, Some(2), "{rebuild:?}");
    assert!(rebuild.errors.contains(&holder), "{}", rebuild.errors);
    let client = server.client();
    let user = User::new(&client, 1);
    user.event("page_view", json!({}));
    assert_eq!(user.profile()["events"], 1, "the first is unharmed");
    server.kill();
    installation.start();
}

/// The value of a metric without labels.
fn metric(page: &str, name: &str) -> f64 {
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} is not in {page}"))
}

#[test]
fn metrics_follow_a_record_from_the_log_into_the_store() {
    let server = Installation::embedded().set("PILOTAGE_WRITE_BACK_MS", "10").start();
    let client = server.client();
    for number in 1..=3 {
        User::new(&client, number).event("page_view", json!({}));
    }
    let page = eventually("everything is written back", || {
        let page = client.get("/metrics").text;
        let done = metric(&page, "pilotage_write_back_lag_records") == 0.0
            && metric(&page, "pilotage_store_commit_users_sum") >= 3.0;
        done.then_some(page)
    });
    let value = |name: &str| metric(&page, name);
    assert_eq!(value("pilotage_projection_lag_records"), 0.0);
    assert_eq!(value("pilotage_users_in_memory"), 3.0);
    assert!(value("pilotage_users_in_memory_bytes") > 0.0);
    assert_eq!(value("pilotage_users_in_memory_limit_bytes"), f64::from(512 << 20));
    assert!(value("pilotage_write_back_passes_total") >= 1.0);
    assert_eq!(value("pilotage_write_back_failures_total"), 0.0);
    // One caller that waits for each answer: a commit for each event.
    assert_eq!(value("pilotage_log_commit_duration_seconds_count"), 3.0);
    assert_eq!(value("pilotage_log_commit_records_sum"), 3.0);
    assert!(value("pilotage_log_commit_duration_seconds_sum") > 0.0);
    assert!(value("pilotage_store_commit_duration_seconds_count") >= 1.0);
    server.stop();
}

#[test]
fn files_of_a_newer_version_are_left_alone() {
    for name in ["log.sqlite", "store.sqlite"] {
        let installation = Installation::embedded();
        installation.start().stop();
        let path = installation.data().join(name);
        let mut bytes = fs::read(&path).expect("a file of the installation");
        bytes[FORMAT].copy_from_slice(&99_u32.to_be_bytes());
        fs::write(&path, &bytes).expect("written");
        let errors = refused_untouched(&installation, &path);
        assert!(errors.contains(name) && errors.contains("has format 99"), "{errors}");
        assert!(errors.contains(env!("CARGO_PKG_VERSION")), "{errors}");
    }
}

#[test]
fn garbage_is_not_taken_for_a_log() {
    for garbage in ["notes".to_owned(), "somebody's own notes\n".repeat(1_000)] {
        let installation = Installation::embedded();
        fs::create_dir(installation.data()).expect("a folder");
        let path = installation.data().join("log.sqlite");
        fs::write(&path, garbage).expect("written");
        let errors = refused_untouched(&installation, &path);
        assert!(errors.contains("log.sqlite") && errors.contains("is damaged"), "{errors}");
    }
}

#[test]
fn exchanged_files_are_noticed() {
    let installation = Installation::embedded();
    installation.start().stop();
    let log = installation.data().join("log.sqlite");
    fs::copy(installation.data().join("store.sqlite"), &log).expect("copied");
    let errors = refused_untouched(&installation, &log);
    assert!(errors.contains("is not a Pilotage log"), "{errors}");
}

#[test]
fn a_log_that_lost_records_is_noticed() {
    let installation = Installation::embedded();
    let server = installation.start();
    User::new(&server.client(), 1).event("page_view", json!({}));
    server.stop();
    fs::remove_file(installation.data().join("log.sqlite")).expect("removed");
    let ended = installation.refused();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("lost records"), "{}", ended.errors);
}

/// What the demo's first guide says, and as many bytes of something else.
const TRUE: &[u8] = b"Start your first project";
const FALSE: &[u8] = b"Send us your card number";

#[test]
fn what_could_not_be_looked_at_is_told_from_what_was_found() {
    let installation = Installation::embedded();
    let code = |name: &str| run(&mut installation.command(name)).code;
    let commands = ["verify", "verify-audit", "rebuild", "replay", "migrate"];
    assert_eq!(commands.map(code), [Some(2); 5], "there is no folder");
    let server = installation.start();
    let client = server.client();
    let user = User::of_group(&client, "guided");
    let event = user.event("page_view", json!({}));
    assert_eq!(user.decision("/projects", &event)["outcome"], "show");
    assert_eq!(commands.map(code), [Some(2); 5], "it is in use");
    server.stop();
    assert_eq!(commands.map(code), [Some(0); 5], "all is well");

    let log = installation.data().join("log.sqlite");
    let mut bytes = fs::read(&log).expect("a file of the installation");
    let at = bytes.windows(TRUE.len()).position(|part| part == TRUE).expect("its headline");
    bytes[at..at + FALSE.len()].copy_from_slice(FALSE);
    fs::write(&log, &bytes).expect("written");
    let ended = run(&mut installation.command("verify"));
    assert_eq!(ended.code, Some(1), "a decision was changed: {ended:?}");
    assert!(ended.errors.contains("is damaged"), "{}", ended.errors);
}

#[test]
fn migrate_says_what_it_did() {
    let installation = Installation::embedded();
    installation.start().stop();
    let migrate =
        |folder: &Path| run(crate::process::pilotage().arg("migrate").arg("--data").arg(folder));
    let ended = migrate(&installation.data());
    assert_eq!(
        (ended.code, ended.output.contains("this version's form")),
        (Some(0), true),
        "{ended:?}"
    );
    let ended = migrate(&installation.data().join("nowhere"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    installation.start();
}

/// What the server says when it refuses; the file is as it was.
fn refused_untouched(installation: &Installation, path: &Path) -> String {
    let before = fs::read(path).expect("readable");
    let ended = installation.refused();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(fs::read(path).expect("readable"), before, "the file was changed");
    ended.errors
}
