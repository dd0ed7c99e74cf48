//! Settings that can't be: refused by name, as a usage error, before anything is served or made. Must see that nothing was.

use crate::installation::{Installation, acme};
use crate::process::{Ended, pilotage, run};

/// A usage error that names these, and nothing done.
fn is_refused(installation: &Installation, ended: &Ended, names: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.output, "", "something was served");
    for name in names {
        assert!(ended.errors.contains(name), "{name} is not in: {}", ended.errors);
    }
    assert!(!installation.data().exists(), "a data folder was made");
}

#[test]
fn a_wrong_call_is_a_usage_error() {
    for arguments in
        [&["serve", "--produkt", "x"][..], &["guess"], &[], &["serve", "--clock", "sundial"]]
    {
        let ended = run(pilotage().args(arguments));
        assert_eq!((ended.code, &*ended.output), (Some(2), ""), "{arguments:?}: {ended:?}");
        assert!(ended.errors.contains("Usage") || ended.errors.contains("possible values"));
    }
    let installation = Installation::of(&[]);
    is_refused(&installation, &installation.refused(), &["--product"]);
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let installation = Installation::embedded()
        .set("PILOTAGE_LOG", "kafka")
        .set("PILOTAGE_STORE", "postgres")
        .set("PILOTAGE_POLICY", "best");
    is_refused(
        &installation,
        &installation.refused(),
        &["kafka_brokers", "database_url", "PILOTAGE_POLICY", "best"],
    );
    let on =
        |log| Installation::embedded().set("PILOTAGE_LOG", log).set("PILOTAGE_STORE", "postgres");
    // What no log is goes together with nothing: only that is told.
    let installation = on("papyrus");
    is_refused(&installation, &installation.refused(), &["PILOTAGE_LOG", "papyrus"]);
    let installation = on("sqlite");
    is_refused(&installation, &installation.refused(), &["go together"]);
    let installation = Installation::embedded().flag("--role").flag("worker");
    is_refused(&installation, &installation.refused(), &["role", "one process"]);
}

#[test]
fn an_unknown_setting_is_named_with_its_place() {
    let installation = Installation::dev();
    let path = installation.file("pilotage.toml", "policy = \"static\"\nlisen = \"127.0.0.1:1\"\n");
    let installation = installation.flag("--config").flag(path.to_str().expect("UTF-8"));
    is_refused(&installation, &installation.refused(), &["pilotage.toml", "line 2", "lisen"]);
}

#[test]
fn dev_is_for_this_machine_alone() {
    let installation = Installation::dev();
    let ended = run(installation.command("serve").args(["--dev", "--listen", "0.0.0.0:0"]));
    is_refused(&installation, &ended, &["--dev", "0.0.0.0"]);
}

#[test]
fn a_browser_must_not_move_time() {
    let installation = Installation::of(&[&acme()]).flag("--clock").flag("events");
    let key =
        format!("[[keys]]\nkey = \"pk_{:032x}\"\nkind = \"publishable\"\nproduct = \"acme\"\n", 7);
    let path = installation.file("pilotage.toml", &key);
    let installation = installation.flag("--config").flag(path.to_str().expect("UTF-8"));
    let ended = installation.refused();
    is_refused(&installation, &ended, &["event clock", "publishable"]);
}

#[test]
fn a_definition_with_faults_is_not_served() {
    let installation = Installation::of(&[&acme().replace("requires: [data]", "requires: [dta]")]);
    let ended = installation.refused();
    assert_eq!((ended.code, &*ended.output), (Some(2), ""), "{ended:?}");
    assert!(ended.errors.contains("unknown_milestone"), "{}", ended.errors);
    assert!(!installation.data().exists(), "a data folder was made");
}

#[test]
fn a_folder_that_is_not_there_is_not_rebuilt() {
    let installation = Installation::embedded();
    let ended = run(installation.command("rebuild").arg("--json"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(!installation.data().exists(), "a data folder was made");
}
