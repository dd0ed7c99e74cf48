//! The demo in one command: synthetic visitors first, then the sample product. Must not need anything beside the binary.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::installation::Server;
use crate::process::{Process, eventually, pilotage};
use crate::user::User;

fn demo() -> Command {
    let mut command = pilotage();
    command.args(["demo", "--listen", "127.0.0.1:0"]);
    command
}

fn start(command: &mut Command) -> Server {
    let server = Server::of(Process::start(command));
    eventually("the demo is ready", || {
        (server.client().get("/readyz").status == 200).then_some(())
    });
    server
}

fn simulated(folder: &Path, seed: &str) -> Server {
    start(demo().args(["--simulate", "30", "--seed", seed, "--data"]).arg(folder))
}

/// What is printed before the address.
fn table(server: &Server) -> String {
    let output = server.process.output();
    output.split("The sample product").next().expect("a first part").to_owned()
}

#[test]
fn the_same_seed_gives_the_same_visitors_on_any_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let servers = ["a", "b"].map(|name| simulated(&folder.path().join(name), "1"));
    let [first, second] = [&servers[0], &servers[1]].map(table);
    assert!(first.starts_with("30 visitors, ") && first.contains("holdout"), "{first}");
    assert_eq!(first, second);
    assert_ne!(first, table(&simulated(&folder.path().join("c"), "2")), "the seed matters");

    let report = servers[0].client().get("/api/v1/report").expect(200);
    let users = report["groups"].as_array().expect("groups").iter();
    assert_eq!(users.filter_map(|group| group["users"].as_u64()).sum::<u64>(), 30);
    for server in servers {
        server.stop();
    }
}

#[test]
fn the_demo_serves_a_page_and_leaves_nothing_behind() {
    let passing = tempfile::tempdir().expect("a folder");
    let server = start(demo().env("TMPDIR", passing.path()));
    let page = server.client().get("/");
    assert!(page.status == 200 && page.text.contains("<!doctype html>"), "{}", page.text);
    let left = || fs::read_dir(passing.path()).expect("readable").count();
    assert_eq!(left(), 1, "its data");
    server.stop();
    assert_eq!(left(), 0);
}

#[test]
fn the_demo_guides_in_german_too() {
    let server = start(&mut demo());
    let client = server.client();
    let mut number = 0;
    // Some users are held out, and some decisions are drawn by lot.
    let guide = eventually("the second guide is shown", || {
        number += 1;
        let user = User::new(&client, number);
        user.event("signed_up", json!({}));
        let event = user.event("form_submit", json!({ "form": "new_project", "ok": true }));
        let mut ask = user.ask("/import", &event);
        ask["context"]["locale"] = json!("de-AT");
        let decision = client.post("/api/v1/decisions", &ask).expect(200);
        (decision["guide"]["id"] == "import-data").then(|| decision["guide"].clone())
    });
    assert_eq!(guide["copy"]["title"], "Hol deine Daten herein", "{guide}");
    server.stop();
}
