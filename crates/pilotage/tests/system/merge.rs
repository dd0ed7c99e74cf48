//! Anonymous users who sign up: one person over HTTP, on every back end, whatever kills the process.

use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::Installation;
use crate::process::eventually;
use crate::user::User;

/// The user of that number before signing up.
fn anonymous(client: &Client, number: u32) -> User<'_> {
    let known = User::new(client, number);
    User { id: format!("anon-{}", known.id), ..known }
}

/// An event of the known user that names the anonymous one.
fn naming(anonymous: &User<'_>, known: &User<'_>, kind: &str) -> Value {
    let mut body = known.body(kind, json!({}));
    body["anonymousId"] = json!(anonymous.id);
    body
}

/// The user's profile, once it holds so many events.
fn told(user: &User<'_>, events: u64) -> Value {
    eventually("all events are counted", || {
        let profile = user.profile();
        (profile["events"].as_u64() == Some(events)).then_some(profile)
    })
}

fn counted(client: &Client, of: &str) -> u64 {
    let report = client.get("/api/v1/report").expect(200);
    let groups = report["groups"].as_array().expect("groups").iter();
    groups.map(|group| group[of].as_u64().expect("a count")).sum()
}

#[test]
fn who_signs_up_stays_the_same_person() {
    let installation = Installation::dev();
    let server = installation.start();
    let client = server.client();
    // One who is in the guided group before signing up.
    let guided = (1..100).find(|number| {
        let before = anonymous(&client, *number);
        before.event("page_view", json!({}));
        before.profile()["group"] == "guided"
    });
    let number = guided.expect("most users are");
    let strangers = u64::from(number) - 1;
    let (before, ada) = (anonymous(&client, number), User::new(&client, number));
    let created = before.event("form_submit", json!({ "form": "new_project", "ok": true }));
    let decision = before.decision("/import", &created);
    assert_eq!(decision["guide"]["id"], "import-data", "{decision}");
    let about = json!({ "decisionId": decision["decisionId"] });
    before.event("guide_shown", about);
    let named = ada.send(&naming(&before, &ada, "signed_up"));
    ada.event("data_imported", json!({}));
    let seen = ada.event("report_viewed", json!({}));

    let profile = told(&ada, 6);
    assert_eq!(profile["mergedFrom"], json!([before.id]));
    assert_eq!(profile["group"], "guided");
    assert!(!profile["activatedAt"].is_null(), "{profile}");
    assert_eq!(profile["contact"]["guides"][0]["shows"], 1);
    let left = before.profile();
    assert_eq!((&left["mergedInto"], &left["events"]), (&json!(ada.id), &json!(3)));
    let of = |user: &User<'_>, kind: &str| {
        let items = user.timeline();
        let merges = items.into_iter().filter(|item| item["kind"] == kind);
        merges.collect::<Vec<Value>>()
    };
    assert_eq!(of(&before, "merge")[0]["into"], json!(ada.id));
    assert_eq!(of(&ada, "merge")[0]["from"], json!(before.id));
    assert_eq!(ada.events()[0], named);
    let again = ada.decision("/import", &seen);
    assert_ne!(again["guide"]["id"], "import-data", "its milestone is reached");
    let late = before.event("page_view", json!({}));
    told(&ada, 7);
    assert!(ada.events().contains(&late));
    let withheld = before.decision("/import", &late);
    assert_eq!(withheld["outcome"], "withhold");
    assert_eq!(withheld["reason"], "no_candidate");

    let counts = |client: &Client| (counted(client, "users"), counted(client, "activated"));
    assert_eq!(counts(&client), (strangers + 1, 1));
    server.stop();
    let server = installation.start();
    assert_eq!(counts(&server.client()), (strangers + 1, 1));
    server.stop();
    assert_eq!(installation.rebuild()["same"], true, "the profiles are the log's fold");
}

/// What was answered for is merged once, whenever the process is killed.
#[test]
fn no_kill_loses_or_doubles_a_person() {
    const EACH: u32 = 12;
    let installation = Installation::dev().set("PILOTAGE_WRITE_BACK_MS", "20");
    let mut known = 0..0;
    for round in 0..4 {
        let server = installation.start();
        let client = server.client();
        for number in known.end + 1..=known.end + EACH {
            let (before, user) = (anonymous(&client, number), User::new(&client, number));
            before.event("page_view", json!({}));
            user.send(&naming(&before, &user, "signed_up"));
            before.event("page_view", json!({}));
        }
        known.end += EACH;
        // Right after the last answer: the fold has begun, and is nowhere near its end.
        server.kill();
        assert_eq!(known.end, EACH * (round + 1));
    }
    let server = installation.start();
    let client = server.client();
    for number in 1..=known.end {
        let (before, user) = (anonymous(&client, number), User::new(&client, number));
        assert_eq!(told(&user, 3)["mergedFrom"], json!([before.id]));
        assert_eq!(user.events().len(), 2);
    }
    assert_eq!(counted(&client, "users"), u64::from(known.end));
    server.stop();
    assert_eq!(installation.rebuild()["same"], true, "the profiles are the log's fold");
}
