//! Who can be merged into whom, who comes first, and that nothing is taken over twice.

use super::*;
use crate::rules::fixture::{Ask, Product, User, t, user_id};
use serde_json::json;

fn seen(ms: u64) -> Profile {
    Profile { events: 1, first_seen: Some(t(ms)), last_seen: Some(t(ms)), ..Profile::default() }
}

#[test]
fn only_an_anonymous_id_can_be_named_and_only_by_a_known_one() {
    let table = [
        ("u", "anon-1", true),
        ("u", "anon-", true),
        ("u", "anon", false),
        ("u", "Anon-1", false),
        ("u", " anon-1", false),
        ("u", "v", false),
        ("u", "u", false),
        ("anon-1", "anon-2", false),
        ("anon-1", "anon-1", false),
        ("anon-1", "u", false),
    ];
    for (known, anonymous, may) in table {
        assert_eq!(may_name(&user_id(known), &user_id(anonymous)), may, "{known} {anonymous}");
    }
}

#[test]
fn the_first_naming_counts_for_ever() {
    let (mut profile, mut kin) = (seen(0), Kin::default());
    let mut name = |into: &str, at| {
        let outcome = fold_named(&mut profile, &mut kin, &user_id(into), Position(at));
        (outcome, kin.merged.clone().map(|merged| (merged.into, merged.at)), profile.applied.0)
    };
    let first = Some((user_id("u"), Position(5)));
    assert_eq!(name("u", 5), (FoldOutcome::New, first.clone(), 5));
    assert_eq!(name("v", 6), (FoldOutcome::Redelivered, first.clone(), 6));
    assert_eq!(name("u", 7), (FoldOutcome::Redelivered, first.clone(), 7));
    assert_eq!(name("u", 5), (FoldOutcome::Stale, first.clone(), 7));
    assert_eq!(name("v", 6), (FoldOutcome::Stale, first, 7));
}

#[test]
fn what_is_said_later_of_a_merged_user_moves_only_the_position() {
    let (mut profile, mut kin) = (seen(0), Kin::default());
    fold_named(&mut profile, &mut kin, &user_id("u"), Position(5));
    let before = profile.clone();
    assert_eq!(fold_late(&mut profile, Position(9)), FoldOutcome::New);
    assert_eq!(profile, Profile { applied: Position(9), ..before.clone() });
    assert_eq!(fold_late(&mut profile, Position(9)), FoldOutcome::Stale);
    assert_eq!(before, Profile { applied: Position(5), ..seen(0) });
    assert!(kin.is_merged() && !kin.is_alone());
}

#[test]
fn a_person_is_in_the_group_of_the_id_that_was_seen_first() {
    // What is carried, one after the other, to a user who was seen then; by which id it goes in the end.
    let table: [(Option<u64>, &[(&str, Option<u64>)], &str); 8] = [
        (Some(9), &[("anon-1", Some(5))], "anon-1"),
        (Some(9), &[("anon-1", Some(9))], "u"),
        (Some(9), &[("anon-1", Some(10))], "u"),
        (Some(9), &[("anon-1", None)], "u"),
        (None, &[("anon-1", Some(5))], "anon-1"),
        (None, &[("anon-1", None)], "u"),
        (Some(9), &[("anon-1", Some(5)), ("anon-2", Some(4)), ("anon-3", Some(6))], "anon-2"),
        (Some(9), &[("anon-1", Some(5)), ("anon-2", Some(4)), ("anon-1", Some(3))], "anon-2"),
    ];
    let definition = Product::small().definition();
    for (own, carried, expected) in table {
        let mut profile = own.map_or_else(Profile::default, seen);
        let (mut kin, id) = (Kin::default(), user_id("u"));
        for (at, (from, first)) in (1..).zip(carried) {
            let carried = (&user_id(from), first.map_or_else(Profile::default, seen));
            fold_carried(&mut profile, &mut kin, &definition, carried, Position(at));
        }
        assert_eq!(kin.group_id(&id).as_str(), expected, "{own:?} {carried:?}");
    }
}

#[test]
fn nothing_is_taken_over_twice() {
    let definition = Product::small().definition();
    let anonymous = User::new().did(&definition, "imported", 0, json!({})).profile;
    let (mut profile, mut kin) = (seen(9), Kin::default());
    let mut carry = |at, carried: &Profile| {
        let carried = (&user_id("anon-1"), carried.clone());
        let folded = fold_carried(&mut profile, &mut kin, &definition, carried, Position(at));
        (folded.outcome, folded.reached.len(), profile.clone(), kin.clone())
    };
    let (outcome, _, first, known) = carry(3, &anonymous);
    assert_eq!((outcome, first.events, first.applied.0), (FoldOutcome::New, 2, 3));
    assert_eq!(known.absorbed, [user_id("anon-1")]);
    // Whatever it holds, a second one of that name changes nothing.
    let again = carry(4, &seen(1));
    let moved = Profile { applied: Position(4), ..first };
    assert_eq!(again, (FoldOutcome::Redelivered, 0, moved.clone(), known.clone()));
    assert_eq!(carry(2, &anonymous), (FoldOutcome::Stale, 0, moved, known));
}

#[test]
fn a_record_that_is_read_again_changes_nothing() {
    let definition = Product::small().definition();
    let (mut profile, mut kin) = (seen(9), Kin::default());
    fold_late(&mut profile, Position(7));
    let before = profile.clone();
    let carried = (&user_id("anon-1"), seen(1));
    let folded = fold_carried(&mut profile, &mut kin, &definition, carried, Position(7));
    assert_eq!((folded, profile, kin), (Folded::default(), before, Kin::default()));
}

#[test]
fn the_newest_who_were_taken_over_are_known() {
    let definition = Product::small().definition();
    let (mut profile, mut kin) = (seen(0), Kin::default());
    for n in 0..ABSORBED_KEPT as u64 + 3 {
        let carried = (&user_id(&format!("anon-{n}")), seen(n + 1));
        fold_carried(&mut profile, &mut kin, &definition, carried, Position(n + 1));
    }
    assert_eq!(kin.absorbed.len(), ABSORBED_KEPT);
    assert_eq!(kin.absorbed.first(), Some(&user_id("anon-3")));
    assert_eq!(kin.absorbed.last(), Some(&user_id("anon-66")));
    assert_eq!(profile.events, ABSORBED_KEPT as u64 + 4);
    assert_eq!(kin.group_by, None);
}

#[test]
fn what_an_anonymous_user_was_offered_is_known_under_the_new_name() {
    let definition = Product::small().definition();
    let anonymous = User::signed_up(&definition);
    let decision = Ask::default().decide(&definition, &anonymous, 0);
    let anonymous = anonymous.met(&definition, &decision, &[("guide_shown", 10)]);
    let mut known = User::signed_up(&definition);
    let carried = (&user_id("anon-1"), anonymous.profile);
    let mut kin = Kin::default();
    fold_carried(&mut known.profile, &mut kin, &definition, carried, Position(9));
    let offer = known.profile.contact.offer(decision.id);
    assert_eq!(offer.and_then(|offer| offer.shown), Some(t(10)));
    // Its further events stand at positions of its own.
    known.profile.applied = Position(1);
    let about = json!({ "decisionId": decision.id.to_string() });
    let known = known.did(&definition, "guide_dismissed", 20, about);
    assert_eq!(known.profile.contact.unknown_decisions, 0);
    assert_eq!(known.profile.contact.dismissed.len(), 1);
}
