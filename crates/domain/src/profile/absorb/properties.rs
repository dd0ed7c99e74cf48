//! What holds of every two profiles: that two ids count as one, that no limit is left open by them, and what may come in any order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::definition::condition::{Condition, Status};
use crate::definition::{ContactRules, Definition};
use crate::event::{Event, Position};
use crate::id::{DecisionId, EventId, MilestoneId};
use crate::profile::charge::Charges;
use crate::profile::contact::{DAY, Offer};
use crate::profile::fixture::{DAY as DAY_MS, Draft, event, guide, is, milestone_id, session, t};
use crate::profile::fold::FoldOutcome;
use crate::profile::properties::{self, Record, any_log, any_time, fold, fold_all};
use crate::profile::{Profile, session_hash};
use crate::time::{Millis, Timestamp};
use crate::value::Value;

/// Four milestones that no event takes back: what is enough stays enough.
fn product() -> Definition {
    let mut draft = Draft::new();
    let viewed = draft.seen("page_view", 3, None);
    let first = draft.milestone("first", &[], viewed, None);
    let imported = draft.seen("data_imported", 2, None);
    let failed =
        Condition::Event(draft.counter("form_submit", &[("ok", "false")], 2, Some(DAY_MS)));
    draft.milestone("second", &[first], imported, Some(failed));
    let passed = Condition::Event(draft.counter("form_submit", &[("ok", "true")], 2, None));
    let third = draft.milestone("third", &[], passed, None);
    let both = Condition::All(vec![is(first, Status::Reached), is(third, Status::Reached)]);
    draft.0.activation = draft.milestone("fourth", &[third], both, None);
    draft.done()
}

fn time_of(record: &Record) -> Timestamp {
    match record {
        Record::Event(event) => event.at,
        Record::Decision(offer) => offer.as_ref().map_or(t(0), |offer| offer.at),
    }
}

/// The decision that the record is of or about.
fn decision_of(record: &Record) -> Option<DecisionId> {
    match record {
        Record::Decision(offer) => Some(offer.as_ref()?.decision),
        Record::Event(event) => {
            let named = event.payload.member("decisionId").and_then(Value::as_text)?;
            DecisionId::parse(named)
        }
    }
}

/// The same in the order of their times, which are all different, and so are the events' ids.
fn in_time(mut log: Vec<Record>) -> Vec<Record> {
    log.sort_by_key(time_of);
    for (n, record) in (0u64..).zip(&mut log) {
        match record {
            Record::Event(event) => {
                event.at = event.at + Millis::new(n);
                event.id = EventId::new(&format!("n{n}")).expect("an id");
            }
            Record::Decision(Some(offer)) => offer.at = offer.at + Millis::new(n),
            Record::Decision(None) => {}
        }
    }
    log
}

/// Two users' records: who is the other is drawn, but a decision and all that is said of it are one user's.
fn split(log: &[Record], others: &[bool]) -> [Vec<Record>; 2] {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for (record, drawn) in log.iter().zip(others.iter().cycle()) {
        let is_other = decision_of(record).map_or(*drawn, |decision| decision.bits() % 2 == 1);
        if is_other { &mut other } else { &mut own }.push(record.clone());
    }
    [own, other]
}

fn merged(definition: &Definition, [own, other]: &[Vec<Record>; 2]) -> Profile {
    let mut profile = fold_all(definition, own);
    profile.absorb(definition, fold_all(definition, other), Position(1_000));
    profile
}

/// Goes on with what comes later.
fn go_on(profile: &mut Profile, definition: &Definition, log: &[Record]) {
    for (at, record) in (2_000..).zip(log) {
        fold(profile, definition, record, at);
    }
}

/// All that counts of a profile, in an order of its own. (How visits and attributes of two followed each other is not known.)
#[derive(Debug, PartialEq)]
struct Counted {
    profile: Profile,
    offers: BTreeMap<DecisionId, Offer>,
    today: Vec<(Timestamp, u64)>,
    ids: BTreeSet<u64>,
}

fn counted(mut profile: Profile) -> Counted {
    let contact = &mut profile.contact;
    let offers = contact.offers.drain(..).map(|offer| (offer.decision, offer)).collect();
    let newest = contact.last_shown();
    let mut today: Vec<_> = contact.recent.drain(..).collect();
    today.retain(|(at, _)| newest.is_some_and(|newest| *at + DAY > newest));
    let ids = profile.recent_ids.drain(..).collect();
    profile.applied = Position(0);
    profile.attributes.clear();
    profile.sessions = Default::default();
    Counted { profile, offers, today, ids }
}

fn without_times(mut profile: Profile) -> Counted {
    profile.reached.iter_mut().for_each(|(_, at)| *at = t(0));
    counted(profile)
}

fn reached(profile: &Profile) -> BTreeMap<&MilestoneId, Timestamp> {
    profile.reached.iter().map(|(id, at)| (id, *at)).collect()
}

proptest! {
    #[test]
    fn absorbing_nobody_changes_nothing_but_the_position(log in any_log(60)) {
        let definition = properties::product();
        let before = fold_all(&definition, &log);
        let mut profile = before.clone();
        let folded = profile.absorb(&definition, Profile::default(), Position(1_000));
        prop_assert_eq!(folded.outcome, FoldOutcome::New);
        prop_assert_eq!((folded.signed_up, folded.activated, folded.reached.len()), (None, None, 0));
        prop_assert_eq!(profile, Profile { applied: Position(1_000), ..before });
    }

    #[test]
    fn nobody_who_absorbs_a_user_is_that_user(log in any_log(60)) {
        let definition = properties::product();
        let other = fold_all(&definition, &log);
        let mut profile = Profile::default();
        profile.absorb(&definition, other.clone(), Position(1_000));
        prop_assert_eq!(profile, Profile { applied: Position(1_000), ..other });
    }

    #[test]
    fn two_ids_count_as_one(
        log in any_log(60),
        others in prop::collection::vec(any::<bool>(), 1..20),
        later in 0..60usize,
    ) {
        let definition = product();
        let log = in_time(log);
        let (before, after) = log.split_at(later.min(log.len()));
        let mut together = merged(&definition, &split(before, &others));
        go_on(&mut together, &definition, after);
        let alone = fold_all(&definition, &log);
        // What neither reached alone is known to be reached when they are merged, as of their latest event: never too early.
        let (times, earliest) = (reached(&together), reached(&alone));
        prop_assert_eq!(times.keys().collect::<Vec<_>>(), earliest.keys().collect::<Vec<_>>());
        prop_assert!(times.iter().all(|(id, at)| *at >= earliest[id]));
        prop_assert!(times.values().all(|at| Some(*at) <= together.last_seen));
        prop_assert_eq!(without_times(together), without_times(alone));
    }

    #[test]
    fn two_ids_leave_no_limit_open(
        log in any_log(60),
        others in prop::collection::vec(any::<bool>(), 1..20),
        now in any_time(),
        limits in (prop::option::of(1..4u32), prop::option::of(1..4u32), 0..2 * DAY_MS),
    ) {
        let definition = product();
        let log = in_time(log);
        let together = merged(&definition, &split(&log, &others));
        let alone = fold_all(&definition, &log);
        let (shows, count, gap) = limits;
        let (day, dismissed) = (shows, Millis::new(gap / 3));
        let rules = ContactRules { session: count, day, gap: Millis::new(gap), dismissed };
        let guide = guide("g", shows, Some(gap));
        for (now, visit) in [(now, "a"), (now, "b"), (4 * DAY_MS, "a")] {
            let visit = session_hash(&session(visit));
            let charged = |profile: &Profile| {
                let charges = Charges::new(&profile.contact, &[], t(now));
                (charges.limits(&guide), charges.contact(&rules, visit, &milestone_id("m")))
            };
            let (two, one) = (charged(&together), charged(&alone));
            prop_assert_eq!(two.0, one.0);
            // Of visits long ago, two know more than one would.
            prop_assert!(one.1.is_ok() || two.1.is_err(), "{:?} {:?}", one, two);
        }
    }

    #[test]
    fn what_comes_later_may_be_folded_before(
        log in any_log(60),
        others in prop::collection::vec(any::<bool>(), 1..20),
        later in 0..60usize,
    ) {
        let definition = product();
        let log = in_time(log);
        let (before, after) = log.split_at(later.min(log.len()));
        let about_own = |record: &&Record| {
            decision_of(record).is_none_or(|decision| decision.bits() % 2 == 0)
        };
        let after: Vec<Record> = after.iter().filter(about_own).cloned().collect();
        let users = split(before, &others);
        let mut first = merged(&definition, &users);
        go_on(&mut first, &definition, &after);
        let mut last = fold_all(&definition, &users[0]);
        go_on(&mut last, &definition, &after);
        last.absorb(&definition, fold_all(&definition, &users[1]), Position(3_000));
        prop_assert_eq!(without_times(first), without_times(last));
    }

    #[test]
    fn two_may_be_absorbed_in_either_order(
        log in any_log(40),
        others in prop::collection::vec(any::<bool>(), 1..20),
        more in prop::collection::vec(any_fact(), 0..20),
    ) {
        let definition = product();
        let [own, first] = split(&in_time(log), &others);
        let more: Vec<Record> = more.into_iter().map(|event| Record::Event(Box::new(event))).collect();
        let second = fold_all(&definition, &more);
        let first = fold_all(&definition, &first);
        let absorbed = |users: [&Profile; 2]| {
            let mut profile = fold_all(&definition, &own);
            for (at, user) in (1_000..).zip(users) {
                profile.absorb(&definition, user.clone(), Position(at));
            }
            profile
        };
        let (one, other) = (absorbed([&first, &second]), absorbed([&second, &first]));
        prop_assert_eq!(without_times(one), without_times(other));
    }
}

prop_compose! {
    /// A fact that is about no decision.
    fn any_fact()(
        kind in prop::sample::select(vec!["page_view", "data_imported", "signed_up"]),
        ms in any_time(),
        n in 0..1_000u32,
    ) -> Event {
        let id = EventId::new(&format!("m{n}")).expect("an id");
        Event { id, ..event(kind, ms) }
    }
}
