//! What each kind of record does to a profile, and what it does not.

use super::*;
use crate::definition::condition::{Condition, Status};
use crate::id::EventId;
use crate::profile::fixture::{
    DAY, Draft, HOUR, User, about, event, is, json, milestone_id, nothing, offer, session, t,
    with_payload,
};
use crate::profile::{Profile, Sessions};

fn named(event: Event, id: &str) -> Event {
    Event { id: EventId::new(id).expect("an id"), ..event }
}

#[test]
fn a_record_at_or_before_the_last_one_changes_nothing() {
    let definition = Draft::new().done();
    let mut profile = Profile::default();
    let first = fold_event(&mut profile, &definition, &event("page_view", 1), Position(7));
    assert_eq!((first.outcome, profile.applied), (FoldOutcome::New, Position(7)));
    let before = profile.clone();
    for position in [0, 6, 7] {
        let at = Position(position);
        let folded = fold_event(&mut profile, &definition, &event("page_view", 2), at);
        assert_eq!(folded, Folded::default());
        assert_eq!(fold_decision(&mut profile, Some(offer(1, 2)), at), FoldOutcome::Stale);
        assert_eq!(fold_decision(&mut profile, None, at), FoldOutcome::Stale);
        assert_eq!(profile, before);
    }
}

#[test]
fn an_event_id_is_known_again_among_the_newest_64() {
    let definition = Draft::new().done();
    let mut user = User::new();
    for ms in 0..64 {
        assert_eq!(user.event(&definition, &event("page_view", ms)).outcome, FoldOutcome::New);
    }
    for ms in (0..64).rev() {
        let before = user.profile.clone();
        let again = named(event("form_submit", 99), event("page_view", ms).id.as_str());
        let folded = user.event(&definition, &again);
        assert_eq!(folded, Folded { outcome: FoldOutcome::Redelivered, ..Folded::default() });
        assert_eq!(user.profile, Profile { applied: Position(user.end), ..before });
    }
    user.event(&definition, &event("page_view", 64));
    let kept = user.event(&definition, &event("page_view", 1));
    let forgotten = user.event(&definition, &event("page_view", 0));
    assert_eq!((kept.outcome, forgotten.outcome), (FoldOutcome::Redelivered, FoldOutcome::New));
    assert_eq!((user.profile.recent_ids.len(), user.profile.events), (IDS_KEPT, 66));
}

#[test]
fn a_withheld_decision_moves_only_the_position() {
    let definition = Draft::new().done();
    let mut user = User::new();
    user.event(&definition, &event("page_view", 1));
    let before = user.profile.clone();
    assert_eq!(fold_decision(&mut user.profile, None, Position(9)), FoldOutcome::New);
    assert_eq!(user.profile, Profile { applied: Position(9), ..before });
}

#[test]
fn a_decision_is_kept_once_and_the_oldest_of_33_is_forgotten() {
    let mut user = User::new();
    for n in 0..33 {
        assert_eq!(user.offered(offer(n, n as u64)), FoldOutcome::New);
    }
    assert_eq!(user.offered(offer(32, 99)), FoldOutcome::Redelivered);
    let kept: Vec<u128> = user.profile.contact.offers.iter().map(|o| o.decision.bits()).collect();
    assert_eq!(kept, (1..33).collect::<Vec<u128>>());
    assert_eq!((user.profile.applied, user.profile.events), (Position(34), 0));
}

#[test]
fn first_and_last_seen_go_by_the_events_own_times() {
    let definition = Draft::new().done();
    let mut user = User::new();
    for (ms, first, last) in [(50, 50, 50), (70, 50, 70), (20, 20, 70), (60, 20, 70)] {
        user.event(&definition, &event("undeclared", ms));
        let seen = (user.profile.first_seen, user.profile.last_seen);
        assert_eq!(seen, (Some(t(first)), Some(t(last))));
    }
    assert_eq!(user.profile.events, 4);
}

#[test]
fn a_visit_begins_where_the_session_changes() {
    let definition = Draft::new().done();
    let mut user = User::new();
    let table =
        [("a", 10, 1, 10), ("a", 5, 1, 5), ("a", 20, 1, 5), ("b", 15, 2, 15), ("a", 30, 3, 30)];
    for (visit, ms, count, started) in table {
        user.event(&definition, &Event { session: session(visit), ..event("page_view", ms) });
        let current = session_hash(&session(visit));
        let expected = Sessions { count, current, started: Some(t(started)) };
        assert_eq!(user.profile.sessions, expected);
    }
}

#[test]
fn the_clock_starts_at_the_first_signup_in_log_order() {
    let definition = Draft::new().done();
    let mut user = User::new();
    assert_eq!(user.event(&definition, &event("page_view", 1)).signed_up, None);
    assert_eq!(user.event(&definition, &event("signed_up", 5)).signed_up, Some(t(5)));
    assert_eq!(user.event(&definition, &event("signed_up", 3)).signed_up, None);
    assert_eq!(user.profile.signup, Some(t(5)));
}

#[test]
fn without_a_signup_event_the_clock_starts_at_the_first_event_of_any_kind() {
    let mut draft = Draft::new();
    draft.0.signup = None;
    let definition = draft.done();
    let mut user = User::new();
    assert_eq!(user.event(&definition, &event("undeclared", 5)).signed_up, Some(t(5)));
    assert_eq!(user.event(&definition, &event("signed_up", 3)).signed_up, None);
    assert_eq!(user.profile.signup, Some(t(5)));
}

#[test]
fn errors_are_known_by_declared_names_or_as_other() {
    let definition = Draft::new().done();
    let mut user = User::new();
    let table = [
        ("form_submit", r#"{"error":""}"#, None),
        ("form_submit", r#"{"error":{"card_declined":1}}"#, None),
        ("undeclared", r#"{"error":"card_declined"}"#, None),
        ("form_submit", r#"{"error":"card_declined"}"#, Some(("card_declined", 3))),
        ("form_submit", r#"{"error":null}"#, Some(("card_declined", 3))),
        ("page_view", r#"{"error":"Card_Declined"}"#, Some(("other", 5))),
        ("page_view", "{}", Some(("other", 5))),
    ];
    for (ms, (kind, payload, expected)) in table.into_iter().enumerate() {
        user.event(&definition, &with_payload(event(kind, ms as u64), payload));
        let last = user.profile.last_error.as_ref().map(|(name, at)| (name.as_str(), *at));
        assert_eq!(last, expected.map(|(name, ms)| (name, t(ms))), "{payload}");
    }
}

#[test]
fn a_counter_takes_events_of_its_kind_whose_payload_passes_all_of_its_filter() {
    let mut draft = Draft::new();
    let filter = [("form", "\"import\""), ("result.ok", "false")];
    let failed = draft.counter("form_submit", &filter, 5, None);
    let views = draft.counter("page_view", &[], 5, None);
    let definition = draft.done();
    let mut user = User::new();
    let matching = r#"{"form":"import","result":{"ok":false}}"#;
    let table = [
        ("form_submit", matching, 1),
        ("page_view", matching, 1),
        ("undeclared", matching, 1),
        ("form_submit", r#"{"form":"import","result":{"ok":true}}"#, 1),
        ("form_submit", r#"{"form":"import"}"#, 1),
        ("form_submit", r#"{"form":"export","result":{"ok":false}}"#, 1),
        ("form_submit", matching, 2),
    ];
    for (ms, (kind, payload, expected)) in table.into_iter().enumerate() {
        user.event(&definition, &with_payload(event(kind, ms as u64), payload));
        assert_eq!(user.view(&definition, 0).count(failed), (expected, 5), "{kind} {payload}");
    }
    assert_eq!(user.view(&definition, 0).count(views), (1, 5));
    let keys: Vec<u64> = user.profile.counters.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [u64::MAX - 1, u64::MAX], "sorted");
}

#[test]
fn counters_keep_no_more_than_their_form_asks_for() {
    let mut draft = Draft::new();
    let ever = draft.counter("page_view", &[], 2, None);
    let lately = draft.counter("page_view", &[], 2, Some(DAY));
    let definition = draft.done();
    let mut user = User::new();
    for ms in [40, 10, 30, 20] {
        user.event(&definition, &event("page_view", ms));
    }
    let counter = |ix: Ix<Counter>| user.profile.counter(definition.counters[ix].key);
    assert_eq!(counter(ever), Some(&Count::Ever(2)));
    assert_eq!(counter(lately), Some(&Count::Newest(vec![t(30), t(40)])));
}

#[test]
fn a_milestone_is_reached_once_with_the_time_of_its_event() {
    let mut draft = Draft::new();
    let imported = draft.seen("data_imported", 1, None);
    let data = draft.milestone("data", &[], imported, None);
    let definition = draft.done();
    let mut user = User::new();
    assert_eq!(user.event(&definition, &event("page_view", 9)).reached, []);
    let folded = user.event(&definition, &event("data_imported", 5));
    assert_eq!((folded.reached, folded.activated), (vec![data], Some(t(5))));
    let again = user.event(&definition, &event("data_imported", 3));
    assert_eq!((again.reached, again.activated), (vec![], None));
    assert_eq!(user.profile.reached, [(milestone_id("data"), t(5))]);
}

#[test]
fn activation_is_one_milestone_and_reached_ones_are_sorted() {
    let mut draft = Draft::new();
    let viewed = draft.seen("page_view", 1, None);
    let imported = draft.seen("data_imported", 1, None);
    draft.milestone("zebra", &[], viewed, None);
    draft.0.activation = draft.milestone("ant", &[], imported, None);
    let definition = draft.done();
    let mut user = User::new();
    assert_eq!(user.event(&definition, &event("page_view", 1)).activated, None);
    assert_eq!(user.event(&definition, &event("data_imported", 2)).activated, Some(t(2)));
    assert_eq!(user.profile.reached, [(milestone_id("ant"), t(2)), (milestone_id("zebra"), t(1))]);
}

#[test]
fn reached_is_for_ever_even_where_its_condition_no_longer_holds() {
    let mut draft = Draft::new();
    let lately = draft.seen("page_view", 1, Some(HOUR));
    let seen = draft.milestone("seen", &[], lately.clone(), None);
    let definition = draft.done();
    let mut user = User::new();
    user.event(&definition, &event("page_view", 0));
    let view = user.view(&definition, 2 * HOUR);
    assert_eq!((view.holds(&lately), view.status(seen)), (false, Status::Reached));
}

#[test]
fn time_alone_reaches_nothing_but_the_next_event_does() {
    let mut draft = Draft::new();
    let viewed = draft.seen("page_view", 1, None);
    let lately = draft.seen("page_view", 1, Some(HOUR));
    let quiet = Condition::All(vec![viewed, Condition::Not(Box::new(lately))]);
    let away = draft.milestone("away", &[], quiet, None);
    let definition = draft.done();
    let mut user = User::new();
    user.event(&definition, &event("page_view", 0));
    assert_eq!(user.view(&definition, DAY).status(away), Status::Open);
    let folded = user.event(&definition, &event("undeclared", DAY));
    assert_eq!(folded.reached, [away]);
    assert_eq!(user.view(&definition, DAY).reached_at(away), Some(t(DAY)));
}

#[test]
fn a_late_event_is_judged_at_the_latest_time_seen() {
    let mut draft = Draft::new();
    let twice = draft.seen("page_view", 2, Some(HOUR));
    let busy = draft.milestone("busy", &[], twice, None);
    let definition = draft.done();
    let mut user = User::new();
    user.event(&definition, &event("page_view", DAY));
    let late = user.event(&definition, &event("page_view", 0));
    assert_eq!(late.reached, [], "a day apart: not twice within an hour");
    let close = user.event(&definition, &event("page_view", DAY - HOUR));
    assert_eq!(close.reached, [busy]);
    assert_eq!(user.view(&definition, DAY).reached_at(busy), Some(t(DAY - HOUR)));
}

#[test]
fn one_milestone_may_bring_about_another_before_or_after_it() {
    let mut draft = Draft::new();
    let imported = draft.seen("data_imported", 1, None);
    let middle = Ix::new(1);
    let before = draft.milestone("before", &[], is(middle, Status::Reached), None);
    draft.milestone("middle", &[], imported, None);
    let after = draft.milestone("after", &[], is(before, Status::Reached), None);
    let never = draft.milestone("never", &[], nothing(), None);
    let definition = draft.done();
    let mut user = User::new();
    let folded = user.event(&definition, &event("data_imported", 7));
    assert_eq!(folded.reached, [middle, before, after]);
    assert_eq!(user.view(&definition, 7).reached_at(after), Some(t(7)));
    assert_eq!(user.view(&definition, 7).reached_at(never), None);
}

#[test]
fn an_unknown_kind_sets_attributes_but_counts_for_nothing() {
    let mut draft = Draft::new();
    for (ix, kind) in ["page_view", "form_submit", "data_imported"].into_iter().enumerate() {
        draft.counter(kind, &[], 1 + ix as u32, None);
    }
    let definition = draft.done();
    let mut user = User::new();
    let attributes = vec![("tier".into(), json("\"pro\""))];
    user.event(&definition, &Event { attributes, ..about("undeclared", 1, 1) });
    assert_eq!((user.profile.attributes.len(), user.profile.counters.len()), (1, 0));
    assert_eq!(user.profile.contact, Default::default());
}

#[test]
fn guide_events_of_unknown_decisions_are_counted_and_nothing_else() {
    let definition = Draft::new().done();
    let mut user = User::new();
    user.offered(offer(1, 0));
    let ledger = user.profile.contact.clone();
    let strange = [
        about("guide_shown", 1, 2),
        about("button_click", 2, 2),
        with_payload(event("guide_clicked", 3), r#"{"decisionId":"dec_1"}"#),
        with_payload(event("tooltip_dismiss", 4), r#"{"decisionId":7}"#),
    ];
    for (n, event) in (1..).zip(strange) {
        let folded = user.event(&definition, &event);
        assert_eq!((folded.unknown_decision, &folded.contact), (true, &None), "{event:?}");
        assert_eq!(user.profile.contact.unknown_decisions, n);
    }
    let plain = [
        event("button_click", 5),
        event("guide_shown", 6),
        about("page_view", 7, 1),
        with_payload(event("button_click", 8), r#"{"decisionId":null}"#),
    ];
    for event in plain {
        let folded = user.event(&definition, &event);
        assert_eq!((folded.unknown_decision, &folded.contact), (false, &None), "{event:?}");
    }
    user.profile.contact.unknown_decisions = 0;
    assert_eq!(user.profile.contact, ledger);
}

#[test]
fn each_kind_of_guide_event_is_told_from_the_others() {
    let definition = Draft::new().done();
    let table = [
        ("guide_clicked", true, false),
        ("button_click", true, false),
        ("guide_dismissed", false, true),
        ("tooltip_dismiss", false, true),
    ];
    for (kind, clicked, dismissed) in table {
        let mut user = User::new();
        user.offered(offer(1, 0));
        let shown = user.event(&definition, &about("guide_shown", 1, 1)).contact.expect("news");
        assert_eq!((shown.exposed, shown.clicked, shown.dismissed), (true, false, false));
        assert_eq!((shown.guide.as_str(), shown.variant.as_str()), ("g", "v"));
        let then = user.event(&definition, &about(kind, 2, 1)).contact.expect("news");
        assert_eq!((then.exposed, then.clicked, then.dismissed), (false, clicked, dismissed));
        assert_eq!(then.decision, shown.decision);
    }
}
