//! The report of a product that months of users went through, on the event clock. Must be what its page says.

use axum::http::StatusCode;
use pilotage_domain::decide::Group;
use pilotage_domain::definition::Definition;
use pilotage_domain::group::group_of;
use pilotage_domain::id::UserId;
use pilotage_engine::ClockMode;
use pilotage_wire::yaml;
use serde_json::{Value, json};

use crate::world::{Plan, World, post, with_header};

const DAY_MS: i64 = 86_400_000;
/// Midnight of a day in 2026.
const BEGIN: i64 = 1_780_272_000_000;

fn shared_out() -> String {
    let text = include_str!("../../../../examples/acme.yaml");
    text.replace("product: acme", "product: shared").replace("holdout: 0.1 ", "holdout: 0.3 ")
}

fn definition() -> Definition {
    yaml::load(&shared_out()).expect("a definition").definition
}

async fn world() -> World {
    let further_products = vec![shared_out()];
    World::with(Plan { clock: ClockMode::Events, further_products, ..Plan::default() }).await
}

fn at(day: u32, minute: u32) -> String {
    let ms = BEGIN + i64::from(day) * DAY_MS + i64::from(minute) * 60_000;
    let moment = pilotage_domain::time::Timestamp::from_millis(ms);
    pilotage_wire::instant::format(moment)
}

fn happened(user: &str, day: u32, minute: u32, kind: &str, payload: Value) -> Value {
    json!({ "userId": user, "sessionId": "s", "eventType": kind, "payload": payload, "timestamp": at(day, minute) })
}

/// A user who goes that far: 0 signs up, 1 creates a project, 2 sees the first report, so many minutes later.
fn way(user: &str, day: u32, far: u32, after: u32) -> Vec<Value> {
    let project = json!({ "form": "new_project", "ok": true });
    let mut way = vec![happened(user, day, 600, "signed_up", json!({}))];
    if far > 0 {
        way.push(happened(user, day, 601, "form_submit", project));
    }
    if far > 1 {
        way.push(happened(user, day, 600 + after, "data_imported", json!({})));
        way.push(happened(user, day, 600 + after, "report_viewed", json!({})));
    }
    way
}

async fn send(world: &World, events: &[Value]) {
    for batch in events.chunks(2_000) {
        let request = post("/api/v1/events/batch", &json!({ "events": batch }));
        let reply = world.send(with_header(request, "x-pilotage-product", "shared")).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
        let answer = reply.json();
        let results = answer["results"].as_array().expect("results");
        assert!(results.iter().all(|r| r["status"] == "queued"), "{answer}");
    }
}

async fn report(world: &World) -> Value {
    // However long that takes on a busy machine.
    world.engine.settled().await.expect("the memory log answers");
    let request = axum::http::Request::get("/api/v1/report").body(axum::body::Body::empty());
    let request = with_header(request.expect("a request"), "x-pilotage-product", "shared");
    world.send(request).await.json()
}

/// Twelve days of a hundred users. Of guided ones six of ten see their first report after two hours, of the others two of ten
/// after a day.
async fn days_pass(world: &World) -> (u64, u64) {
    let definition = definition();
    let (mut events, mut guided, mut held) = (Vec::new(), 0, 0);
    for n in 0..1_200u32 {
        let id = format!("00000000-0000-4000-8000-{n:012}");
        let is_held = group_of(&definition, &UserId::new(&id).expect("an id")) == Group::Holdout;
        let (count, of_ten, after) =
            if is_held { (&mut held, 2, 1_440) } else { (&mut guided, 6, 120) };
        *count += 1;
        let far = if *count % 10 < of_ten { 2 } else { u32::from(n % 2 == 0) };
        events.extend(way(&id, n / 100, far, after));
    }
    events.extend(way("00000000-0000-4000-9000-000000000000", 30, 0, 0));
    send(world, &events).await;
    (guided, held)
}

#[tokio::test]
async fn a_lift_is_told_with_how_sure_it_is() {
    let world = world().await;
    let empty = report(&world).await;
    assert_eq!(empty["lift"][0]["verdict"], "open");
    assert_eq!(empty["lift"][0]["difference"], Value::Null);
    assert_eq!(empty["sampleRatio"]["eValue"], 1.0);
    assert_eq!(empty["curves"][0]["points"], json!([]));

    let (guided, held) = days_pass(&world).await;
    let report = report(&world).await;
    assert_eq!((&report["at"], &report["windowMs"]), (&json!(at(30, 600)), &json!(7 * DAY_MS)));
    let lift = &report["lift"][0];
    assert_eq!((&lift["against"], &lift["days"]), (&json!("holdout"), &json!(12)));
    assert_eq!((&lift["guided"]["users"], &lift["other"]["users"]), (&json!(guided), &json!(held)));
    assert_eq!(lift["verdict"], "better");
    assert!(lift["eValue"].as_f64() > Some(1e6), "{lift}");
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("a number: {value}"));
    let difference = &lift["difference"];
    assert!((number(&difference["estimate"]) - 0.4).abs() < 0.05, "{difference}");
    assert!(number(&difference["low"]) > 0.2 && number(&difference["high"]) < 0.6, "{difference}");
    assert!(number(&lift["timeMs"]["high"]) < 0.0, "guided users are faster: {lift}");

    let ratio = &report["sampleRatio"];
    assert_eq!(
        (&ratio["alert"], ratio["shares"].as_array().map(Vec::len)),
        (&json!(false), Some(2))
    );
    // Without a model nothing was spent, and what nothing bought is known once it is proven.
    assert_eq!(report["spend"]["microUsd"], 0);
    assert_eq!(report["spend"]["perIncrementalMicroUsd"]["estimate"], 0.0);
    let incremental = number(&report["spend"]["incremental"]["estimate"]);
    assert!((incremental / guided as f64 - 0.4).abs() < 0.05, "{incremental} of {guided}");
}

#[tokio::test]
async fn funnels_and_curves_are_there_for_charts() {
    let world = world().await;
    let (guided, held) = days_pass(&world).await;
    let report = report(&world).await;
    let of = |list: &str, group: &str| {
        let all = report[list].as_array().expect("a list");
        all.iter().find(|item| item["group"] == group).expect("every group").clone()
    };
    let steps = of("funnel", "guided")["steps"].as_array().expect("steps").clone();
    let names: Vec<&Value> = steps.iter().map(|step| &step["milestone"]).collect();
    assert_eq!(names, ["project", "data", "billing", "first_report"]);
    assert_eq!(steps[3]["users"], of("groups", "guided")["activated"]);
    assert!((steps[3]["share"].as_f64().expect("a share") - 0.6).abs() < 0.01, "{steps:?}");
    assert!(steps[0]["users"].as_u64() > steps[1]["users"].as_u64());
    assert_eq!(steps[2]["users"], 0);

    let curve = of("curves", "guided");
    let points = curve["points"].as_array().expect("points");
    let after = |hours: i64| {
        let found = points.iter().find(|point| point["afterMs"] == hours * 3_600_000);
        found.expect("an end of a bin")["activated"].as_f64().expect("a share")
    };
    assert!(after(1) == 0.0 && (after(2) - 0.6).abs() < 0.01, "{points:?}");
    assert!(curve["medianMs"].as_f64().is_some_and(|ms| ms < 7_200_001.0), "{curve}");
    assert_eq!(of("curves", "holdout")["medianMs"], Value::Null);
    let mean = |group: &str| of("curves", group)["restrictedMean"]["meanMs"].as_f64();
    assert!(mean("guided") < mean("holdout"), "{report}");
    assert_eq!(of("curves", "static")["points"], json!([]));
    let users =
        of("groups", "guided")["signedUp"].as_u64().zip(of("groups", "holdout")["users"].as_u64());
    // The one who came last belongs to one of the two.
    assert_eq!(users.map(|(a, b)| a + b), Some(guided + held + 1));
}

#[tokio::test]
async fn shares_that_are_lost_on_the_way_raise_an_alarm() {
    let world = world().await;
    let definition = definition();
    let mut events = Vec::new();
    for n in 0..3_000u32 {
        let id = format!("00000000-0000-4000-8000-{n:012}");
        let is_held = group_of(&definition, &UserId::new(&id).expect("an id")) == Group::Holdout;
        // Half of the holdout never arrives here.
        if !is_held || n % 2 == 0 {
            events.extend(way(&id, 0, 0, 0));
        }
    }
    send(&world, &events).await;
    let ratio = report(&world).await["sampleRatio"].clone();
    assert_eq!(ratio["alert"], true, "{ratio}");
    assert!(ratio["eValue"].as_f64() >= Some(100.0), "{ratio}");
}
