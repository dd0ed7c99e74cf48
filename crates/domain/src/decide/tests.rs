//! Whole decisions: groups, draws, reasons, and what the trace says of them.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::definition::Definition;
use crate::event::Position;
use crate::group::group_of;
use crate::kin::{Kin, Merged};
use crate::policy::Policy;
use crate::rules::fixture::{Ask, DAY, HOUR, MINUTE, Product, User, guide_id, shown, t, user_id};
use crate::rules::{fact, situational};

/// Two guides with three wordings that a fresh user may be shown.
fn choice() -> Product {
    let wording = |id: &str, title: &str| json!({ "id": id, "copy": { "en": { "title": title, "cta": "Go" } } });
    Product::small()
        .with("/guides/0/variants", json!([wording("b", "One"), wording("a", "Two")]))
        .with("/guides/3/serves", json!("project"))
}

fn random(definition: &Definition, user: &User, ask: &Ask, ms: u64) -> Decision {
    decide(definition, Policy::Random, &user.profile, &ask.request(user, ms))
}

fn numbered(n: u128) -> Ask {
    Ask { n, ..Ask::default() }
}

fn law(trace: &Trace) -> BTreeMap<String, u64> {
    let parts = |p: Option<Propensity>| p.map_or(0, Propensity::parts);
    let arms = trace.guides.iter().flat_map(|guide| {
        guide.arms.iter().map(move |(variant, p)| (format!("{}/{variant}", guide.id), parts(*p)))
    });
    arms.chain([("no_guide".to_owned(), parts(trace.no_guide))]).collect()
}

fn chosen(decision: &Decision) -> (String, Option<Propensity>) {
    match &decision.outcome {
        Outcome::Show { guide, propensity, .. } => {
            (format!("{}/{}", guide.id(), guide.variant()), Some(*propensity))
        }
        Outcome::Withhold { propensity, .. } => ("no_guide".to_owned(), *propensity),
    }
}

#[test]
fn static_shows_the_first_in_file_order_for_sure() {
    let definition = choice().definition();
    let user = User::signed_up(&definition);
    let decision = Ask::default().decide(&definition, &user, 0);
    assert_eq!(chosen(&decision), ("start/b".to_owned(), Some(Propensity::ONE)));
    assert_eq!(
        (decision.policy, decision.group, decision.explore),
        ("static", Group::Guided, false)
    );
    let arms: Vec<_> = law(&decision.trace).into_iter().collect();
    let expected =
        [("no_guide", 0), ("read/plain", 0), ("start/a", 0), ("start/b", Propensity::SCALE)];
    assert_eq!(arms, expected.map(|(name, parts)| (name.to_owned(), parts)));
}

#[test]
fn the_trace_counts_what_each_gate_leaves() {
    let definition = Product::small()
        .with("/guides/3/serves", json!("project"))
        .with("/guides/3/when", json!({ "attribute": "tier", "eq": "pro" }))
        .definition();
    let decision = Ask::default().decide(&definition, &User::signed_up(&definition), 0);
    let mut left = vec![4, 2];
    left.extend([1; 8]);
    assert_eq!(decision.trace.stages.iter().map(|(_, n)| *n).collect::<Vec<_>>(), left);
    let gates: Vec<Gate> = decision.trace.stages.iter().map(|(gate, _)| *gate).collect();
    assert!(gates.is_sorted() && gates.first() == Some(&Gate::Holdout), "{gates:?}");
    let ids: Vec<_> = decision.trace.guides.iter().map(|guide| guide.id.as_str()).collect();
    assert_eq!(ids, ["start", "import", "help", "read"]);
}

#[test]
fn draws_follow_the_law_that_is_logged() {
    let definition = choice().definition();
    let user = User::signed_up(&definition);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let expected = law(&random(&definition, &user, &numbered(0), 0).trace);
    assert_eq!(expected.values().sum::<u64>(), Propensity::SCALE);
    assert_eq!(expected.len(), 4);
    let draws = 10_000;
    for n in 0..draws {
        let decision = random(&definition, &user, &numbered(n), 0);
        let (name, propensity) = chosen(&decision);
        let logged = law(&decision.trace);
        assert_eq!(propensity.map(Propensity::parts), logged.get(&name).copied());
        assert_eq!(logged, expected);
        *seen.entry(name).or_default() += 1;
    }
    let chi_square: f64 = expected
        .iter()
        .map(|(name, parts)| {
            let mean = *parts as f64 / Propensity::SCALE as f64 * draws as f64;
            (f64::from(seen.get(name).copied().unwrap_or(0)) - mean).powi(2) / mean
        })
        .sum();
    // Three degrees of freedom: 16.3 is passed once in a thousand; these draws are the same for ever.
    assert!(chi_square < 16.3, "{chi_square} {seen:?}");
}

#[test]
fn the_same_arguments_give_the_same_decision() {
    let definition = choice().with("/explore", json!(0.5)).definition();
    let again = choice().with("/explore", json!(0.5)).reversed();
    for n in 0..200 {
        let user = User::signed_up(&definition).named(&format!("u{n}"));
        let [one, two, other] = [&definition, &definition, &again]
            .map(|definition| format!("{:?}", random(definition, &user, &numbered(n), 5)));
        assert_eq!(one, two);
        assert_eq!(one, other, "the order of the file's mappings changes nothing");
    }
}

#[test]
fn a_holdout_user_is_asked_nothing_else() {
    let definition = choice().with("/holdout", json!(0.5)).definition();
    let user = |n: u32| User::signed_up(&definition).named(&format!("u{n}"));
    let ask = Ask::default();
    let (mut held, mut guided) = (None, None);
    for user in (0..64).map(user) {
        let decision = random(&definition, &user, &ask, 0);
        let slot = if decision.group == Group::Holdout { &mut held } else { &mut guided };
        *slot = Some(decision);
    }
    let (held, guided) = (held.expect("one of 64"), guided.expect("one of 64"));
    assert!(matches!(
        held.outcome,
        Outcome::Withhold { reason: Reason::Holdout, propensity: None }
    ));
    let expected = Trace { stages: vec![(Gate::Holdout, 0)], ..Trace::default() };
    assert_eq!(held.trace, expected);
    assert!(!held.explore);
    assert_eq!(held.signature, guided.signature, "the situation is the same");
}

#[test]
fn groups_have_their_own_policies() {
    let definition = choice()
        .with("/groups", json!({ "random": 0.3, "static": 0.3 }))
        .with("/explore", json!(0.5))
        .definition();
    let mut seen = BTreeMap::new();
    for n in 0..400u128 {
        let user = User::signed_up(&definition).named(&format!("u{n}"));
        let decision = Ask { n, ..Ask::default() }.decide(&definition, &user, 0);
        *seen.entry((decision.group, decision.policy, decision.explore)).or_insert(0) += 1;
    }
    let kinds: Vec<_> = seen.keys().copied().collect();
    let guided = [(Group::Guided, "random", true), (Group::Guided, "static", false)];
    let fixed = [(Group::Random, "random", false), (Group::Static, "static", false)];
    assert_eq!(kinds, [guided, fixed].concat(), "{seen:?}");
}

#[test]
fn why_nothing_is_shown() {
    let definition = Product::small().with("/guides/0/limits", json!({ "shows": 1 })).definition();
    let user = User::signed_up(&definition);
    let reason = |user: &User, ask: &Ask, ms: u64| match ask.decide(&definition, user, ms).outcome {
        Outcome::Withhold { reason, propensity: None } => Some(reason),
        Outcome::Show { .. } => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&user, &numbered(1), 0), None);
    let paused = Ask { paused: vec![guide_id("start")], ..Ask::default() };
    assert_eq!(reason(&user, &paused, 0), Some(Reason::NoCandidate));
    let first = numbered(1).decide(&definition, &user, 0);
    let seen = user.clone().met(&definition, &first, &[("guide_shown", 10)]);
    assert_eq!(reason(&seen, &numbered(2), DAY), Some(Reason::NoCandidate), "a guide's own limit");
    let two = Product::small().with("/guides/3/serves", json!("project")).definition();
    let soon = numbered(2).decide(&two, &seen, 20);
    assert!(matches!(soon.outcome, Outcome::Withhold { reason: Reason::Contact, .. }));
}

#[test]
fn no_guide_is_an_arm() {
    let definition = choice().definition();
    let user = User::signed_up(&definition);
    let mut withheld =
        (0..64).map(|n| random(&definition, &user, &numbered(n), 0)).filter_map(|d| {
            match d.outcome {
                Outcome::Withhold { reason, propensity } => {
                    Some((reason, propensity, d.trace.no_guide))
                }
                Outcome::Show { .. } => None,
            }
        });
    let (reason, propensity, logged) = withheld.next().expect("one of 64");
    assert_eq!((reason, propensity), (Reason::Policy, logged));
    assert!(propensity.is_some());
}

#[test]
fn an_offer_ends_with_its_guide() {
    let at = |expires: &str| {
        let definition = Product::small().with("/guides/0/expires", json!(expires)).definition();
        match Ask::default().decide(&definition, &User::signed_up(&definition), 0).outcome {
            Outcome::Show { expires, .. } => expires,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(at("2023-11-14T22:14:20Z"), t(MINUTE));
    assert_eq!(at("2023-11-15T22:14:20Z"), t(10 * MINUTE));
}

#[test]
fn limits_open_at_the_instant_that_is_named() {
    let definition = choice()
        .with("/guides/0/limits", json!({ "gap": "6h" }))
        .with("/guides/3/lifecycle", json!("draft"))
        .with("/contact", json!({ "session": 9, "day": 2, "gap": "5m", "dismissed": "2h" }))
        .definition();
    let fresh = User::signed_up(&definition);
    let first = numbered(1).decide(&definition, &fresh, 0);
    let offered = fresh.clone().met(&definition, &first, &[]);
    let shown = fresh.clone().met(&definition, &first, &[("guide_shown", 500)]);
    let again = numbered(2).decide(&definition, &shown, 7 * HOUR);
    let twice = shown.clone().met(&definition, &again, &[("guide_shown", 7 * HOUR)]);
    let away =
        fresh.met(&definition, &first, &[("guide_shown", 500), ("guide_dismissed", 5 * HOUR)]);
    let table = [
        (&offered, 5, Gate::Limits, "guide_gap", MINUTE),
        (&shown, 1000, Gate::Limits, "guide_gap", 6 * HOUR + 500),
        (&twice, 14 * HOUR, Gate::Contact, "day_contacts", DAY + 500),
        (&away, 6 * HOUR + 500, Gate::Contact, "dismissed", 7 * HOUR),
    ];
    for (user, now, gate, fact, opens) in table {
        let stopped =
            |ms: u64| numbered(3).decide(&definition, user, ms).trace.guides[0].stopped.clone();
        let (found, near) = stopped(now).expect("stopped");
        assert_eq!((found, &*near.fact, near.at), (gate, fact, Some(t(opens))));
        assert!(stopped(opens - 1).is_some(), "{fact}");
        assert_eq!(stopped(opens), None, "{fact}");
    }
}

#[test]
fn pending_offers_count_before_they_are_folded() {
    let definition = Product::small().definition();
    let user = User::signed_up(&definition);
    let first = numbered(1).decide(&definition, &user, 0);
    assert_eq!(shown(&first), Some("start"));
    let pending = Offer::of(&first, &Ask::default().session).into_iter().collect();
    let second = Ask { n: 2, pending, ..Ask::default() }.decide(&definition, &user, 10);
    assert!(matches!(second.outcome, Outcome::Withhold { reason: Reason::Contact, .. }));
}

fn seal(definition: &Definition, key: &[u8], user: &str, decision: &Decision) -> String {
    validation_hash(key, definition, &user_id(user), decision).to_string()
}

#[test]
fn the_seal_can_be_made_again_from_what_is_said_of_it() {
    let definition = choice().with("/guides/0/target", json!("home_button")).definition();
    let user = User::signed_up(&definition);
    let decision = Ask::default().decide(&definition, &user, 0);
    let Outcome::Show { guide, propensity, expires } = &decision.outcome else {
        panic!("{decision:?}")
    };
    let content = json!({
        "at": decision.at.as_millis(), "decisionId": decision.id.to_string(), "expiresAt": expires.as_millis(),
        "guide": {
            "action": "/home", "anchor": "#home", "component": "banner", "id": "start", "milestone": "project",
            "path": "/home", "variant": "b",
        },
        "outcome": "show", "policy": "static", "product": "small", "propensity": propensity.get() as u64,
        "reason": null, "signature": decision.signature.to_string(), "userId": "ann",
    });
    let copy = json!({ "body": null, "cta": "Go", "locale": guide.copy().locale, "title": "One" });
    let mut mac = Hmac::<Sha256>::new_from_slice(b"key").expect("any length");
    mac.update(content.to_string().as_bytes());
    mac.update(definition.hash.as_bytes());
    mac.update(&Sha256::digest(copy.to_string().as_bytes()));
    let made: [u8; 32] = mac.finalize().into_bytes().into();
    let made = ContentHash::from_bytes(made).to_string();
    assert_eq!(seal(&definition, b"key", "ann", &decision), made);
}

#[test]
fn the_seal_covers_key_user_catalogue_words_and_draw() {
    let definition = choice().definition();
    let other = choice().with("/version", json!(4)).definition();
    let words = choice().with("/guides/0/variants/0/copy/en/title", json!("Oné")).definition();
    let user = User::signed_up(&definition);
    let decision = |n: u128, ms: u64| numbered(n).decide(&definition, &user, ms);
    let silent = Ask { paused: vec![guide_id("start"), guide_id("read")], ..Ask::default() };
    let seals = [
        seal(&definition, b"key", "ann", &decision(1, 0)),
        seal(&definition, b"kez", "ann", &decision(1, 0)),
        seal(&definition, b"key", "bob", &decision(1, 0)),
        seal(&other, b"key", "ann", &decision(1, 0)),
        seal(&definition, b"key", "ann", &numbered(1).decide(&words, &user, 0)),
        seal(&definition, b"key", "ann", &decision(2, 0)),
        seal(&definition, b"key", "ann", &decision(1, 1)),
        seal(&definition, b"key", "ann", &silent.decide(&definition, &user, 0)),
    ];
    let different: std::collections::BTreeSet<_> = seals.iter().collect();
    assert_eq!(different.len(), seals.len(), "{seals:?}");
}

#[test]
fn who_is_merged_into_another_is_shown_nothing_and_told_why() {
    let definition = choice().definition();
    let user = User::signed_up(&definition);
    let merged = Some(Merged { into: user_id("u"), at: Position(9) });
    let ask = Ask { kin: Kin { merged, ..Kin::default() }, ..Ask::default() };
    assert!(shown(&Ask::default().decide(&definition, &user, 0)).is_some());
    let decision = ask.decide(&definition, &user, 0);
    let Outcome::Withhold { reason, propensity } = &decision.outcome else {
        panic!("{decision:?}")
    };
    assert_eq!((*reason, *propensity), (Reason::NoCandidate, None));
    let near = |guide: &GuideTrace| {
        let (gate, near) = guide.stopped.as_ref().expect("every guide is stopped");
        (*gate, near.fact.to_string(), near.sentence())
    };
    let sentence = "The user is merged into another, and guides are for that one.";
    for guide in &decision.trace.guides {
        assert_eq!(near(guide), (Gate::State, fact::MERGED.to_owned(), sentence.to_owned()));
    }
    assert_eq!(decision.trace.guides.len(), definition.guides.len());
    ask.judge(&definition, &user, 0, |situation, judged| {
        assert_eq!((judged.situational.len(), situational(situation).len()), (0, 0));
    });
}

#[test]
fn a_person_is_decided_for_in_the_group_of_the_first_id() {
    let definition = choice().with("/holdout", json!(0.5)).definition();
    let group = |id: &str| group_of(&definition, &user_id(id));
    let held = (0..).map(|n| format!("anon-{n}")).find(|id| group(id) == Group::Holdout);
    let held = held.expect("half of all");
    let free = (0..).map(|n| format!("u{n}")).find(|id| group(id) == Group::Guided);
    let user = User::signed_up(&definition).named(&free.expect("half of all"));
    assert!(shown(&Ask::default().decide(&definition, &user, 0)).is_some());
    let kin = Kin { group_by: Some(user_id(&held)), ..Kin::default() };
    let decision = Ask { kin, ..Ask::default() }.decide(&definition, &user, 0);
    assert_eq!((decision.group, shown(&decision)), (Group::Holdout, None));
}
