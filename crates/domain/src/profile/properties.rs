//! What holds of every log: arbitrary events and decisions, in any order of their times.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::charge::{Charges, Stop};
use super::contact::{OFFERS_KEPT, Offer};
use super::fixture::{
    DAY, Draft, HOUR, User, about, decision, event, guide, guide_id, is, json, milestone_id, offer,
    session, t,
};
use super::fold::{FoldOutcome, Folded, IDS_KEPT, fold_decision, fold_event, heeded};
use super::{Profile, session_hash};
use crate::definition::condition::{Condition, Status};
use crate::definition::{ContactRules, Definition};
use crate::event::{Event, Position};
use crate::id::EventId;
use crate::time::Millis;
use crate::value::Value;

const KINDS: [&str; 8] = [
    "page_view",
    "form_submit",
    "data_imported",
    "signed_up",
    "undeclared",
    "guide_shown",
    "button_click",
    "guide_dismissed",
];

/// A record of a user's log.
#[derive(Debug, Clone)]
pub(super) enum Record {
    Event(Box<Event>),
    Decision(Option<Offer>),
}

pub(super) fn fold(
    profile: &mut Profile,
    definition: &Definition,
    record: &Record,
    at: u64,
) -> Folded {
    match record {
        Record::Event(event) => fold_event(profile, definition, event, Position(at)),
        Record::Decision(offer) => {
            let outcome = fold_decision(profile, offer.clone(), Position(at));
            Folded { outcome, ..Folded::default() }
        }
    }
}

pub(super) fn fold_all(definition: &Definition, log: &[Record]) -> Profile {
    let mut profile = Profile::default();
    for (at, record) in (1..).zip(log) {
        fold(&mut profile, definition, record, at);
    }
    profile
}

/// Four milestones: one open at once, one locked behind it, one that two failures block, one that asks for statuses.
pub(super) fn product() -> Definition {
    let mut draft = Draft::new();
    let viewed = draft.seen("page_view", 3, Some(DAY));
    let first = draft.milestone("first", &[], viewed, None);
    let imported = draft.seen("data_imported", 2, None);
    let failed = Condition::Event(draft.counter("form_submit", &[("ok", "false")], 2, Some(DAY)));
    let second = draft.milestone("second", &[first], imported, Some(failed.clone()));
    let passed = Condition::Event(draft.counter("form_submit", &[("ok", "true")], 2, None));
    let third = draft.milestone("third", &[], passed, Some(failed));
    let both = Condition::All(vec![is(first, Status::Reached), is(third, Status::Open)]);
    draft.0.activation =
        draft.milestone("fourth", &[second], both, Some(is(third, Status::Blocked)));
    draft.done()
}

pub(super) fn any_time() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..4 * DAY,
        (0..4u64).prop_map(|day| day * DAY),
        (0..96u64).prop_map(|hour| hour * HOUR)
    ]
}

prop_compose! {
    fn any_event()(
        kind in prop::sample::select(KINDS.to_vec()),
        ms in any_time(),
        id in 0..400u32,
        visit in prop::sample::select(vec!["a", "b"]),
        ok in any::<bool>(),
        tier in prop::option::of(prop::sample::select(vec!["\"free\"", "\"pro\"", "\"gold\"", "null"])),
        n in 0..6u128,
    ) -> Event {
        let base = if kind.contains("guide") || kind == "button_click" { about(kind, ms, n) } else { event(kind, ms) };
        let payload = if kind == "form_submit" { json(&format!("{{\"ok\":{ok}}}")) } else { base.payload };
        let attributes = tier.map(|tier| ("tier".into(), json(tier))).into_iter().collect();
        let id = EventId::new(&format!("e{id}")).expect("an id");
        Event { id, session: session(visit), payload, attributes, ..base }
    }
}

prop_compose! {
    fn any_offer()(n in 0..6u128, ms in any_time(), visit in prop::sample::select(vec!["a", "b"])) -> Offer {
        Offer { session: session_hash(&session(visit)), ..offer(n, ms) }
    }
}

pub(super) fn any_log(most: usize) -> impl Strategy<Value = Vec<Record>> {
    let record = prop_oneof![
        6 => any_event().prop_map(|event| Record::Event(Box::new(event))),
        2 => any_offer().prop_map(|offer| Record::Decision(Some(offer))),
        1 => Just(Record::Decision(None)),
    ];
    prop::collection::vec(record, 0..most)
}

/// The log with more in every payload: an error, and what nobody heeds.
fn with_more(log: &[Record]) -> Vec<Record> {
    let more = |record: &Record| match record {
        Record::Event(event) => {
            let mut members = vec![("noise".into(), json("[{\"ok\":true}]"))];
            if let Value::Map(own) = event.payload.clone() {
                members.extend(own);
            }
            members.push(("error".into(), json("\"quota\"")));
            Record::Event(Box::new(Event { payload: Value::Map(members), ..(**event).clone() }))
        }
        Record::Decision(_) => record.clone(),
    };
    log.iter().map(more).collect()
}

/// The log with these members of payloads alone.
fn with_only(log: &[Record], names: &[Box<str>]) -> Vec<Record> {
    let fewer = |record: &Record| {
        let mut record = record.clone();
        if let Record::Event(event) = &mut record
            && let Value::Map(members) = &mut event.payload
        {
            members.retain(|(name, _)| names.contains(name));
        }
        record
    };
    log.iter().map(fewer).collect()
}

proptest! {
    #[test]
    fn what_nobody_heeds_of_a_payload_changes_nothing(log in any_log(60)) {
        let definition = product();
        let heeded = heeded(&definition);
        let log = with_more(&log);
        let heard = with_only(&log, &heeded);
        prop_assert_eq!(fold_all(&definition, &heard), fold_all(&definition, &log));
        prop_assert!(!heeded.iter().any(|name| &**name == "noise"));
    }

    #[test]
    fn a_record_that_is_read_again_changes_nothing(log in any_log(60), from in 0..60usize) {
        let definition = product();
        let before = fold_all(&definition, &log);
        let mut profile = before.clone();
        for (at, record) in (1..).zip(&log).skip(from) {
            prop_assert_eq!(fold(&mut profile, &definition, record, at), Folded::default());
        }
        prop_assert_eq!(profile, before);
    }

    #[test]
    fn a_new_event_that_comes_again_moves_only_the_position(log in any_log(60), pick in any::<prop::sample::Index>()) {
        let definition = product();
        let before = fold_all(&definition, &log);
        let again: Vec<&Record> = log.iter().filter(|record| matches!(record, Record::Event(_))).collect();
        prop_assume!(!again.is_empty());
        let mut profile = before.clone();
        let picked = pick.get(&again);
        let folded = fold(&mut profile, &definition, picked, 1_000);
        prop_assert_eq!(folded, Folded { outcome: FoldOutcome::Redelivered, ..Folded::default() });
        prop_assert_eq!(profile, Profile { applied: Position(1_000), ..before });
    }

    #[test]
    fn storing_a_profile_anywhere_on_the_way_changes_nothing(log in any_log(60), batch in 1..20usize) {
        let definition = product();
        let mut profile = Profile::default();
        let mut at = 0;
        for records in log.chunks(batch) {
            for record in records {
                at += 1;
                fold(&mut profile, &definition, record, at);
            }
            let stored = postcard::to_stdvec(&profile).expect("always writable");
            profile = postcard::from_bytes(&stored).expect("what was written");
        }
        prop_assert_eq!(profile, fold_all(&definition, &log));
    }

    #[test]
    fn a_windowed_counter_is_a_count_over_the_whole_past(
        times in prop::collection::vec(any_time(), 0..40),
        count in 1..6u32,
        within in 1..3 * DAY,
        later in any_time(),
    ) {
        let mut draft = Draft::new();
        let lately = draft.counter("page_view", &[], count, Some(within));
        let ever = draft.counter("page_view", &[], count, None);
        let definition = draft.done();
        let mut user = User::new();
        for (n, ms) in times.iter().enumerate() {
            let id = EventId::new(&n.to_string()).expect("an id");
            user.event(&definition, &Event { id, ..event("page_view", *ms) });
        }
        let now = times.iter().max().copied().unwrap_or(0) + later;
        let inside = times.iter().filter(|ms| now - **ms <= within).count();
        let view = user.view(&definition, now);
        prop_assert_eq!(view.count(lately), (count.min(inside as u32), count));
        prop_assert_eq!(view.count(ever), (count.min(times.len() as u32), count));
    }

    #[test]
    fn a_status_is_what_its_definition_says(log in any_log(60), later in any_time()) {
        let definition = product();
        let mut user = User::new();
        let mut reached = BTreeSet::new();
        for (at, record) in (1..).zip(&log) {
            let folded = fold(&mut user.profile, &definition, record, at);
            reached.extend(folded.reached.iter().map(|ix| ix.place()));
            let view = user.view(&definition, 4 * DAY + later);
            for (ix, milestone) in definition.milestones.entries() {
                let missing = milestone.requires.iter().any(|required| !reached.contains(&required.place()));
                let blocked = milestone.blocked.as_ref().is_some_and(|condition| view.holds(condition));
                let expected = match (reached.contains(&ix.place()), missing, blocked) {
                    (true, _, _) => Status::Reached,
                    (_, true, _) => Status::Locked,
                    (_, _, true) => Status::Blocked,
                    _ => Status::Open,
                };
                prop_assert_eq!(view.status(ix), expected);
            }
        }
    }

    #[test]
    fn exposures_are_known_decisions_that_were_shown(log in any_log(60)) {
        let definition = product();
        let mut profile = Profile::default();
        let (mut offered, mut exposed) = (BTreeSet::new(), BTreeSet::new());
        let (mut clicks, mut dismissals) = (0, 0);
        for (at, record) in (1..).zip(&log) {
            let folded = fold(&mut profile, &definition, record, at);
            if let Record::Decision(Some(offer)) = record {
                offered.insert(offer.decision);
            }
            let Some(news) = folded.contact else { continue };
            prop_assert!(offered.contains(&news.decision));
            prop_assert!(!news.exposed || exposed.insert(news.decision), "exposed twice");
            prop_assert!(exposed.contains(&news.decision), "news of an unseen guide");
            clicks += u32::from(news.clicked);
            dismissals += u32::from(news.dismissed);
        }
        let shown: BTreeSet<_> = profile.contact.offers.iter().filter(|o| o.shown.is_some()).map(|o| o.decision).collect();
        prop_assert_eq!(&shown, &exposed);
        let guide = profile.contact.guide(&guide_id("g"));
        prop_assert_eq!((guide.shows as usize, guide.clicks, guide.dismissals), (exposed.len(), clicks, dismissals));
        prop_assert!(clicks <= guide.shows && dismissals <= guide.shows);
        prop_assert!(profile.contact.recent.len() <= exposed.len());
        prop_assert_eq!(profile.contact.last_shown(), guide.last_shown);
    }

    #[test]
    fn a_profile_stays_sorted_and_bounded(log in any_log(150)) {
        let definition = product();
        let profile = fold_all(&definition, &log);
        prop_assert!(profile.recent_ids.len() <= IDS_KEPT);
        prop_assert!(profile.contact.offers.len() <= OFFERS_KEPT);
        prop_assert!(profile.attributes.is_sorted_by(|a, b| a.0 < b.0));
        prop_assert!(profile.counters.is_sorted_by(|a, b| a.0 < b.0));
        prop_assert!(profile.reached.is_sorted_by(|a, b| a.0 < b.0));
        prop_assert!(profile.contact.recent.is_sorted_by(|a, b| a.0 <= b.0));
        prop_assert!(profile.first_seen <= profile.last_seen);
    }

    #[test]
    fn a_stopped_gate_opens_at_the_very_moment_it_names(
        log in any_log(40),
        pending in prop::collection::vec(any_offer(), 0..3),
        later in any_time(),
        limits in (prop::option::of(1..4u32), prop::option::of(1..4u32), prop::option::of(0..2 * DAY)),
    ) {
        let (shows, count, gap) = limits;
        let profile = fold_all(&product(), &log);
        let rules = ContactRules {
            session: count,
            day: shows,
            gap: Millis::new(gap.unwrap_or(0)),
            dismissed: Millis::new(gap.unwrap_or(0) / 3),
        };
        let guide = guide("g", shows, gap);
        let milestone = milestone_id("m");
        let here = session_hash(&session("a"));
        let pending: Vec<Offer> = (10..)
            .zip(pending)
            .map(|(n, offer)| Offer { decision: decision(n), ..offer })
            .collect();
        let charges = |now| Charges::new(&profile.contact, &pending, now);
        let contact = |now| charges(now).contact(&rules, here, &milestone);
        let limits = |now| charges(now).limits(&guide);
        for gate in [&contact as &dyn Fn(_) -> Result<(), Stop>, &limits] {
            match gate(t(later)) {
                Ok(()) => {}
                Err(Stop { opens_at: Some(opens_at), .. }) => {
                    prop_assert!(opens_at > t(later));
                    prop_assert_eq!(gate(opens_at), Ok(()));
                    prop_assert!(gate(opens_at - Millis::new(1)).is_err());
                }
                Err(Stop { opens_at: None, .. }) => prop_assert!(gate(t(1_000 * DAY)).is_err()),
            }
        }
    }
}
