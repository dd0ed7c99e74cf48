//! What the checker rules out never happens: random definitions, random users, and the engine's own view of them.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::tree;
use crate::definition::condition::Status;
use crate::definition::fault::FaultCode;
use crate::definition::{Checked, Guide, Intent, check};
use crate::event::{Event, EventContext, Position};
use crate::id::{EventId, SessionId, UserId};
use crate::profile::Profile;
use crate::profile::fold::fold_event;
use crate::profile::view::View;
use crate::time::{Millis, Timestamp};

const MILESTONES: [&str; 3] = ["a", "b", "c"];

fn event() -> impl Strategy<Value = Value> {
    let kind = select(vec!["e1", "e2"]);
    let filter =
        proptest::option::of(select(vec![json!({ "k": 1 }), json!({ "k": { "gte": 1 } })]));
    let within = proptest::option::of(select(vec!["1h", "2h"]));
    (kind, 1..3u32, filter, within).prop_map(|(kind, count, filter, within)| {
        let mut form = json!({ "event": kind, "count": count });
        for (key, value) in [("where", filter), ("within", within.map(Value::from))] {
            if let Some(value) = value {
                form[key] = value;
            }
        }
        form
    })
}

fn attribute() -> impl Strategy<Value = Value> {
    let tier = (select(vec!["eq", "ne"]), select(vec!["free", "pro"]))
        .prop_map(|(how, value)| json!({ "attribute": "tier", how: value }));
    let seats = (select(vec!["eq", "ne", "gte", "lte"]), 1..4)
        .prop_map(|(how, value)| json!({ "attribute": "seats", how: value }));
    let beta = any::<bool>().prop_map(|there| json!({ "attribute": "beta", "exists": there }));
    prop_oneof![tier, seats, beta]
}

/// A fact, with these statuses of milestones.
fn leaf(statuses: Vec<&'static str>) -> impl Strategy<Value = Value> {
    let milestone = (select(MILESTONES.to_vec()), select(statuses))
        .prop_map(|(id, status)| json!({ "milestone": id, "status": status }));
    let anchors = vec!["signup", "last_event", "a", "b"];
    let since = (select(anchors), select(vec!["gte", "lte"]), select(vec!["0s", "1h", "2h"]))
        .prop_map(|(then, how, span)| json!({ "since": then, how: span }));
    let error = (select(vec!["x", "other"]), select(vec!["1h", "3h"]))
        .prop_map(|(name, span)| json!({ "error": name, "within": span }));
    prop_oneof![3 => event(), 2 => attribute(), 3 => milestone, 1 => since, 1 => error]
}

fn condition(statuses: Vec<&'static str>) -> impl Strategy<Value = Value> {
    leaf(statuses).prop_recursive(3, 8, 3, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list().prop_map(|parts| json!({ "all": parts })),
            list().prop_map(|parts| json!({ "any": parts })),
            inner.clone().prop_map(|part| json!({ "not": part })),
        ]
    })
}

fn guide() -> impl Strategy<Value = Value> {
    let gate = || proptest::option::of(condition(vec!["reached", "open", "blocked", "locked"]));
    (select(MILESTONES.to_vec()), select(vec!["activate", "unblock"]), gate(), gate()).prop_map(
        |(serves, intent, when, never)| {
            let mut guide = json!({
                "about": "Helps.", "serves": serves, "intent": intent, "target": "page", "component": "banner",
                "variants": [{ "id": "v", "copy": { "en": { "title": "Hello" } } }],
            });
            for (key, gate) in [("when", when), ("never", never)] {
                if let Some(gate) = gate {
                    guide[key] = gate;
                }
            }
            guide
        },
    )
}

prop_compose! {
    fn definition()(
        reached in proptest::collection::vec(condition(vec!["reached", "locked", "open", "blocked"]), 3),
        // Without open and blocked, so that no circle comes about.
        blocked in proptest::collection::vec(proptest::option::of(condition(vec!["reached", "locked"])), 3),
        guides in proptest::collection::vec(guide(), 1..6),
    ) -> Value {
        let requires = [json!([]), json!(["a"]), json!(["a", "b"])];
        let mut milestones = vec![json!({ "id": "done", "reached": { "event": "page_view" } })];
        for (((id, requires), reached), blocked) in MILESTONES.iter().zip(requires).zip(reached).zip(blocked) {
            let mut milestone = json!({ "id": id, "requires": requires, "reached": reached });
            if let Some(blocked) = blocked {
                milestone["blocked"] = blocked;
            }
            milestones.push(milestone);
        }
        let number = |(n, mut guide): (usize, Value)| { guide["id"] = json!(format!("g{n}")); guide };
        json!({
            "format": 1, "product": "p", "version": 1,
            "events": { "e1": {}, "e2": {} }, "errors": ["x"],
            "attributes": {
                "tier": { "type": "enum", "values": ["free", "pro"] },
                "seats": { "type": "number", "default": 1 },
                "beta": { "type": "boolean" },
            },
            "journey": { "signup": { "event": "e1" }, "activation": "done", "milestones": milestones },
            "targets": { "page": { "route": "*" } },
            "guides": guides.into_iter().enumerate().map(number).collect::<Vec<_>>(),
        })
    }
}

/// A kind of event, what comes with it, and the minutes before it.
type Happening = (&'static str, Value, Value, u64);

fn happening() -> impl Strategy<Value = Happening> {
    let payload = vec![
        json!({}),
        json!({ "k": 1 }),
        json!({ "k": 2 }),
        json!({ "error": "x" }),
        json!({ "error": "y" }),
    ];
    let attributes = vec![
        json!({}),
        json!({ "tier": "free" }),
        json!({ "tier": "pro" }),
        json!({ "seats": 2 }),
        json!({ "seats": 3 }),
        json!({ "beta": true }),
    ];
    (
        select(vec!["e1", "e2", "page_view"]),
        select(payload),
        select(attributes),
        select(vec![0, 30, 60, 150]),
    )
}

fn happened(n: usize, (kind, payload, attributes, _): &Happening, at: Timestamp) -> Event {
    let attributes: crate::value::Value =
        serde_json::from_value(attributes.clone()).expect("a value");
    let crate::value::Value::Map(attributes) = attributes else { panic!("an object") };
    Event {
        id: EventId::new(&format!("event-{n}")).expect("an id"),
        user: UserId::new("u").expect("an id"),
        session: SessionId::new("s").expect("an id"),
        kind: (*kind).into(),
        at,
        received_at: at,
        attributes,
        context: EventContext::default(),
        payload: serde_json::from_value(payload.clone()).expect("a value"),
    }
}

/// Whether the guide passes the gates that the checker judges.
fn passes(view: View<'_>, guide: &Guide) -> bool {
    let wanted = if guide.intent == Intent::Unblock { Status::Blocked } else { Status::Open };
    view.status(guide.serves) == wanted
        && guide.when.as_ref().is_none_or(|when| view.holds(when))
        && guide.never.as_ref().is_none_or(|never| !view.holds(never))
}

/// What the checker said of a guide.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// That it is never eligible.
    Never,
    /// That the guide at this place is eligible wherever it is.
    ShadowedBy(usize),
}

/// The verdicts, each with its guide's place.
fn verdicts(checked: &Checked) -> Vec<(usize, Verdict)> {
    let number = |text: &str| {
        text.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok())
    };
    let verdict = |fault: &crate::definition::fault::Fault| {
        let verdict = match fault.code {
            FaultCode::NeverEligible => Verdict::Never,
            FaultCode::AlwaysShadowed => Verdict::ShadowedBy(number(&fault.message)?),
            _ => return None,
        };
        Some((number(&fault.path)?, verdict))
    };
    checked.warnings.iter().filter_map(verdict).collect()
}

/// Everything that the user is at one moment, against everything that the checker ruled out.
fn hold_against(view: View<'_>, ruled_out: &[(usize, Verdict)]) -> Result<(), TestCaseError> {
    let guides: Vec<_> = view.definition.guides.iter().collect();
    for (place, verdict) in ruled_out {
        if passes(view, guides[*place]) {
            let shadow = match verdict {
                Verdict::Never => None,
                Verdict::ShadowedBy(earlier) => Some(guides[*earlier]),
            };
            prop_assert!(
                shadow.is_some_and(|shadow| passes(view, shadow)),
                "{} is {verdict:?}",
                guides[*place].id
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_ruled_out_never_happens(definition in definition(), life in proptest::collection::vec(happening(), 0..12)) {
        // What contradicts itself inside of one comparison is refused, and there is nothing to run.
        let Ok(checked) = check(&tree(&definition)) else { return Ok(()) };
        let ruled_out = verdicts(&checked);
        let mut profile = Profile::default();
        let mut now = Timestamp::from_millis(1_700_000_000_000);
        for (n, happening) in life.iter().enumerate() {
            now = now + Millis::minutes(happening.3);
            let position = Position(n as u64 + 1);
            fold_event(&mut profile, &checked.definition, &happened(n, happening, now), position);
            for later in [Millis::ZERO, Millis::minutes(45), Millis::hours(5)] {
                let view = View { definition: &checked.definition, profile: &profile, now: now + later };
                hold_against(view, &ruled_out)?;
            }
        }
    }
}

/// The property above would pass if the checker never ruled anything out.
#[test]
fn enough_is_ruled_out_to_tell() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut never, mut shadowed) = (0, 0);
    for _ in 0..300 {
        let definition = definition().new_tree(&mut runner).expect("a definition").current();
        let Ok(checked) = check(&tree(&definition)) else { continue };
        for (_, verdict) in verdicts(&checked) {
            match verdict {
                Verdict::Never => never += 1,
                Verdict::ShadowedBy(_) => shadowed += 1,
            }
        }
    }
    assert!(never > 20 && shadowed > 5, "{never} {shadowed}");
}
