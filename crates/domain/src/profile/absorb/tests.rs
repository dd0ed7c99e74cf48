//! What becomes of each part of two profiles, in tables.

use super::*;
use crate::definition::condition::{Condition, Status};
use crate::event::Event;
use crate::id::SessionId;
use crate::profile::fixture::{
    DAY, Draft, HOUR, MINUTE, User, about, decision, event, is, json, milestone_id, nothing, offer,
    session, t, text,
};
use crate::profile::session_hash;
use crate::value::Scalar;

const FIRST: Position = Position(1_000);

/// Nobody reaches its only milestone.
fn plain() -> Definition {
    let mut draft = Draft::new();
    draft.0.activation = draft.milestone("m", &[], nothing(), None);
    draft.done()
}

fn absorbed(definition: &Definition, own: &User, other: &User) -> (Profile, Folded) {
    let mut profile = own.profile.clone();
    let folded = profile.absorb(definition, other.profile.clone(), FIRST);
    (profile, folded)
}

fn with_events(definition: &Definition, events: &[Event]) -> User {
    let mut user = User::new();
    events.iter().for_each(|event| drop(user.event(definition, event)));
    user
}

fn visit(name: &str, ms: u64) -> Event {
    Event { session: session(name), ..event("page_view", ms) }
}

#[test]
fn first_and_last_are_the_earliest_and_the_latest_of_both() {
    let definition = plain();
    let seen = |times: &[u64]| {
        let events: Vec<Event> = times.iter().map(|ms| event("signed_up", *ms)).collect();
        with_events(&definition, &events)
    };
    // Whose events were when; then first seen, last seen, signup, and whether the clock starts anew.
    let table: [(&[u64], &[u64], (u64, u64, u64), Option<u64>); 5] = [
        (&[5], &[1, 3], (1, 5, 1), Some(1)),
        (&[1, 3], &[5], (1, 5, 1), None),
        (&[2, 3], &[1, 5], (1, 5, 1), Some(1)),
        (&[], &[1, 5], (1, 5, 1), Some(1)),
        (&[1, 5], &[], (1, 5, 1), None),
    ];
    for (own, other, (first, last, signup), starts) in table {
        let (profile, folded) = absorbed(&definition, &seen(own), &seen(other));
        let found = (profile.first_seen, profile.last_seen, profile.signup);
        assert_eq!(found, (Some(t(first)), Some(t(last)), Some(t(signup))), "{own:?} {other:?}");
        assert_eq!(profile.events, (own.len() + other.len()) as u64);
        assert_eq!((folded.outcome, folded.signed_up), (FoldOutcome::New, starts.map(t)));
    }
}

#[test]
fn visits_add_up_and_one_in_which_both_were_newest_is_one() {
    let definition = plain();
    let user = |visits: &[(&str, u64)]| {
        let events: Vec<Event> = visits.iter().map(|(name, ms)| visit(name, *ms)).collect();
        with_events(&definition, &events)
    };
    type Visits<'a> = &'a [(&'a str, u64)];
    let table: [(Visits<'_>, Visits<'_>, (u32, &str, u64)); 6] = [
        (&[("a", 5)], &[("a", 1)], (1, "a", 1)),
        (&[("y", 0), ("a", 5)], &[("x", 1), ("a", 3)], (3, "a", 3)),
        (&[("a", 5)], &[("b", 1)], (2, "a", 5)),
        (&[("a", 5)], &[("b", 9)], (2, "b", 9)),
        (&[], &[("b", 1), ("c", 2)], (2, "c", 2)),
        (&[("a", 5)], &[], (1, "a", 5)),
    ];
    for (own, other, (count, current, started)) in table {
        let (profile, _) = absorbed(&definition, &user(own), &user(other));
        let id = SessionId::new(current).expect("an id");
        let expected = Sessions { count, current: session_hash(&id), started: Some(t(started)) };
        assert_eq!(profile.sessions, expected, "{own:?} {other:?}");
    }
}

#[test]
fn the_own_attributes_win_and_gaps_are_filled() {
    let definition = plain();
    let having = |pairs: &[(&str, &str)]| {
        let attributes = pairs.iter().map(|(name, value)| ((*name).into(), json(value))).collect();
        with_events(&definition, &[Event { attributes, ..event("page_view", 0) }])
    };
    let own = having(&[("tier", "\"pro\""), ("seats", "3")]);
    let mut other = having(&[("tier", "\"free\""), ("note", "\"hello\""), ("locale", "\"de-at\"")]);
    // As a definition had them that is no more.
    other.profile.attributes.push(("tint".into(), text("red")));
    let (profile, _) = absorbed(&definition, &own, &other);
    let expected = [
        ("locale", text("de-AT")),
        ("note", text("hello")),
        ("seats", Scalar::Number(3.0)),
        ("tier", text("pro")),
    ];
    let expected = expected.map(|(name, value)| (Box::from(name), value));
    assert_eq!(profile.attributes, expected);
    let mut stale = User::new();
    stale.profile.attributes = vec![("tier".into(), text("gold"))];
    let (profile, _) = absorbed(&definition, &User::new(), &stale);
    assert_eq!(profile.attributes, [], "what fits no more is let go");
}

#[test]
fn counters_add_up_to_what_their_form_asks_for() {
    let mut draft = Draft::new();
    let ever = draft.counter("page_view", &[], 5, None);
    let lately = draft.counter("page_view", &[], 3, Some(DAY));
    draft.0.activation = draft.milestone("m", &[], nothing(), None);
    let definition = draft.done();
    let viewed = |times: &[u64]| {
        let events: Vec<Event> = times.iter().map(|ms| event("page_view", *ms)).collect();
        with_events(&definition, &events)
    };
    let table: [(&[u64], &[u64], u32, &[u64]); 5] = [
        (&[1, 4], &[2], 3, &[1, 2, 4]),
        (&[1, 4], &[2, 5, 6], 5, &[4, 5, 6]),
        (&[7, 8, 9], &[1, 2, 3], 5, &[7, 8, 9]),
        (&[], &[1], 1, &[1]),
        (&[1], &[], 1, &[1]),
    ];
    for (own, other, count, newest) in table {
        let (profile, _) = absorbed(&definition, &viewed(own), &viewed(other));
        let key = |ix| definition.counters[ix].key;
        assert_eq!(profile.counter(key(ever)), Some(&Count::Ever(count)), "{own:?} {other:?}");
        let newest = newest.iter().map(|ms| t(*ms)).collect();
        assert_eq!(profile.counter(key(lately)), Some(&Count::Newest(newest)));
    }
    let mut other = viewed(&[1]);
    other.profile.counters.insert(0, (7, Count::Ever(2)));
    let (profile, _) = absorbed(&definition, &viewed(&[]), &other);
    assert_eq!(profile.counter(7), None, "a counter of a definition that is no more");
}

#[test]
fn the_later_error_stands() {
    let definition = plain();
    let failed = |error: &str, ms| {
        let payload = json(&format!("{{\"error\":\"{error}\"}}"));
        with_events(&definition, &[Event { payload, ..event("form_submit", ms) }])
    };
    let table = [
        (failed("card_declined", 5), failed("import_failed", 1), ("card_declined", 5)),
        (failed("card_declined", 5), failed("import_failed", 5), ("card_declined", 5)),
        (failed("card_declined", 5), failed("import_failed", 9), ("import_failed", 9)),
        (User::new(), failed("import_failed", 1), ("import_failed", 1)),
        (failed("card_declined", 5), User::new(), ("card_declined", 5)),
    ];
    for (own, other, (name, ms)) in table {
        let (profile, _) = absorbed(&definition, &own, &other);
        let last = profile.last_error.map(|(name, at)| (name.to_string(), at));
        assert_eq!(last, Some((name.to_owned(), t(ms))));
    }
}

/// Two views reach the first milestone; an import behind it the second, which is activation; a third waits for the second.
fn journey() -> Definition {
    let mut draft = Draft::new();
    let viewed = draft.seen("page_view", 2, None);
    let imported = draft.seen("data_imported", 1, None);
    let first = draft.milestone("first", &[], viewed, None);
    let both = Condition::All(vec![is(first, Status::Reached), imported]);
    let second = draft.milestone("second", &[first], both, None);
    draft.milestone("third", &[], is(second, Status::Reached), None);
    draft.0.activation = second;
    draft.done()
}

#[test]
fn milestones_are_reached_when_the_first_of_both_did_or_both_together() {
    let definition = journey();
    let did = |deeds: &[(&str, u64)]| {
        let events: Vec<Event> = deeds.iter().map(|(kind, ms)| event(kind, *ms)).collect();
        with_events(&definition, &events)
    };
    type Deeds<'a> = &'a [(&'a str, u64)];
    type Way<'a> = &'a [(&'a str, u64)];
    const WHOLE: Deeds<'_> = &[("page_view", 1), ("page_view", 2), ("data_imported", 3)];
    const LATER: Deeds<'_> = &[("page_view", 4), ("page_view", 5), ("data_imported", 6)];
    const ALL: Way<'_> = &[("first", 2), ("second", 3), ("third", 3)];
    // What each did; when milestones are reached then; which are news, and when activation is.
    let table: [(Deeds<'_>, Deeds<'_>, Way<'_>, &[&str], Option<u64>); 6] = [
        (&[], WHOLE, ALL, &["first", "second", "third"], Some(3)),
        (WHOLE, &[], ALL, &[], None),
        (LATER, WHOLE, ALL, &[], None),
        (WHOLE, LATER, ALL, &[], None),
        (&[("page_view", 4)], &[("page_view", 1)], &[("first", 4)], &["first"], None),
        (
            &[("data_imported", 9)],
            &[("page_view", 1), ("page_view", 2)],
            &[("first", 2), ("second", 9), ("third", 9)],
            &["first", "second", "third"],
            Some(9),
        ),
    ];
    for (own, other, way, news, activated) in table {
        let (profile, folded) = absorbed(&definition, &did(own), &did(other));
        let expected: Vec<_> = way.iter().map(|(id, ms)| (milestone_id(id), t(*ms))).collect();
        assert_eq!(profile.reached, expected, "{own:?} {other:?}");
        let reached = folded.reached.iter().map(|ix| definition.milestones[*ix].id.to_string());
        assert_eq!(reached.collect::<Vec<_>>(), news, "{own:?} {other:?}");
        assert_eq!(folded.activated, activated.map(t), "{own:?} {other:?}");
    }
    let mut other = did(WHOLE);
    other.profile.reached.insert(0, (milestone_id("erst"), t(1)));
    let (profile, _) = absorbed(&definition, &did(&[]), &other);
    assert_eq!(profile.reached.len(), 3, "a milestone of a definition that is no more");
}

#[test]
fn the_newest_ids_of_both_are_known_again() {
    let ids = |range: std::ops::Range<u64>| range.collect::<Vec<u64>>();
    // Own, the other's; how many of the other's newest and of the own newest are kept.
    let table = [
        (0..64, 100..164, 32, 32),
        (0..10, 100..164, 54, 10),
        (0..64, 100..110, 10, 54),
        (0..20, 100..110, 10, 20),
        (0..64, 100..100, 0, 64),
        (0..0, 100..164, 64, 0),
    ];
    for (own, other, theirs, ours) in table {
        let mut known = ids(own.clone());
        join_newest(&mut known, ids(other.clone()));
        let expected = [ids(other.end - theirs..other.end), ids(own.end - ours..own.end)].concat();
        assert_eq!(known, expected, "{own:?} {other:?}");
    }
    let mut known = vec![1, 2];
    join_newest(&mut known, vec![2, 3, 1]);
    assert_eq!(known, [3, 1, 2], "an id is kept once");
}

#[test]
fn the_newest_offers_of_both_are_kept() {
    let offered = |offers: &[(u128, u64)]| {
        let mut user = User::new();
        for (n, ms) in offers {
            user.offered(offer(*n, *ms));
        }
        user
    };
    let numbers = |profile: &Profile| {
        profile.contact.offers.iter().map(|offer| offer.decision.bits()).collect::<Vec<_>>()
    };
    let definition = plain();
    let own = offered(&[(1, 10), (2, 30), (3, 20)]);
    let (profile, _) = absorbed(&definition, &own, &offered(&[(4, 5), (5, 25), (6, 30)]));
    assert_eq!(numbers(&profile), [4, 1, 5, 2, 3, 6]);
    let many = |from: u128, ms: u64| {
        let offers: Vec<_> =
            (0..OFFERS_KEPT as u64).map(|n| (from + u128::from(n), ms + n)).collect();
        offered(&offers)
    };
    let (profile, _) = absorbed(&definition, &many(100, 1_000), &many(200, 0));
    assert_eq!(numbers(&profile), (100..100 + OFFERS_KEPT as u128).collect::<Vec<_>>());
    let (profile, _) = absorbed(&definition, &many(100, 0), &many(200, 1_000));
    assert_eq!(numbers(&profile), (200..200 + OFFERS_KEPT as u128).collect::<Vec<_>>());
}

#[test]
fn contacts_of_both_count_as_one_users() {
    let definition = plain();
    let met = |n: u128, ms: u64| {
        let mut user = User::new();
        user.offered(offer(n, ms));
        for (kind, later) in
            [("guide_shown", 0), ("guide_clicked", MINUTE), ("guide_dismissed", HOUR)]
        {
            user.event(&definition, &about(kind, ms + later, n));
        }
        user.event(&definition, &about("guide_shown", ms, 77));
        user
    };
    let (profile, folded) = absorbed(&definition, &met(1, DAY), &met(2, 2 * HOUR));
    let contact = &profile.contact;
    assert_eq!(folded.contact, None, "nothing of it is news");
    let (_, guide) = contact.guides.first().expect("shown");
    let expected = GuideContact { shows: 2, clicks: 2, dismissals: 2, last_shown: Some(t(DAY)) };
    assert_eq!((*guide, contact.guides.len()), (expected, 1));
    let silence = contact.dismissals(&milestone_id("m")).expect("dismissed");
    assert_eq!(silence, Dismissals { count: 2, last: t(DAY + HOUR) });
    let visit = session_hash(&session("s"));
    assert_eq!(contact.recent, [(t(2 * HOUR), visit), (t(DAY), visit)]);
    assert_eq!(contact.unknown_decisions, 2);
    assert_eq!(contact.offer(decision(2)).and_then(|o| o.dismissed), Some(t(3 * HOUR)));
}

#[test]
fn exposures_that_no_limit_asks_for_are_let_go() {
    let definition = plain();
    let met = |n: u128, ms: u64, visit: &str| {
        let mut user = User::new();
        let visit = session_hash(&session(visit));
        user.offered(Offer { session: visit, ..offer(n, ms) });
        user.event(&definition, &about("guide_shown", ms, n));
        user
    };
    // Where and when the other was shown a guide; whether that is still looked at, a day after in visit `a`.
    let table = [("b", 0, false), ("b", 1, true), ("a", 0, true)];
    for (visit, ms, stays) in table {
        let (own, other) = (met(1, DAY, "a"), met(2, ms, visit));
        for (one, two) in [(&own, &other), (&other, &own)] {
            let (profile, _) = absorbed(&definition, one, two);
            let times: Vec<_> = profile.contact.recent.iter().map(|(at, _)| *at).collect();
            let expected = if stays { vec![t(ms), t(DAY)] } else { vec![t(DAY)] };
            assert_eq!(times, expected, "{visit} {ms}");
        }
    }
}
