//! Near facts are the nearest, and they are true: what they ask for opens the gate.

use serde_json::{Value as Json, json};

use crate::decide::{Gate, Near};
use crate::definition::Definition;
use crate::definition::condition::Test;
use crate::profile::view::View;
use crate::rules::fixture::{Ask, DAY, HOUR, Product, User, t};
use crate::value::Scalar;

/// What stops the first guide at `when` or `never`.
fn near(definition: &Definition, user: &User, ms: u64) -> Option<Near> {
    let stopped = Ask::default().judge(definition, user, ms, |_, judged| {
        judged.guides.first().and_then(|guide| guide.stopped.clone())
    });
    stopped.map(|(gate, near)| {
        assert!(matches!(gate, Gate::When | Gate::Never), "{gate:?}");
        near
    })
}

fn product(gate: &str, condition: Json) -> Definition {
    Product::small().with(&format!("/guides/0/{gate}"), condition).definition()
}

/// One event that a case adds, at `NOW`.
type Act = (&'static str, Json);

const NOW: u64 = 2 * DAY;

/// What a user has done before `NOW`; attributes are set by `having` of the kind's name.
fn user(definition: &Definition, past: &[(&str, u64, Json)]) -> User {
    past.iter().fold(User::signed_up(definition), |user, (kind, ms, payload)| {
        match kind.strip_prefix("set ") {
            Some(name) => user.having(definition, name, payload.clone()),
            None => user.did(definition, kind, *ms, payload.clone()),
        }
    })
}

fn check(gate: &str, condition: &Json, past: &[(&str, u64, Json)], sentence: &str, cure: &[Act]) {
    let definition = product(gate, condition.clone());
    let stuck = user(&definition, past);
    let near = near(&definition, &stuck, NOW).unwrap_or_else(|| panic!("not stopped: {condition}"));
    assert_eq!(near.sentence(), sentence, "{condition}");
    let cured =
        cure.iter().fold(stuck.clone(), |user, (kind, payload)| match kind.strip_prefix("set ") {
            Some(name) => user.having(&definition, name, payload.clone()),
            None => user.did(&definition, kind, NOW, payload.clone()),
        });
    if !cure.is_empty() {
        assert_eq!(self::near(&definition, &cured, NOW), None, "cured: {condition}");
    }
    if let Some(at) = near.at {
        let opens = u64::try_from(at.as_millis() - t(0).as_millis()).expect("after the epoch");
        assert_eq!(self::near(&definition, &stuck, opens), None, "open then: {condition}");
        let before = self::near(&definition, &stuck, opens - 1);
        assert!(before.is_some(), "shut until then: {condition}");
    }
}

#[test]
fn events_and_attributes_name_what_they_need() {
    let import = json!({ "form": "import", "ok": false });
    let clicks = json!({ "event": "clicked", "count": 3 });
    check(
        "when",
        &clicks,
        &[("clicked", 5, json!({}))],
        "The guide needs at least 3 `clicked` events; there is 1.",
        &[("clicked", json!({})), ("clicked", json!({}))],
    );
    let failed = json!({ "event": "form_submit", "where": import, "within": "1d" });
    check(
        "when",
        &failed,
        &[],
        "The guide needs at least 1 `form_submit` event where form is import and ok is false, within 1d; there is none.",
        &[("form_submit", import.clone())],
    );
    check(
        "when",
        &json!({ "attribute": "tier", "in": ["trial", "pro"] }),
        &[],
        "Attribute `tier` is free; the guide needs it to be one of trial, pro.",
        &[("set tier", json!("trial"))],
    );
    check(
        "when",
        &json!({ "attribute": "seats", "gte": 3, "lte": 9 }),
        &[],
        "Attribute `seats` is not set; the guide needs it to be at least 3 and at most 9.",
        &[("set seats", json!(3))],
    );
    check(
        "when",
        &json!({ "attribute": "nick", "exists": true }),
        &[],
        "Attribute `nick` is not set; the guide needs it to be set.",
        &[("set nick", json!("x"))],
    );
    check(
        "when",
        &json!({ "attribute": "nick", "exists": false }),
        &[("set nick", 0, json!("x"))],
        "Attribute `nick` is x; the guide needs it to be not set.",
        &[],
    );
    check(
        "when",
        &json!({ "attribute": "tier", "ne": "free" }),
        &[],
        "Attribute `tier` is free; the guide needs it to be anything but free.",
        &[("set tier", json!("pro"))],
    );
}

#[test]
fn milestones_times_and_errors_name_what_they_need() {
    check(
        "when",
        &json!({ "milestone": "data", "status": "blocked" }),
        &[],
        "Milestone `data` is locked, as `project` is not reached yet; the guide needs it to be blocked.",
        &[],
    );
    check(
        "when",
        &json!({ "since": "signup", "gte": "3d" }),
        &[],
        "Signup was 2d ago; the guide needs it to be at least 3d ago. Time alone opens this gate.",
        &[],
    );
    check(
        "when",
        &json!({ "since": "signup", "lte": "1d" }),
        &[],
        "Signup was 2d ago; the guide needs it to be at most 1d ago.",
        &[],
    );
    check(
        "when",
        &json!({ "since": "last_event", "lte": "1h" }),
        &[],
        "The last event was 2d ago; the guide needs it to be at most 1h ago.",
        &[("clicked", json!({}))],
    );
    check(
        "when",
        &json!({ "since": "data", "gte": "1h" }),
        &[],
        "Milestone `data` is not reached yet; the guide needs it to be at least 1h ago.",
        &[],
    );
    check(
        "when",
        &json!({ "error": "card_declined", "within": "3d" }),
        &[("form_submit", HOUR, json!({ "error": "import_failed" }))],
        "The last error is import_failed, over 1d old; the guide needs card_declined within 3d.",
        &[("form_submit", json!({ "error": "card_declined" }))],
    );
}

#[test]
fn never_asks_for_the_opposite() {
    let import = json!({ "form": "import", "ok": false });
    let twice = [("form_submit", DAY, import.clone()), ("form_submit", DAY + 7, import.clone())];
    check(
        "never",
        &json!({ "event": "form_submit", "where": import, "count": 2, "within": "7d" }),
        &twice,
        "The guide needs fewer than 2 `form_submit` events where form is import and ok is false, within 7d; there are at least 2. Time alone opens this gate.",
        &[],
    );
    check(
        "never",
        &json!({ "event": "clicked" }),
        &[("clicked", 1, json!({}))],
        "The guide needs no `clicked` event; there is at least 1.",
        &[],
    );
    check(
        "never",
        &json!({ "attribute": "tier", "eq": "free" }),
        &[],
        "Attribute `tier` is free; the guide needs it to be anything but free.",
        &[("set tier", json!("trial"))],
    );
    check(
        "never",
        &json!({ "milestone": "project", "status": "open" }),
        &[],
        "Milestone `project` is open; the guide needs it to be anything but open.",
        &[],
    );
    check(
        "never",
        &json!({ "since": "signup", "lte": "3d" }),
        &[],
        "Signup was 2d ago; the guide needs it to be over 3d ago. Time alone opens this gate.",
        &[],
    );
    check(
        "never",
        &json!({ "since": "last_event", "gte": "1d" }),
        &[],
        "The last event was 2d ago; the guide needs it to be under 1d ago.",
        &[("clicked", json!({}))],
    );
    check(
        "never",
        &json!({ "error": "card_declined" }),
        &[("form_submit", DAY, json!({ "error": "card_declined" }))],
        "The last error is card_declined, 1d old; the guide needs anything but card_declined within 7d. Time alone opens this gate.",
        &[("form_submit", json!({ "error": "import_failed" }))],
    );
}

#[test]
fn a_tree_is_walked_to_its_nearest_leaf() {
    let pro = json!({ "attribute": "tier", "eq": "pro" });
    let clicks = |count: u32| json!({ "event": "clicked", "count": count });
    let seats = json!({ "attribute": "seats", "gte": 3 });
    let old = json!({ "since": "signup", "gte": "5d" });
    let reached = json!({ "milestone": "data" });
    // All: the first that is unmet.
    check(
        "when",
        &json!({ "all": [{ "not": pro }, clicks(2), seats] }),
        &[],
        "The guide needs at least 2 `clicked` events; there is none.",
        &[("clicked", json!({})), ("clicked", json!({})), ("set seats", json!(3))],
    );
    // Any: the cheapest, whatever its place; nothing that can't come about any more.
    check(
        "when",
        &json!({ "any": [clicks(4), reached, pro] }),
        &[],
        "Attribute `tier` is free; the guide needs it to be pro.",
        &[("set tier", json!("pro"))],
    );
    check(
        "when",
        &json!({ "any": [{ "since": "signup", "lte": "1d" }, clicks(9)] }),
        &[],
        "The guide needs at least 9 `clicked` events; there is none.",
        &[],
    );
    check(
        "when",
        &json!({ "any": [{ "all": [pro, clicks(3)] }, clicks(3)] }),
        &[],
        "The guide needs at least 3 `clicked` events; there is none.",
        &[("clicked", json!({})), ("clicked", json!({})), ("clicked", json!({}))],
    );
    // Not: what holds has to change.
    check(
        "when",
        &json!({ "not": { "all": [clicks(1), { "attribute": "tier", "eq": "free" }] } }),
        &[("clicked", 1, json!({}))],
        "Attribute `tier` is free; the guide needs it to be anything but free.",
        &[("set tier", json!("pro"))],
    );
    check(
        "when",
        &json!({ "not": { "not": pro } }),
        &[],
        "Attribute `tier` is free; the guide needs it to be pro.",
        &[("set tier", json!("pro"))],
    );
    // The leaf is the user's to turn; the instant is the whole gate's.
    check(
        "when",
        &json!({ "any": [pro, { "all": [old, { "not": clicks(1) }] }] }),
        &[],
        "Attribute `tier` is free; the guide needs it to be pro. Time alone opens this gate.",
        &[("set tier", json!("pro"))],
    );
    check(
        "when",
        &json!({ "all": [old, pro] }),
        &[],
        "Signup was 2d ago; the guide needs it to be at least 5d ago.",
        &[],
    );
}

#[test]
fn time_opens_a_gate_through_a_milestones_block() {
    let import = json!({ "form": "import", "ok": false });
    let condition = json!({ "milestone": "data", "status": "blocked" });
    // The small product's first guide serves `project`, which is reached here: another asks.
    let definition = Product::small()
        .with("/guides/3/never", condition)
        .with("/guides/3/serves", json!("other"));
    let definition = definition
        .with(
            "/journey/milestones/2",
            json!({
                "id": "other", "name": "Other", "requires": ["project"],
                "reached": { "event": "page_view", "where": { "page": "report" } },
            }),
        )
        .with("/journey/activation", json!("data"))
        .definition();
    let stuck = user(
        &definition,
        &[
            ("form_submit", HOUR, json!({ "form": "project" })),
            ("form_submit", HOUR, import.clone()),
            ("form_submit", 2 * HOUR, import),
        ],
    );
    let stopped = |ms: u64| {
        Ask::default().judge(&definition, &stuck, ms, |_, judged| judged.guides[3].stopped.clone())
    };
    let (gate, near) = stopped(NOW).expect("stopped");
    assert_eq!(gate, Gate::Never);
    assert_eq!(
        near.sentence(),
        "Milestone `data` is blocked; the guide needs it to be anything but blocked. Time alone opens this gate."
    );
    let opens = HOUR + 7 * DAY + 1;
    assert_eq!(near.at, Some(t(opens)));
    assert!(stopped(opens - 1).is_some());
    assert_eq!(stopped(opens), None);
}

#[test]
fn a_personal_attribute_is_named_and_no_more() {
    // The checker lets none into a condition; should one get there, it stays private all the same.
    let definition = Product::small().definition();
    let ann = user(&definition, &[("set firstName", 0, json!("Ann"))]);
    let view = View { definition: &definition, profile: &ann.profile, now: t(NOW) };
    let name = definition.attributes.find(|attribute| attribute.personal).expect("declared");
    let test = Test { eq: Some(Scalar::Text("Bob".into())), ..Test::default() };
    let found = super::attribute_fact(view, name, &test, super::Want::True);
    assert_eq!(
        found.sentence(),
        "Attribute `firstName` does not fit; it is personal and not told."
    );
    assert_eq!((found.needed, found.actual), (None, None));
}
