//! Users and timelines. Must find what was sent, in order.

use serde_json::{Value, json};

use crate::world::{USER, World, page_view};

async fn active_world() -> (World, String) {
    let world = World::new().await;
    world.event("signed_up", json!({})).await;
    let decision = world.decide("/projects").await.json();
    let id = decision["decisionId"].as_str().expect("an id").to_owned();
    world.event("guide_shown", json!({ "decisionId": id })).await;
    world.event("guide_clicked", json!({ "decisionId": id })).await;
    world.event("form_submit", json!({ "form": "new_project", "ok": true })).await;
    world
        .event("form_submit", json!({ "form": "billing", "ok": false, "error": "card_declined" }))
        .await;
    (world, id)
}

#[tokio::test]
async fn a_user_is_told_whole() {
    let (world, decision) = active_world().await;
    let user = world.get(&format!("/api/v1/users/{USER}")).await.json();
    assert_eq!(
        (&user["userId"], &user["product"], &user["group"]),
        (&json!(USER), &json!("acme"), &json!("guided"))
    );
    assert_eq!((&user["holdout"], &user["activatedAt"]), (&json!(false), &Value::Null));
    assert_eq!(user["signupAt"], user["firstSeenAt"]);
    assert_eq!(user["events"], 5);
    let milestones: Vec<_> = user["milestones"]
        .as_array()
        .expect("milestones")
        .iter()
        .map(|m| (m["id"].as_str().expect("an id"), m["status"].as_str().expect("a status")))
        .collect();
    let expected =
        [("project", "reached"), ("data", "open"), ("billing", "open"), ("first_report", "locked")];
    assert_eq!(milestones, expected);
    assert_eq!(user["lastError"]["name"], "card_declined");
    assert_eq!(user["sessions"]["count"], 1);
    assert_eq!(user["attributes"]["tier"], "free", "a default");
    let shown = &user["contact"]["guides"][0];
    assert_eq!(
        (&shown["id"], &shown["shows"], &shown["clicks"]),
        (&json!("create-project"), &json!(1), &json!(1))
    );
    assert_eq!(user["decisions"][0]["decisionId"], json!(decision));
    assert_eq!(user["decisions"][0]["guide"], "create-project");
}

#[tokio::test]
async fn unknown_users_are_not_made_up() {
    let world = World::new().await;
    for path in [USER, "nobody", "%ff", "%20"] {
        let expected = (404, "unknown_user".to_owned());
        assert_eq!(world.get(&format!("/api/v1/users/{path}")).await.problem(), expected);
        assert_eq!(world.get(&format!("/api/v1/users/{path}/timeline")).await.problem(), expected);
    }
    // Nor kept in memory: who is looked for by mistake takes no room.
    let metrics = world.get("/metrics").await.text;
    assert!(metrics.contains("\npilotage_users_in_memory 0\n"), "{metrics}");
}

#[tokio::test]
async fn a_timeline_is_told_in_order_and_in_parts() {
    let (world, decision) = active_world().await;
    let path = format!("/api/v1/users/{USER}/timeline");
    let whole = world.get(&path).await.json();
    let kinds: Vec<_> = whole["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|i| i["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["event", "decision", "outcome", "outcome", "event", "event"]);
    assert_eq!(
        (&whole["items"][2]["outcome"], &whole["items"][2]["decisionId"]),
        (&json!("shown"), &json!(decision))
    );
    assert_eq!(whole["items"][4]["payload"], json!({ "form": "new_project", "ok": true }));
    assert!(whole.get("next").is_none());

    let (mut parts, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let more = cursor.as_ref().map(|c| format!("&cursor={c}")).unwrap_or_default();
        let part = world.get(&format!("{path}?limit=4{more}")).await.json();
        parts.extend(part["items"].as_array().expect("items").clone());
        match part["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(json!(parts), whole["items"]);
}

#[tokio::test]
async fn odd_windows_are_refused() {
    let (world, _) = active_world().await;
    let path = format!("/api/v1/users/{USER}/timeline");
    let reply = world.get(&format!("{path}?limit=0&cursor=%3F")).await;
    assert_eq!(reply.faults(), ["query.limit", "query.cursor"]);
    for limit in ["10001", "-1", "many", ""] {
        assert_eq!(
            world.get(&format!("{path}?limit={limit}")).await.faults(),
            ["query.limit"],
            "{limit}"
        );
    }
    assert_eq!(world.get(&format!("{path}?limit=10000")).await.status.as_u16(), 200);
}

#[tokio::test]
async fn who_signs_up_under_another_id_is_told_as_one() {
    let world = World::new().await;
    let anon = format!("anon-{USER}");
    let mut before = page_view();
    before["userId"] = json!(anon);
    assert_eq!(world.post("/api/v1/events", &before).await.status.as_u16(), 202);
    let mut naming = page_view();
    naming["anonymousId"] = json!(anon);
    let taken =
        world.post("/api/v1/events/batch", &json!({ "events": [naming, page_view()] })).await;
    let results = taken.json()["results"].as_array().expect("results").len();
    assert_eq!(
        (taken.status.as_u16(), results),
        (202, 2),
        "an answer for each event that was sent"
    );
    world.engine.settled().await.expect("the memory log answers");

    let user = world.get(&format!("/api/v1/users/{USER}")).await.json();
    assert_eq!((&user["events"], &user["mergedFrom"]), (&json!(3), &json!([anon])));
    assert!(user.get("mergedInto").is_none());
    let left = world.get(&format!("/api/v1/users/{anon}")).await.json();
    assert_eq!((&left["events"], &left["mergedInto"]), (&json!(1), &json!(USER)));
    assert!(left.get("mergedFrom").is_none());
    for (user, other, member) in [(USER, &*anon, "from"), (&*anon, USER, "into")] {
        let timeline = world.get(&format!("/api/v1/users/{user}/timeline")).await.json();
        let items = timeline["items"].as_array().expect("items");
        let merge = items.iter().find(|item| item["kind"] == "merge").expect("it is told");
        assert_eq!(merge[member], json!(other));
        assert!(merge["text"].as_str().is_some_and(|text| text.contains(other)), "{merge}");
    }
}
