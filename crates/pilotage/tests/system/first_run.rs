//! The first run and the next: keys are made once, told where they are, kept, and open what they should. Must not use `--dev`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::client::Client;
use crate::installation::{Installation, Server, acme};
use crate::user::{User, user_id};

fn caller(installation: &Installation, server: &Server, kind: &str) -> Client {
    server.client().with_key(&installation.kept_key(kind, "acme"))
}

#[test]
fn the_first_run_makes_keys_and_the_next_ones_keep_them() {
    let installation = Installation::of(&[&acme()]);
    let server = installation.start();
    let key = |kind| installation.kept_key(kind, "acme");
    let (publishable, secret) = (key("publishable"), key("secret"));
    let path = installation.keys_file();
    let kept = fs::read_to_string(&path).expect("the keys are kept");
    let told = server.process.output();
    let path_is_told = told.contains(path.to_str().expect("UTF-8"));
    assert!(path_is_told && told.contains(&format!("key of acme: {publishable}\n")), "{told}");
    assert!(told.contains("secret      key of acme: in that file\n"), "{told}");
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
    assert!(!ended.errors.contains(&publishable), "logged");
    let said = ended.output + &ended.errors;
    assert!(!said.contains(&secret) && !said.contains("sk_"), "the secret key is told: {said}");

    let server = installation.start();
    let output = server.process.output();
    assert!(!output.contains(&publishable) && !output.contains("API keys"), "told again: {output}");
    assert_eq!(fs::read_to_string(&path).expect("still there"), kept);
    let known = server.client().with_key(&secret).get(&format!("/api/v1/users/{user}"));
    assert_eq!(known.expect(200)["events"], 1);
}

#[test]
fn a_publishable_key_speaks_for_browsers_and_sees_nobody() {
    let installation = Installation::of(&[&acme()]);
    let server = installation.start();
    let browser = caller(&installation, &server, "publishable");
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
        caller(&installation, &server, "secret").get(&path).expect(200);
    }
    let pause = browser.post("/api/v1/guides/create-project/pause", &json!({}));
    assert_eq!(pause.problem(), forbidden);
}

#[test]
fn without_a_known_key_nothing_is_answered() {
    let installation = Installation::of(&[&acme()]);
    let server = installation.start();
    let unknown = format!("sk_{:032x}", 7);
    let unauthorized = (401, "unauthorized".to_owned());
    for caller in [server.client(), server.client().with_key(&unknown)] {
        let event = json!({ "userId": user_id(1), "sessionId": "s1", "eventType": "page_view" });
        assert_eq!(caller.post("/api/v1/events", &event).problem(), unauthorized);
        assert_eq!(caller.post("/api/v1/decisions", &event).problem(), unauthorized);
        assert_eq!(caller.get("/api/v1/report").problem(), unauthorized);
        caller.get("/healthz").expect(200);
    }
    let secret = installation.kept_key("secret", "acme");
    server.client().get(&format!("/api/v1/report?key={secret}")).expect(200);
}

#[test]
fn the_event_clock_gets_no_key_for_browsers() {
    let installation = Installation::of(&[&acme()]).flag("--clock").flag("events");
    let server = installation.start();
    assert!(!server.process.output().contains("publishable"), "{}", server.process.output());
    caller(&installation, &server, "secret").get("/api/v1/report").expect(200);
}
