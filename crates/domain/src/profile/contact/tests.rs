//! What shown, clicked and dismissed events make of offers, in every order.

use super::*;
use crate::profile::fixture::{DAY as DAY_MS, HOUR, guide_id, milestone_id, offer, t};

fn with_offers(offers: impl IntoIterator<Item = Offer>) -> ContactLedger {
    let mut ledger = ContactLedger::default();
    for offer in offers {
        assert!(ledger.keep(offer));
    }
    ledger
}

fn record(ledger: &mut ContactLedger, contact: Contact, n: u128, ms: u64) -> [bool; 3] {
    let decision = Some(DecisionId::from_bits(n));
    let news = ledger.record(contact, decision, t(ms)).expect("a known decision");
    news.map_or([false; 3], |news| [news.exposed, news.clicked, news.dismissed])
}

#[test]
fn one_decision_makes_one_exposure_one_click_one_dismissal() {
    let mut ledger = with_offers([offer(1, 0)]);
    for (ms, first) in [(10, true), (20, false), (5, false)] {
        assert_eq!(record(&mut ledger, Contact::Shown, 1, ms), [first, false, false]);
    }
    for (ms, first) in [(30, true), (25, false)] {
        assert_eq!(record(&mut ledger, Contact::Clicked, 1, ms), [false, first, false]);
        assert_eq!(record(&mut ledger, Contact::Dismissed, 1, ms + 1), [false, false, first]);
    }
    let expected = GuideContact { shows: 1, clicks: 1, dismissals: 1, last_shown: Some(t(10)) };
    assert_eq!(ledger.guide(&guide_id("g")), expected);
    assert_eq!(ledger.recent.len(), 1);
    let offer = ledger.offer(DecisionId::from_bits(1)).expect("kept");
    assert_eq!(
        (offer.shown, offer.clicked, offer.dismissed),
        (Some(t(10)), Some(t(30)), Some(t(31)))
    );
    let silence = Dismissals { count: 1, last: t(31) };
    assert_eq!(ledger.dismissals(&milestone_id("m")), Some(silence));
}

#[test]
fn what_comes_before_its_exposure_becomes_news_with_it() {
    let mut ledger = with_offers([offer(1, 0)]);
    assert_eq!(record(&mut ledger, Contact::Clicked, 1, 10), [false; 3]);
    assert_eq!(record(&mut ledger, Contact::Dismissed, 1, 11), [false; 3]);
    assert_eq!(ledger.guide(&guide_id("g")), GuideContact::default());
    assert_eq!(ledger.guides, [], "no exposure");
    let silence = Dismissals { count: 1, last: t(11) };
    assert_eq!(ledger.dismissals(&milestone_id("m")), Some(silence), "silence all the same");
    assert_eq!(record(&mut ledger, Contact::Shown, 1, 9), [true; 3]);
    let expected = GuideContact { shows: 1, clicks: 1, dismissals: 1, last_shown: Some(t(9)) };
    assert_eq!(ledger.guide(&guide_id("g")), expected);
    assert_eq!(ledger.dismissals(&milestone_id("m")), Some(silence));
}

#[test]
fn nothing_happens_to_an_offer_before_it_is_made() {
    let mut ledger = with_offers([offer(1, 100)]);
    for contact in [Contact::Shown, Contact::Clicked, Contact::Dismissed] {
        record(&mut ledger, contact, 1, 7);
    }
    let offer = ledger.offer(DecisionId::from_bits(1)).expect("kept");
    assert_eq!([offer.shown, offer.clicked, offer.dismissed], [Some(t(100)); 3]);
    assert_eq!(ledger.last_shown(), Some(t(100)));
    assert_eq!(ledger.dismissals(&milestone_id("m")).map(|d| d.last), Some(t(100)));
}

#[test]
fn a_guide_seen_after_its_offer_ran_out_was_seen() {
    let mut ledger = with_offers([offer(1, 0)]);
    assert_eq!(record(&mut ledger, Contact::Shown, 1, DAY_MS), [true, false, false]);
    assert_eq!(ledger.last_shown(), Some(t(DAY_MS)));
}

#[test]
fn guides_and_milestones_are_counted_apart_and_kept_sorted() {
    let of = |n: u128, guide: &str, milestone: &str| Offer {
        guide: guide_id(guide),
        milestone: milestone_id(milestone),
        ..offer(n, 0)
    };
    let mut ledger =
        with_offers([of(1, "b", "y"), of(2, "a", "x"), of(3, "b", "x"), of(4, "c", "z")]);
    for (n, ms) in [(1, 30), (2, 20), (3, 10)] {
        record(&mut ledger, Contact::Shown, n, ms);
        record(&mut ledger, Contact::Dismissed, n, ms + 5);
    }
    let shows: Vec<_> =
        ledger.guides.iter().map(|(id, g)| (id.as_str(), g.shows, g.last_shown)).collect();
    assert_eq!(shows, [("a", 1, Some(t(20))), ("b", 2, Some(t(30)))]);
    let silent: Vec<_> =
        ledger.dismissed.iter().map(|(id, d)| (id.as_str(), d.count, d.last)).collect();
    assert_eq!(silent, [("x", 2, t(25)), ("y", 1, t(35))]);
    let times: Vec<_> = ledger.recent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [t(10), t(20), t(30)]);
}

#[test]
fn exposure_times_are_kept_for_a_day_and_longer_in_the_session_of_the_newest() {
    let in_session = |n: u128, ms: u64, session: u64| Offer { session, ..offer(n, ms) };
    let times = |ledger: &ContactLedger| -> Vec<u64> {
        ledger.recent.iter().map(|(at, _)| at.since(t(0)).get()).collect()
    };
    let mut ledger = with_offers([
        in_session(1, 0, 1),
        in_session(2, HOUR, 2),
        in_session(3, DAY_MS, 1),
        in_session(4, HOUR + DAY_MS, 1),
        in_session(5, HOUR + DAY_MS + 1, 3),
    ]);
    for (n, ms) in [(1, 0), (2, HOUR), (3, DAY_MS)] {
        record(&mut ledger, Contact::Shown, n, ms);
    }
    assert_eq!(times(&ledger), [0, HOUR, DAY_MS]);
    record(&mut ledger, Contact::Shown, 4, HOUR + DAY_MS);
    assert_eq!(times(&ledger), [0, DAY_MS, HOUR + DAY_MS], "a day old, another session");
    record(&mut ledger, Contact::Shown, 5, HOUR + DAY_MS + 1);
    assert_eq!(times(&ledger), [DAY_MS, HOUR + DAY_MS, HOUR + DAY_MS + 1]);
}

#[test]
fn exposures_of_one_moment_keep_the_order_of_the_log() {
    let mut ledger = with_offers((1..4).map(|n| Offer { session: n as u64, ..offer(n, 0) }));
    for n in 1..4 {
        record(&mut ledger, Contact::Shown, n, 10);
    }
    assert_eq!(ledger.recent, [1, 2, 3].map(|session| (t(10), session)));
}

#[test]
fn exposure_times_are_bounded() {
    let mut ledger = ContactLedger::default();
    let (surplus, kept) = (44, RECENT_KEPT as u64);
    for n in 0..kept + surplus {
        assert!(ledger.keep(offer(u128::from(n), n)));
        record(&mut ledger, Contact::Shown, u128::from(n), n);
    }
    assert_eq!(ledger.recent.len(), RECENT_KEPT);
    assert_eq!(ledger.recent.first().map(|(at, _)| *at), Some(t(surplus)));
    assert_eq!(ledger.guide(&guide_id("g")).shows as u64, kept + surplus);
}

#[test]
fn unknown_decisions_are_counted() {
    let mut ledger = with_offers([offer(1, 0)]);
    for decision in [Some(DecisionId::from_bits(2)), None] {
        assert_eq!(ledger.record(Contact::Shown, decision, t(0)), Err(UnknownDecision));
    }
    let expected = ContactLedger { unknown_decisions: 2, ..with_offers([offer(1, 0)]) };
    assert_eq!(ledger, expected);
}
