//! An embedded installation moved to Kafka and PostgreSQL. Must find there whatever was known here.

use serde_json::{Value, json};

use crate::installation::Installation;
use crate::process::{Process, eventually, run};
use crate::shared::Shared;
use crate::user::{User, user_id};

const USERS: u32 = 40;
/// Of each user: so many that an interruption falls between them.
const EVENTS: u32 = 60;

/// What the API says of a user, without what depends on when and where it is asked.
fn known(user: &User<'_>) -> (Value, Vec<String>) {
    let mut profile = user.profile();
    profile.as_object_mut().expect("an object").remove("at");
    (profile, user.events())
}

#[test]
fn an_installation_is_moved_whole_however_often_it_is_interrupted() {
    let old = Installation::embedded();
    let server = old.start();
    let client = server.client();
    let events = |user: u32| {
        let body = |n: u32| User::new(&client, user).body("page_view", json!({ "n": n }));
        json!({ "events": (0..EVENTS).map(body).collect::<Vec<_>>() })
    };
    for user in 1..=USERS {
        client.post("/api/v1/events/batch", &events(user)).expect(202);
    }
    let guided = User::of_group(&client, "guided");
    let event = guided.event("signed_up", json!({}));
    let decision = guided.decision("/projects", &event);
    client.post("/api/v1/guides/create-project/pause", &json!({})).expect(200);
    let numbers = [1, 7, USERS];
    let before = numbers.map(|number| known(&User::new(&client, number)));
    let guided_id = guided.id.clone();
    server.stop();

    let new = Installation::shared(Shared::new());
    for records in [0, 200] {
        let mut process = Process::start(&mut new.take_over(&old));
        eventually("it is under way", || (new.records_in_topic() >= records).then_some(()));
        process.kill();
    }
    let moved = run(&mut new.take_over(&old));
    assert_eq!(moved.code, Some(0), "{moved:?}");
    let again = run(&mut new.take_over(&old));
    assert_eq!((again.code, &again.output), (Some(0), &moved.output), "nothing is left to move");
    let document: Value = serde_json::from_str(&moved.output).expect("JSON");
    assert!(document["records"].as_u64() >= Some(u64::from(USERS * EVENTS)), "{document}");

    let server = new.start();
    let client = server.client();
    assert_eq!(numbers.map(|number| known(&User::new(&client, number))), before);
    let path = format!("/api/v1/decisions/{}", decision["decisionId"].as_str().expect("an id"));
    assert_eq!(client.get(&path).expect(200)["validationHash"], decision["validationHash"]);
    let guided = User { client: &client, id: guided_id };
    let event = guided.event("page_view", json!({}));
    let decision = guided.decision("/projects", &event);
    assert_eq!(crate::user::gate(&decision, "create-project"), "lifecycle", "it stays paused");
    let last = User { client: &client, id: user_id(USERS) };
    last.event("page_view", json!({}));
    assert_eq!(last.events().len(), before[2].1.len() + 1, "it goes on from there");
    server.stop();
    assert_eq!(new.rebuild()["same"], true);

    let used = Installation::shared(Shared::new());
    used.start().stop();
    let refused = run(&mut used.take_over(&old));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.errors.contains("was served from before"), "{}", refused.errors);
}
