//! Each gate by tables, and their order.

use serde_json::{Value as Json, json};

use super::fixture::{Ask, DAY, HOUR, MINUTE, Product, User, guide_id, t};
use super::*;
use crate::definition::Definition;
use crate::id::MilestoneId;
use crate::profile::contact::{Dismissals, GuideContact};
use crate::profile::session_hash;

const SEE: &str = "/guides/0";

fn at(key: &str) -> String {
    format!("{SEE}/{key}")
}

/// What stops the first guide.
fn stop(definition: &Definition, user: &User, ask: &Ask, ms: u64) -> Option<(Gate, Near)> {
    ask.judge(definition, user, ms, |_, judged| {
        judged.guides.first().and_then(|guide| guide.stopped.clone())
    })
}

/// Gate and fact in short, as tables hold them.
fn brief(stopped: &Option<(Gate, Near)>) -> Option<(Gate, String)> {
    stopped.as_ref().map(|(gate, near)| (*gate, near.sentence()))
}

#[test]
fn a_fresh_user_passes_every_gate() {
    let definition = Product::small().definition();
    let user = User::signed_up(&definition);
    Ask::default().judge(&definition, &user, 0, |_, judged| {
        assert_eq!(judged.guides.first().map(|guide| &guide.stopped), Some(&None));
        let candidate = judged.candidates.first().expect("a candidate");
        assert_eq!((candidate.place(), candidate.guide().id.as_str()), (0, "start"));
    });
}

#[test]
fn the_first_gate_that_does_not_open_is_named() {
    // The guide fails at every gate; mending them in turn shows that each is asked before the next.
    let mut product = Product::small()
        .with(&at("intent"), json!("unblock"))
        .with(&at("when"), json!({ "attribute": "tier", "eq": "pro" }))
        .with(&at("never"), json!({ "event": "clicked" }))
        .with(&at("lifecycle"), json!("retired"))
        .with(&at("component"), json!("modal"))
        .with(&at("limits"), json!({ "shows": 1 }))
        .saying("Hi {nick}");
    let ask = Ask { components: Some(vec!["banner".into()]), ..Ask::default() };
    let mut nick = json!("");
    let mut seen = GuideContact { shows: 1, ..GuideContact::default() };
    let mut exposures = 2;
    let mends: [(Gate, &str, Json); 6] = [
        (Gate::State, "intent", json!("educate")),
        (Gate::When, "when", json!({ "attribute": "tier", "eq": "free" })),
        (Gate::Never, "never", json!({ "event": "imported" })),
        (Gate::Lifecycle, "lifecycle", json!("live")),
        (Gate::Surface, "component", json!("banner")),
        (Gate::Copy, "about", json!("Now the name is set.")),
    ];
    let gate = |product: &Product, nick: &Json, seen: GuideContact, exposures: usize| {
        let definition = product.definition();
        let mut user = User::signed_up(&definition).having(&definition, "nick", nick.clone());
        user.profile.contact.guides = vec![(guide_id("start"), seen)];
        user.profile.contact.recent = vec![(t(0), session_hash(&ask.session)); exposures];
        stop(&definition, &user, &ask, HOUR).map(|(gate, _)| gate)
    };
    for (expected, key, mended) in mends {
        assert_eq!(gate(&product, &nick, seen, exposures), Some(expected));
        product = product.with(&at(key), mended);
    }
    nick = json!("www.evil.example");
    assert_eq!(gate(&product, &nick, seen, exposures), Some(Gate::Text));
    nick = json!("Ann");
    assert_eq!(gate(&product, &nick, seen, exposures), Some(Gate::Limits));
    seen.shows = 0;
    assert_eq!(gate(&product, &nick, seen, exposures), Some(Gate::Contact));
    exposures = 1;
    assert_eq!(gate(&product, &nick, seen, exposures), None);
}

#[test]
fn the_state_rule() {
    let definition = Product::small().definition();
    let failed = json!({ "form": "import", "ok": false });
    let fresh = User::signed_up(&definition);
    let begun = fresh.clone().did(&definition, "form_submit", 1, json!({ "form": "project" }));
    let blocked = begun.clone().did(&definition, "form_submit", 2, failed.clone());
    let blocked = blocked.did(&definition, "form_submit", 3, failed);
    let done = blocked.clone().did(&definition, "imported", 4, json!({}));
    // Guides: start (project, activate), import (data, activate), help (data, unblock), read (report, educate).
    let table: [(&User, [Option<(&str, &str, &str)>; 4]); 4] = [
        (
            &fresh,
            [
                None,
                Some(("data", "open", "locked")),
                Some(("data", "blocked", "locked")),
                Some(("report", "open", "locked")),
            ],
        ),
        (
            &begun,
            [
                Some(("project", "open", "reached")),
                None,
                Some(("data", "blocked", "open")),
                Some(("report", "open", "locked")),
            ],
        ),
        (
            &blocked,
            [
                Some(("project", "open", "reached")),
                Some(("data", "open", "blocked")),
                None,
                Some(("report", "open", "locked")),
            ],
        ),
        (
            &done,
            [
                Some(("project", "open", "reached")),
                Some(("data", "open", "reached")),
                Some(("data", "blocked", "reached")),
                None,
            ],
        ),
    ];
    for (user, expected) in table {
        Ask::default().judge(&definition, user, 10, |_, judged| {
            for (stopped, expected) in
                judged.guides.iter().map(|guide| &guide.stopped).zip(expected)
            {
                let found = stopped.as_ref().map(|(gate, near)| {
                    assert_eq!((*gate, &*near.fact), (Gate::State, fact::MILESTONE_STATUS));
                    let words =
                        [near.subject.as_deref(), near.needed.as_deref(), near.actual.as_deref()];
                    words.map(|word| word.expect("all are said").to_owned())
                });
                let expected = expected.map(|(a, b, c)| [a, b, c].map(str::to_owned));
                assert_eq!(found, expected);
            }
        });
    }
}

#[test]
fn a_lock_names_the_missing_milestone_and_a_block_its_end() {
    let definition = Product::small().definition();
    let failed = json!({ "form": "import", "ok": false });
    let fresh = User::signed_up(&definition);
    let near = |user: &User, guide: usize, ms: u64| {
        Ask::default().judge(&definition, user, ms, |_, judged| {
            judged.guides[guide].stopped.clone().map(|(_, near)| near).expect("stopped")
        })
    };
    let lock = near(&fresh, 1, 5);
    assert_eq!((lock.missing.as_deref(), lock.at), (Some("project"), None));
    assert_eq!(
        lock.sentence(),
        "Milestone `data` is locked, as `project` is not reached yet; the guide needs it to be open."
    );
    let blocked = fresh
        .did(&definition, "form_submit", 1, json!({ "form": "project" }))
        .did(&definition, "form_submit", 1000, failed.clone())
        .did(&definition, "form_submit", 5000, failed);
    let block = near(&blocked, 1, 6000);
    // The older failure leaves the window of seven days, whose end still counts, a moment after it is over.
    assert_eq!(block.at, Some(t(7 * DAY + 1001)));
    assert_eq!(
        block.sentence(),
        "Milestone `data` is blocked; the guide needs it to be open. Time alone opens this gate."
    );
    assert_eq!(
        near(&blocked, 0, 6000).sentence(),
        "Milestone `project` is reached; the guide needs it to be open."
    );
}

#[test]
fn lifecycle_by_its_four_ways_out() {
    let table = [
        ("lifecycle", json!("draft"), "The guide is a draft; only a live one is shown."),
        ("lifecycle", json!("retired"), "The guide is retired; only a live one is shown."),
        ("expires", json!("2023-11-14T22:13:20Z"), "The guide has expired."),
    ];
    for (key, value, sentence) in table {
        let definition = Product::small().with(&at(key), value).definition();
        let stopped = stop(&definition, &User::signed_up(&definition), &Ask::default(), 0);
        assert_eq!(brief(&stopped), Some((Gate::Lifecycle, sentence.to_owned())));
    }
    let definition = Product::small()
        .with(&at("expires"), json!("2023-11-14T22:13:20Z"))
        .with(&at("variants/0/lifecycle"), json!("live"))
        .definition();
    let user = User::signed_up(&definition);
    let early = Ask::default().judge(&definition, &user, 0, |s, _| s.view.now);
    assert_eq!(early, t(0), "the guide expires at the tests' own epoch");
    let sleeping = Product::small().with(&at("variants/0/lifecycle"), json!("draft")).definition();
    let stopped = stop(&sleeping, &user, &Ask::default(), 0);
    let sentence = "No wording of the guide is live.";
    assert_eq!(brief(&stopped), Some((Gate::Lifecycle, sentence.to_owned())));
    let ask = Ask { paused: vec![guide_id("other"), guide_id("start")], ..Ask::default() };
    let live = Product::small().definition();
    let sentence = "The guide is paused until somebody resumes it.";
    assert_eq!(brief(&stop(&live, &user, &ask, 0)), Some((Gate::Lifecycle, sentence.to_owned())));
}

#[test]
fn a_guide_is_gone_the_moment_that_it_expires() {
    let definition =
        Product::small().with(&at("expires"), json!("2023-11-14T22:13:21Z")).definition();
    let user = User::signed_up(&definition);
    assert!(stop(&definition, &user, &Ask::default(), 999).is_none());
    assert!(stop(&definition, &user, &Ask::default(), 1000).is_some());
}

/// Target, action, components known, version, path, expected sentence.
type SurfaceRow = (
    &'static str,
    &'static str,
    Option<&'static [&'static str]>,
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

const SURFACES: &[SurfaceRow] = &[
    ("page", "home", None, None, None, None),
    ("page", "home", Some(&["modal", "banner", "hologram"]), None, None, None),
    (
        "page",
        "home",
        Some(&["modal"]),
        None,
        None,
        Some("The caller can't draw the component `banner`."),
    ),
    ("page", "home", Some(&[]), None, None, Some("The caller can't draw the component `banner`.")),
    ("item_button", "home", None, Some("1.4.0"), None, None),
    ("item_button", "home", None, Some("1.4.0-rc.1"), None, None),
    (
        "item_button",
        "home",
        None,
        Some("1.3.9"),
        None,
        Some("`item_button` is in app versions >=1.4.0; the user's is 1.3.9."),
    ),
    (
        "item_button",
        "home",
        None,
        None,
        None,
        Some("`item_button` is in app versions >=1.4.0; the user's is unknown."),
    ),
    (
        "item_button",
        "home",
        None,
        Some("newest, by Ann"),
        None,
        Some("`item_button` is in app versions >=1.4.0; the user's is not a version."),
    ),
    ("page", "later", None, Some("2.1.0-beta.1"), None, None),
    (
        "page",
        "later",
        None,
        Some("4.0.0"),
        None,
        Some("`later` is in app versions >=2.0.0, <4.0.0; the user's is 4.0.0."),
    ),
    (
        "page",
        "later",
        None,
        Some("4.0.0-rc.1"),
        None,
        Some("`later` is in app versions >=2.0.0, <4.0.0; the user's is 4.0.0."),
    ),
    ("home_button", "home", None, None, Some("/home/?utm=x#y"), None),
    ("home_button", "home", None, None, None, None),
    (
        "home_button",
        "home",
        None,
        None,
        Some("/users/ann"),
        Some("The guide stands on `home` (/home); the user is on another page."),
    ),
    ("item_button", "home", None, Some("2.0.0"), Some("/items/7"), None),
    (
        "item_button",
        "home",
        None,
        Some("2.0.0"),
        Some("/items"),
        Some("The guide stands on `item` (/items/:id); the user is on another page."),
    ),
    ("page", "home", None, None, Some("anything"), None),
    ("page", "home", None, None, Some("/home/desk"), None),
    (
        "page",
        "home",
        None,
        None,
        Some("/home/?utm=x#y"),
        Some("The guide leads to `home`, and the user is there already."),
    ),
    ("home_page", "home", None, None, Some("/home"), None),
    (
        "any_item",
        "first",
        None,
        None,
        Some("/items/1"),
        Some("The guide leads to `first`, and the user is there already."),
    ),
    ("any_item", "first", None, None, Some("/items/2"), None),
    (
        "item_button",
        "home",
        Some(&[]),
        Some("1.0.0"),
        Some("/x"),
        Some("The caller can't draw the component `banner`."),
    ),
];

#[test]
fn the_surface_by_component_version_and_path() {
    for &(target, action, components, app_version, path, sentence) in SURFACES {
        let definition = Product::small()
            .with(&at("target"), json!(target))
            .with(&at("action/route"), json!(action))
            .definition();
        let components = components.map(|known| known.iter().map(|c| c.to_string()).collect());
        let ask = Ask { components, app_version, path, ..Ask::default() };
        let stopped = stop(&definition, &User::signed_up(&definition), &ask, 0);
        let expected = sentence.map(|sentence| (Gate::Surface, sentence.to_owned()));
        assert_eq!(brief(&stopped), expected, "{target} {action} {app_version:?} {path:?}");
    }
}

#[test]
fn the_profiles_version_counts_where_the_caller_names_none() {
    let definition = Product::small().with(&at("target"), json!("item_button")).definition();
    let user = User::signed_up(&definition).having(&definition, "appVersion", json!("1.5.0"));
    let with = |app_version| stop(&definition, &user, &Ask { app_version, ..Ask::default() }, 0);
    assert!(with(None).is_none());
    assert!(with(Some("1.6.0")).is_none());
    assert!(with(Some("1.0.0")).is_some());
    assert!(with(Some("?")).is_some(), "what the caller says counts, even where it can't be read");
}

#[test]
fn copy_falls_back_and_fills_its_slots() {
    let copy = json!({
        "en": { "title": "Hi {nick|you}, {seats|0} seats", "cta": "Go" },
        "de": { "title": "Hallo {nick}", "cta": "Los" },
        "zh-Hant": { "title": "你好", "cta": "去" },
    });
    let definition = Product::small().with(&at("variants/0/copy"), copy).definition();
    let fresh = User::signed_up(&definition);
    let ann = fresh.clone().having(&definition, "nick", json!("Ann")).having(
        &definition,
        "seats",
        json!(5),
    );
    let blank = fresh.clone().having(&definition, "nick", json!(" \u{a0}"));
    let table = [
        (&fresh, None, Ok("en: Hi you, 0 seats")),
        (&ann, None, Ok("en: Hi Ann, 5 seats")),
        (&blank, Some("en-GB"), Ok("en: Hi you, 0 seats")),
        (&ann, Some("de-AT"), Ok("de: Hallo Ann")),
        (&ann, Some("DE_at"), Ok("de: Hallo Ann")),
        (&ann, Some("zh-hant-TW"), Ok("zh-Hant: 你好")),
        (&ann, Some("zh"), Ok("en: Hi Ann, 5 seats")),
        (&ann, Some("deu"), Ok("en: Hi Ann, 5 seats")),
        (&ann, Some("--"), Ok("en: Hi Ann, 5 seats")),
        (&ann, Some(""), Ok("en: Hi Ann, 5 seats")),
        (&fresh, Some("de"), Err("The wording needs attribute `nick`, which is not set.")),
        (&blank, Some("de"), Err("The wording needs attribute `nick`, which is not set.")),
    ];
    for (user, locale, expected) in table {
        let ask = Ask { locale, ..Ask::default() };
        let decision = ask.decide(&definition, user, 0);
        let found = match (&decision.outcome, &decision.trace.guides[0].stopped) {
            (crate::decide::Outcome::Show { guide, .. }, _) => {
                Ok(format!("{}: {}", guide.copy().locale, guide.copy().title))
            }
            (_, Some((Gate::Copy, near))) => Err(near.sentence()),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{locale:?}");
    }
}

#[test]
fn a_slot_smuggles_nothing_past_the_text_rules() {
    let definition = Product::small().saying("Hi {nick|you}").definition();
    let table = [
        ("Ann", None),
        ("Zoë-Łucja O’Neil", None),
        ("a name of twenty graphemes", Some("at most 20 graphemes")),
        ("GUARANTEEd", Some("no match of")),
        ("evil.com", Some("no URL")),
        ("http://x", Some("no URL")),
        ("<b>x</b>", Some("no HTML")),
        ("\u{202e}nnA", Some("no bidirectional controls")),
        ("A\u{200b}nn", Some("no invisible characters")),
        ("A\u{e0041}", Some("no invisible characters")),
        ("A\u{2028}B", Some("no control characters")),
    ];
    for (nick, rule) in table {
        let user = User::signed_up(&definition).having(&definition, "nick", json!(nick));
        let stopped = stop(&definition, &user, &Ask::default(), 0);
        assert_eq!(stopped.is_some(), rule.is_some(), "{nick:?}");
        if let (Some((gate, near)), Some(rule)) = (stopped, rule) {
            assert_eq!((gate, near.subject.as_deref()), (Gate::Text, Some("title")));
            assert!(
                near.sentence()
                    .starts_with(&format!("Filled in for this user, the title must have {rule}")),
                "{near:?}"
            );
            assert!(!near.sentence().contains(nick));
        }
    }
}

#[test]
fn a_variant_that_fails_leaves_the_others() {
    let variants = json!([
        { "id": "named", "copy": { "en": { "title": "Hi {nick}", "cta": "Go" } } },
        { "id": "old", "lifecycle": "retired", "copy": { "en": { "title": "Old", "cta": "Go" } } },
        { "id": "plain", "copy": { "en": { "title": "Hi", "cta": "Go" } } },
        { "id": "count", "copy": { "en": { "title": "{seats} seats", "cta": "Go" } } },
    ]);
    let definition = Product::small().with(&at("variants"), variants).definition();
    let arms = |user: &User| {
        Ask::default().judge(&definition, user, 0, |_, judged| {
            let ids = judged.candidates.iter().map(|c| c.variant().id.as_str().to_owned());
            ids.collect::<Vec<_>>()
        })
    };
    let fresh = User::signed_up(&definition);
    assert_eq!(arms(&fresh), ["plain"]);
    assert_eq!(arms(&fresh.clone().having(&definition, "nick", json!("Ann"))), ["named", "plain"]);
    let loud =
        fresh.having(&definition, "nick", json!("\0")).having(&definition, "seats", json!(3));
    assert_eq!(arms(&loud), ["plain", "count"]);
}

#[test]
fn the_furthest_variant_names_the_gate() {
    let variants = json!([
        { "id": "a", "copy": { "en": { "title": "{nick} has {seats}", "cta": "Go" } } },
        { "id": "b", "copy": { "en": { "title": "Hi {nick}", "cta": "Go" } } },
    ]);
    let definition = Product::small().with(&at("variants"), variants).definition();
    let user = User::signed_up(&definition);
    let gate = |user: &User| stop(&definition, user, &Ask::default(), 0).map(|(gate, _)| gate);
    assert_eq!(gate(&user), Some(Gate::Copy));
    assert_eq!(gate(&user.having(&definition, "nick", json!("<i>"))), Some(Gate::Text));
}

#[test]
fn limits_and_contact_say_what_is_used_up() {
    let definition =
        Product::small().with(&at("limits"), json!({ "shows": 2, "gap": "24h" })).definition();
    let s = session_hash(&Ask::default().session);
    let shows = |shows, ms: u64| {
        vec![(
            guide_id("start"),
            GuideContact { shows, last_shown: Some(t(ms)), ..GuideContact::default() },
        )]
    };
    let project = MilestoneId::new("project").expect("an identifier");
    let now = 2 * DAY;
    let table = [
        (
            shows(2, 0),
            vec![],
            None,
            Gate::Limits,
            "The user was shown this guide 2 times; its limit is 2.",
            None,
        ),
        (
            shows(1, now - HOUR),
            vec![],
            None,
            Gate::Limits,
            "The user was shown this guide 1h ago; its gap is 1d. Time alone opens this gate.",
            Some(now + 23 * HOUR),
        ),
        (
            vec![],
            vec![(t(0), s), (t(1), s)],
            None,
            Gate::Contact,
            "2 guides were shown in this session; the limit is 2.",
            None,
        ),
        (
            vec![],
            [1, 2, 3, 4].map(|h| (t(now - h * HOUR), h)).into(),
            None,
            Gate::Contact,
            "4 guides were shown in the last 24h; the limit is 4. Time alone opens this gate.",
            Some(now + 20 * HOUR),
        ),
        (
            vec![],
            vec![],
            Some(Dismissals { count: 2, last: t(now - 25 * HOUR) }),
            Gate::Contact,
            "A guide for milestone `project` was dismissed 1d ago; the silence about it lasts 2d. Time alone opens this gate.",
            Some(now + 23 * HOUR),
        ),
    ];
    for (guides, recent, dismissed, gate, sentence, opens) in table {
        let mut user = User::signed_up(&definition);
        user.profile.contact.guides = guides;
        user.profile.contact.recent = recent;
        user.profile.contact.dismissed =
            dismissed.map(|d| (project.clone(), d)).into_iter().collect();
        let (found, near) = stop(&definition, &user, &Ask::default(), now).expect("stopped");
        assert_eq!((found, near.sentence().as_str()), (gate, sentence));
        assert_eq!(near.at, opens.map(t), "{sentence}");
    }
}

#[test]
fn the_gap_between_two_exposures_says_when_it_ends() {
    let definition = Product::small().definition();
    let now = 2 * DAY;
    let mut user = User::signed_up(&definition);
    user.profile.contact.recent = vec![(t(now - 90_000), 7)];
    let (gate, near) = stop(&definition, &user, &Ask::default(), now).expect("stopped");
    let sentence =
        "A guide was shown over 1m ago; the gap between two is 5m. Time alone opens this gate.";
    assert_eq!(
        (gate, near.sentence().as_str(), near.at),
        (Gate::Contact, sentence, Some(t(now + 5 * MINUTE - 90_000)))
    );
}
