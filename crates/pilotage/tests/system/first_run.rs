//! The first run and the next: keys are made once, told once, kept, and open what they should. Must not use `--dev`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::client::Client;
use crate::installation::{Installation, Server, acme};
use crate::user::{User, user_id};

/// The key of that kind, as the first run prints it.
fn printed(server: &Server, kind: &str) -> String {
    let output = server.process.output();
    let line = output.lines().find(|line| line.trim_start().starts_with(kind));
    let line = line.unwrap_or_else(|| panic!("no {kind} key in: {output}"));
    line.rsplit(' ').next().expect("its last word").to_owned()
}

fn caller(server: &Server, kind: &str) -> Client {
    server.client().with_key(&printed(server, kind))
}

#[test]
fn the_first_run_makes_keys_and_the_next_ones_keep_them() {
    let installation = Installation::of(&[&acme()]);
    let server = installation.start();
    let (publishable, secret) = (printed(&server, "publishable"), printed(&server, "secret"));
    let path = installation.data().join("keys.toml");
    let kept = fs::read_to_string(&path).expect("the keys are kept");
    assert!(kept.contains(&publishable) && kept.contains(&secret), "{kept}");
    let told = server.process.output();
    assert!(
        told.contains("origins") && kept.contains("restart"),
        "no page may use them yet: {told}"
    );
    let mode = fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for its owner alone");
    let user = user_id(1);
    let event = json!({ "userId": user, "sessionId": "s1", "eventType": "page_view" });
    server.client().with_key(&publishable).post("/api/v1/events", &event).expect(202);
    let ended = server.stop();
    assert!(!ended.errors.contains(&publishable) && !ended.errors.contains(&secret), "logged");

    let server = installation.start();
    let output = server.process.output();
    assert!(!output.contains(&secret) && !output.contains("API keys"), "told again: {output}");
    assert_eq!(fs::read_to_string(&path).expect("still there"), kept);
    let known = server.client().with_key(&secret).get(&format!("/api/v1/users/{user}"));
    assert_eq!(known.expect(200)["events"], 1);
}

#[test]
fn a_publishable_key_speaks_for_browsers_and_sees_nobody() {
    let server = Installation::of(&[&acme()]).start();
    let browser = caller(&server, "publishable");
    let user = User::new(&browser, 1);
    let event = user.event("signed_up", json!({}));
    browser.post("/api/v1/decisions", &user.ask("/projects", &event)).expect(200);
    let forbidden = (403, "forbidden".to_owned());
    let explained = browser.post("/api/v1/decisions?explain=true", &user.ask("/projects", &event));
    assert_eq!(explained.problem(), forbidden);
    let decision = browser.post("/api/v1/decisions", &user.ask("/projects", &event)).json();
    let decision = decision["decisionId"].as_str().expect("an id");
    for path in [
        format!("/api/v1/users/{}", user.id),
        format!("/api/v1/users/{}/timeline", user.id),
        format!("/api/v1/decisions/{decision}"),
        "/api/v1/report".to_owned(),
    ] {
        assert_eq!(browser.get(&path).problem(), forbidden, "{path}");
        caller(&server, "secret").get(&path).expect(200);
    }
    let pause = browser.post("/api/v1/guides/create-project/pause", &json!({}));
    assert_eq!(pause.problem(), forbidden);
}

#[test]
fn without_a_known_key_nothing_is_answered() {
    let server = Installation::of(&[&acme()]).start();
    let unknown = format!("sk_{:032x}", 7);
    let unauthorized = (401, "unauthorized".to_owned());
    for caller in [server.client(), server.client().with_key(&unknown)] {
        let event = json!({ "userId": user_id(1), "sessionId": "s1", "eventType": "page_view" });
        assert_eq!(caller.post("/api/v1/events", &event).problem(), unauthorized);
        assert_eq!(caller.post("/api/v1/decisions", &event).problem(), unauthorized);
        assert_eq!(caller.get("/api/v1/report").problem(), unauthorized);
        caller.get("/healthz").expect(200);
    }
    let secret = printed(&server, "secret");
    server.client().get(&format!("/api/v1/report?key={secret}")).expect(200);
}

#[test]
fn the_event_clock_gets_no_key_for_browsers() {
    let server = Installation::of(&[&acme()]).flag("--clock").flag("events").start();
    assert!(!server.process.output().contains("publishable"), "{}", server.process.output());
    caller(&server, "secret").get("/api/v1/report").expect(200);
}
