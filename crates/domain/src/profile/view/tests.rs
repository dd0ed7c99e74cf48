//! Every condition form, and every status, at telling moments.

use super::*;
use crate::definition::condition::Test;
use crate::event::Event;
use crate::profile::fixture::{
    DAY, Draft, HOUR, User, attribute, event, is, json, nothing, t, text, with_payload,
};

#[test]
fn all_any_and_not_say_what_they_say() {
    let definition = Draft::new().done();
    let user = User::new();
    let yes = || Condition::All(Vec::new());
    let no = nothing;
    let table = [
        (yes(), true),
        (no(), false),
        (Condition::All(vec![yes(), yes()]), true),
        (Condition::All(vec![yes(), no()]), false),
        (Condition::Any(vec![no(), yes()]), true),
        (Condition::Any(vec![no(), no()]), false),
        (Condition::Not(Box::new(no())), true),
        (Condition::Not(Box::new(yes())), false),
    ];
    for (condition, expected) in table {
        assert_eq!(user.view(&definition, 0).holds(&condition), expected, "{condition:?}");
    }
}

#[test]
fn events_are_counted_ever_and_in_windows_that_hold_their_ends() {
    let mut draft = Draft::new();
    let ever = draft.counter("page_view", &[], 2, None);
    let lately = draft.counter("page_view", &[], 2, Some(DAY));
    let definition = draft.done();
    let mut user = User::new();
    let have = |user: &User, ms: u64| {
        let view = user.view(&definition, ms);
        assert_eq!(view.holds(&Condition::Event(lately)), view.count(lately).0 == 2);
        assert_eq!(view.holds(&Condition::Event(ever)), view.count(ever).0 == 2);
        (view.count(ever), view.count(lately))
    };
    assert_eq!(have(&user, 0), ((0, 2), (0, 2)));
    user.event(&definition, &event("page_view", HOUR));
    assert_eq!(have(&user, HOUR), ((1, 2), (1, 2)));
    user.event(&definition, &event("page_view", 3 * HOUR));
    user.event(&definition, &event("page_view", 2 * HOUR));
    assert_eq!(have(&user, 3 * HOUR), ((2, 2), (2, 2)));
    assert_eq!(have(&user, 2 * HOUR + DAY), ((2, 2), (2, 2)), "exactly a day ago still counts");
    assert_eq!(have(&user, 2 * HOUR + DAY + 1), ((2, 2), (1, 2)));
    assert_eq!(have(&user, 3 * HOUR + DAY + 1), ((2, 2), (0, 2)));
    assert_eq!(have(&user, 0), ((2, 2), (2, 2)), "what lies ahead counts as now");
}

#[test]
fn attributes_fall_back_to_their_default() {
    let definition = Draft::new().done();
    let mut user = User::new();
    let tier = attribute(&definition, "tier");
    let holds = |user: &User, test: Test| {
        user.view(&definition, 0).holds(&Condition::Attribute { attribute: tier, test })
    };
    let is = |value: &str| Test { eq: Some(text(value)), ..Test::default() };
    assert!(holds(&user, is("free")));
    let attributes = vec![("tier".into(), json("\"pro\""))];
    user.event(&definition, &Event { attributes, ..event("page_view", 0) });
    assert!(holds(&user, is("pro")));
    assert!(!holds(&user, is("free")));
    let view = user.view(&definition, 0);
    assert_eq!((view.locale(), view.app_version()), (Some("en"), None));
}

#[test]
fn since_needs_its_anchor_and_holds_its_bounds() {
    let mut draft = Draft::new();
    let imported = draft.seen("data_imported", 1, None);
    let data = draft.milestone("data", &[], imported, None);
    let definition = draft.done();
    let mut user = User::new();
    let holds = |user: &User, anchor, gte: Option<u64>, lte: Option<u64>, ms| {
        let (gte, lte) = (gte.map(Millis::new), lte.map(Millis::new));
        user.view(&definition, ms).holds(&Condition::Since { anchor, gte, lte })
    };
    let anchors = [Anchor::Signup, Anchor::LastEvent, Anchor::Milestone(data)];
    for anchor in anchors {
        assert!(!holds(&user, anchor, None, Some(DAY), 0), "{anchor:?} has not been");
    }
    user.event(&definition, &event("page_view", 50));
    user.event(&definition, &event("signed_up", 100));
    user.event(&definition, &event("data_imported", 200));
    user.event(&definition, &event("page_view", 300));
    for (anchor, then) in anchors.into_iter().zip([100, 300, 200]) {
        let now = 1_000;
        let elapsed = now - then;
        assert!(holds(&user, anchor, Some(elapsed), Some(elapsed), now), "{anchor:?}");
        assert!(!holds(&user, anchor, Some(elapsed + 1), None, now), "{anchor:?}");
        assert!(!holds(&user, anchor, None, Some(elapsed - 1), now), "{anchor:?}");
        assert!(holds(&user, anchor, None, Some(0), 0), "{anchor:?} lies ahead");
        assert_eq!(user.view(&definition, now).since(anchor), Some(Millis::new(elapsed)));
    }
}

#[test]
fn only_the_last_error_counts_and_only_so_long() {
    let definition = Draft::new().done();
    let mut user = User::new();
    let error = |name: &str| ErrorName::new(name).expect("a name");
    let holds = |user: &User, name: &str, ms: u64| {
        let condition = Condition::Error { name: error(name), within: Millis::new(HOUR) };
        user.view(&definition, ms).holds(&condition)
    };
    assert!(!holds(&user, "card_declined", 0));
    let failed = |ms: u64, name: &str| {
        with_payload(event("form_submit", ms), &format!(r#"{{"error":"{name}"}}"#))
    };
    user.event(&definition, &failed(10, "card_declined"));
    assert!(holds(&user, "card_declined", 10));
    assert!(holds(&user, "card_declined", 10 + HOUR));
    assert!(!holds(&user, "card_declined", 11 + HOUR));
    assert!(!holds(&user, "import_failed", 10));
    user.event(&definition, &failed(5, "import_failed"));
    assert!(holds(&user, "import_failed", 5 + HOUR));
    assert!(!holds(&user, "card_declined", 10), "the last in log order has replaced it");
    user.event(&definition, &failed(20, "out of cheese"));
    assert!(holds(&user, "other", 20));
}

/// `first`, and `second` that requires it; `second` is blocked by two failed imports within a day.
fn journey() -> (Definition, [Ix<Milestone>; 2]) {
    let mut draft = Draft::new();
    let project = draft.seen("form_submit", 1, None);
    let first = draft.milestone("first", &[], project, None);
    let imported = draft.seen("data_imported", 1, None);
    let failed = draft.counter("page_view", &[("failed", "true")], 2, Some(DAY));
    let second = draft.milestone("second", &[first], imported, Some(Condition::Event(failed)));
    (draft.done(), [first, second])
}

#[test]
fn a_milestone_is_reached_else_locked_else_blocked_else_open() {
    let (definition, [first, second]) = journey();
    let mut user = User::new();
    let check = |user: &User, ms: u64, expected: [Status; 2]| {
        let view = user.view(&definition, ms);
        assert_eq!([view.status(first), view.status(second)], expected);
        for (milestone, expected) in [first, second].into_iter().zip(expected) {
            for status in [Status::Locked, Status::Open, Status::Blocked, Status::Reached] {
                let holds = view.holds(&is(milestone, status));
                assert_eq!(holds, status == expected, "{milestone:?} {status:?}");
            }
        }
    };
    let failure = |ms| with_payload(event("page_view", ms), r#"{"failed":true}"#);
    check(&user, 0, [Status::Open, Status::Locked]);
    user.event(&definition, &failure(1));
    user.event(&definition, &failure(2));
    check(&user, 2, [Status::Open, Status::Locked]);
    user.event(&definition, &event("form_submit", 3));
    check(&user, 3, [Status::Reached, Status::Blocked]);
    check(&user, 1 + DAY, [Status::Reached, Status::Blocked]);
    check(&user, 2 + DAY, [Status::Reached, Status::Open]);
    user.event(&definition, &failure(3 + DAY));
    user.event(&definition, &failure(4 + DAY));
    check(&user, 4 + DAY, [Status::Reached, Status::Blocked]);
    user.event(&definition, &event("data_imported", 5 + DAY));
    check(&user, 5 + DAY, [Status::Reached, Status::Reached]);
    let view = user.view(&definition, 5 + DAY);
    assert_eq!([first, second].map(|ix| view.reached_at(ix)), [Some(t(3)), Some(t(5 + DAY))]);
}

#[test]
fn a_milestone_may_be_reached_before_what_it_requires() {
    let (definition, [first, second]) = journey();
    let mut user = User::new();
    user.event(&definition, &event("data_imported", 1));
    let view = user.view(&definition, 1);
    assert_eq!([view.status(first), view.status(second)], [Status::Open, Status::Reached]);
    assert!(!view.holds(&is(second, Status::Locked)));
}

/// Each milestone is blocked while any of `refers` finds the next one blocked; the last by a page view.
fn chain(length: u16, refers: usize) -> Definition {
    let mut draft = Draft::new();
    let viewed = draft.seen("page_view", 1, None);
    for place in 0..length {
        let next = Ix::new(place + 1);
        let asks = Condition::Any(vec![is(next, Status::Blocked); refers]);
        let blocked = if place + 1 == length { viewed.clone() } else { asks };
        draft.milestone(&format!("m{place}"), &[], nothing(), Some(blocked));
    }
    draft.done()
}

#[test]
fn blocked_conditions_may_ask_on_and_each_is_asked_once() {
    // Asked again and again, a chain of 200 with three questions each would take 3^200 steps.
    let definition = chain(200, 3);
    let mut user = User::new();
    assert_eq!(user.view(&definition, 0).status(Ix::new(0)), Status::Open);
    user.event(&definition, &event("page_view", 0));
    for place in [0, 1, 63, 64, 128, 199] {
        assert_eq!(user.view(&definition, 0).status(Ix::new(place)), Status::Blocked, "{place}");
    }
}

#[test]
fn a_circle_of_blocked_conditions_comes_to_an_end() {
    let mut draft = Draft::new();
    for place in 0..2u16 {
        let other = is(Ix::new(1 - place), Status::Open);
        draft.milestone(&format!("m{place}"), &[], nothing(), Some(other));
    }
    let definition = draft.done();
    let user = User::new();
    // The asked one counts as not blocked while it is being asked: so the other is, and so it is not.
    let statuses = [0, 1].map(|place| user.view(&definition, 0).status(Ix::new(place)));
    assert_eq!(statuses, [Status::Open, Status::Open]);
}

#[test]
fn places_are_a_set() {
    let mut places = Places::default();
    for place in [0, 63, 64, 199, 255, 256, 10_000] {
        assert!(!places.has(place));
        places.add(place);
        assert_eq!(places.has(place), place < 256);
        assert!(!places.has(place + 1));
    }
}
