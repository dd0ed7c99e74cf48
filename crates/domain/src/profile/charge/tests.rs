//! Every limit at the moments around its opening.

use super::*;
use crate::id::DecisionId;
use crate::profile::contact::Contact;
use crate::profile::fixture::{
    DAY as DAY_MS, HOUR, MINUTE, guide, guide_id, milestone_id, offer, quiet_rules, session, t,
};
use crate::profile::session_hash;

const HERE: &str = "s";

fn shown(ledger: &mut ContactLedger, offer: Offer) {
    let (decision, at) = (offer.decision, offer.at);
    assert!(ledger.keep(offer));
    ledger.record(Contact::Shown, Some(decision), at).expect("known");
}

/// A ledger with one exposure of `g` in session `s` at each of these times.
fn exposed(times: &[u64]) -> ContactLedger {
    let mut ledger = ContactLedger::default();
    for (n, ms) in (1..).zip(times) {
        shown(&mut ledger, offer(n, *ms));
    }
    ledger
}

fn stop(limit: Limit, need: u64, have: u64, opens_at: Option<u64>) -> Result<(), Stop> {
    Err(Stop { limit, need, have, opens_at: opens_at.map(t) })
}

fn contact(
    ledger: &ContactLedger,
    pending: &[Offer],
    rules: ContactRules,
    ms: u64,
) -> Result<(), Stop> {
    let here = session_hash(&session(HERE));
    Charges::new(ledger, pending, t(ms)).contact(&rules, here, &milestone_id("m"))
}

fn limits(ledger: &ContactLedger, pending: &[Offer], of: &Guide, ms: u64) -> Result<(), Stop> {
    Charges::new(ledger, pending, t(ms)).limits(of)
}

#[test]
fn without_rules_nothing_stops() {
    let ledger = exposed(&[0, 0, 0]);
    assert_eq!(contact(&ledger, &[offer(9, 0)], quiet_rules(), 0), Ok(()));
    assert_eq!(limits(&ledger, &[offer(9, 0)], &guide("g", None, None), 0), Ok(()));
}

#[test]
fn a_guide_has_so_many_shows() {
    let ledger = exposed(&[0, 10]);
    let g = |shows| guide("g", Some(shows), None);
    assert_eq!(limits(&ledger, &[], &g(3), 20), Ok(()));
    assert_eq!(limits(&ledger, &[], &g(2), 20), stop(Limit::Shows, 2, 2, None));
    assert_eq!(limits(&ledger, &[], &g(1), 20), stop(Limit::Shows, 1, 2, None));
    assert_eq!(limits(&ledger, &[], &guide("other", Some(1), None), 20), Ok(()));
    let pending = [offer(9, 20)];
    assert_eq!(limits(&ledger, &pending, &g(3), 20), stop(Limit::Shows, 3, 3, Some(20 + MINUTE)));
    assert_eq!(limits(&ledger, &pending, &g(3), 20 + MINUTE), Ok(()));
    assert_eq!(limits(&ledger, &pending, &guide("other", Some(1), None), 20), Ok(()));
}

#[test]
fn a_guide_keeps_its_gap() {
    let ledger = exposed(&[1_000]);
    let g = guide("g", None, Some(HOUR));
    let opens = 1_000 + HOUR;
    assert_eq!(limits(&ledger, &[], &g, 1_000), stop(Limit::GuideGap, HOUR, 0, Some(opens)));
    assert_eq!(
        limits(&ledger, &[], &g, opens - 1),
        stop(Limit::GuideGap, HOUR, HOUR - 1, Some(opens))
    );
    assert_eq!(limits(&ledger, &[], &g, opens), Ok(()));
    assert_eq!(limits(&ledger, &[], &guide("other", None, Some(HOUR)), 1_000), Ok(()));
}

#[test]
fn a_gap_holds_a_reservation_no_longer_than_it_lasts() {
    let ledger = ContactLedger::default();
    let pending = [offer(9, 0)];
    let long = guide("g", None, Some(HOUR));
    assert_eq!(limits(&ledger, &pending, &long, 10), stop(Limit::GuideGap, HOUR, 10, Some(MINUTE)));
    assert_eq!(limits(&ledger, &pending, &long, MINUTE), Ok(()));
    let short = guide("g", None, Some(1_000));
    assert_eq!(
        limits(&ledger, &pending, &short, 999),
        stop(Limit::GuideGap, 1_000, 999, Some(1_000))
    );
    assert_eq!(limits(&ledger, &pending, &short, 1_000), Ok(()));
    assert_eq!(limits(&ledger, &pending, &guide("other", None, Some(HOUR)), 10), Ok(()));
}

#[test]
fn a_gap_is_open_when_exposure_and_reservation_both_allow() {
    let ledger = exposed(&[0]);
    let rules = |gap| ContactRules { gap: Millis::new(gap), ..quiet_rules() };
    let pending = [offer(9, 10_000)];
    let both = contact(&ledger, &pending, rules(5 * MINUTE), 20_000);
    assert_eq!(both, stop(Limit::Gap, 5 * MINUTE, 10_000, Some(5 * MINUTE)));
    let both = contact(&ledger, &pending, rules(30_000), 20_000);
    assert_eq!(both, stop(Limit::Gap, 30_000, 10_000, Some(40_000)));
    assert_eq!(contact(&ledger, &pending, rules(5 * MINUTE), 5 * MINUTE), Ok(()));
    let newer = [offer(9, 10_000), offer(10, 15_000)];
    let three = contact(&ledger, &newer, rules(30_000), 20_000);
    assert_eq!(three, stop(Limit::Gap, 30_000, 5_000, Some(45_000)));
}

#[test]
fn a_gap_of_days_outlives_the_day_of_the_recent_exposures() {
    let rules = ContactRules { gap: Millis::days(3), ..quiet_rules() };
    let ledger = exposed(&[0]);
    let expected = stop(Limit::Gap, 3 * DAY_MS, 2 * DAY_MS, Some(3 * DAY_MS));
    assert_eq!(contact(&ledger, &[], rules, 2 * DAY_MS), expected);
    assert_eq!(contact(&ledger, &[], rules, 3 * DAY_MS), Ok(()));
}

#[test]
fn a_session_has_so_many_exposures() {
    let rules = |session| ContactRules { session: Some(session), ..quiet_rules() };
    let mut ledger = exposed(&[0, 10]);
    shown(&mut ledger, Offer { session: 7, ..offer(8, 20) });
    assert_eq!(contact(&ledger, &[], rules(3), 20), Ok(()));
    assert_eq!(contact(&ledger, &[], rules(2), 20), stop(Limit::Session, 2, 2, None));
    let elsewhere = [Offer { session: 7, ..offer(9, 20) }];
    assert_eq!(contact(&ledger, &elsewhere, rules(3), 20), Ok(()));
    let here = [offer(9, 20), offer(10, 30)];
    let full = contact(&ledger, &here, rules(3), 40);
    assert_eq!(full, stop(Limit::Session, 3, 4, Some(30 + MINUTE)), "both must go");
    assert_eq!(
        contact(&ledger, &here, rules(3), 20 + MINUTE),
        stop(Limit::Session, 3, 3, Some(30 + MINUTE))
    );
    assert_eq!(contact(&ledger, &here, rules(3), 30 + MINUTE), Ok(()));
}

#[test]
fn a_long_session_is_still_one_session() {
    let rules = ContactRules { session: Some(2), ..quiet_rules() };
    let ledger = exposed(&[0, 2 * DAY_MS]);
    assert_eq!(contact(&ledger, &[], rules, 2 * DAY_MS), stop(Limit::Session, 2, 2, None));
}

#[test]
fn any_24_hours_have_so_many_exposures() {
    let rules = |day| ContactRules { day: Some(day), ..quiet_rules() };
    let ledger = exposed(&[0, 2 * HOUR, HOUR]);
    assert_eq!(contact(&ledger, &[], rules(4), 3 * HOUR), Ok(()));
    assert_eq!(contact(&ledger, &[], rules(3), 3 * HOUR), stop(Limit::Day, 3, 3, Some(DAY_MS)));
    assert_eq!(
        contact(&ledger, &[], rules(2), 3 * HOUR),
        stop(Limit::Day, 2, 3, Some(HOUR + DAY_MS))
    );
    assert_eq!(contact(&ledger, &[], rules(3), DAY_MS - 1), stop(Limit::Day, 3, 3, Some(DAY_MS)));
    assert_eq!(contact(&ledger, &[], rules(3), DAY_MS), Ok(()));
    let pending = [offer(9, 3 * HOUR)];
    let reserved = contact(&ledger, &pending, rules(4), 3 * HOUR);
    assert_eq!(reserved, stop(Limit::Day, 4, 4, Some(3 * HOUR + MINUTE)));
    let elsewhere = [Offer { session: 7, guide: guide_id("other"), ..offer(9, 3 * HOUR) }];
    assert_eq!(contact(&ledger, &elsewhere, rules(4), 3 * HOUR), reserved, "whatever it offers");
}

#[test]
fn folded_offers_reserve_too_until_they_are_shown_or_too_old() {
    let rules = ContactRules { day: Some(1), ..quiet_rules() };
    let mut ledger = ContactLedger::default();
    assert!(ledger.keep(offer(1, 0)));
    assert_eq!(contact(&ledger, &[], rules, 0), stop(Limit::Day, 1, 1, Some(MINUTE)));
    assert_eq!(contact(&ledger, &[], rules, MINUTE), Ok(()));
    ledger.record(Contact::Shown, Some(DecisionId::from_bits(1)), t(10)).expect("known");
    assert_eq!(contact(&ledger, &[], rules, 20), stop(Limit::Day, 1, 1, Some(10 + DAY_MS)));
}

#[test]
fn a_decision_is_charged_once_and_as_the_ledger_knows_it() {
    let rules = |day| ContactRules { day: Some(day), ..quiet_rules() };
    let mut ledger = exposed(&[0]);
    assert!(ledger.keep(offer(2, 5)));
    let pending = [offer(1, 0), offer(3, 6), offer(2, 5), offer(4, 7), offer(3, 6)];
    assert_eq!(contact(&ledger, &pending, rules(5), 10), Ok(()));
    let full = contact(&ledger, &pending, rules(4), 10);
    assert_eq!(full, stop(Limit::Day, 4, 4, Some(5 + MINUTE)));
}

#[test]
fn an_offer_that_lies_ahead_reserves() {
    let rules = ContactRules { day: Some(1), ..quiet_rules() };
    let pending = [offer(1, 1_000)];
    let ledger = ContactLedger::default();
    assert_eq!(contact(&ledger, &pending, rules, 0), stop(Limit::Day, 1, 1, Some(1_000 + MINUTE)));
}

#[test]
fn silence_doubles_with_each_dismissal_up_to_14_days() {
    let rules = |first| ContactRules { dismissed: Millis::new(first), ..quiet_rules() };
    let mut ledger = ContactLedger::default();
    let silences = [1, 2, 4, 8, 14, 14].map(|days| days * DAY_MS);
    for (n, silence) in (1..).zip(silences) {
        let ms = u64::try_from(n).expect("small") * 100 * DAY_MS;
        assert!(ledger.keep(offer(n, ms)));
        ledger.record(Contact::Dismissed, Some(DecisionId::from_bits(n)), t(ms)).expect("known");
        let opens = ms + silence;
        let expected = stop(Limit::Dismissed, silence, silence - 1, Some(opens));
        assert_eq!(contact(&ledger, &[], rules(DAY_MS), opens - 1), expected, "{n}");
        assert_eq!(contact(&ledger, &[], rules(DAY_MS), opens), Ok(()), "{n}");
        assert_eq!(contact(&ledger, &[], rules(0), ms), Ok(()), "no silence at all");
        let another =
            Charges::new(&ledger, &[], t(ms)).contact(&rules(DAY_MS), 0, &milestone_id("other"));
        assert_eq!(another, Ok(()));
    }
}

#[test]
fn silence_survives_any_number_of_dismissals() {
    for count in [63, 64, 65, u32::MAX] {
        let dismissed = vec![(milestone_id("m"), Dismissals { count, last: t(0) })];
        let ledger = ContactLedger { dismissed, ..ContactLedger::default() };
        let rules = ContactRules { dismissed: Millis::new(1), ..quiet_rules() };
        let longest = LONGEST_SILENCE.get();
        assert_eq!(
            contact(&ledger, &[], rules, 0),
            stop(Limit::Dismissed, longest, 0, Some(longest))
        );
    }
}

#[test]
fn the_first_stop_is_named_and_opens_when_all_do() {
    let ledger = exposed(&[0, 10]);
    let rules = ContactRules { day: Some(2), gap: Millis::days(2), ..quiet_rules() };
    assert_eq!(contact(&ledger, &[], rules, 20), stop(Limit::Day, 2, 2, Some(10 + 2 * DAY_MS)));
    let rules = ContactRules { session: Some(2), ..rules };
    assert_eq!(contact(&ledger, &[], rules, 20), stop(Limit::Session, 2, 2, None));
    let both = guide("g", Some(2), Some(HOUR));
    assert_eq!(limits(&ledger, &[], &both, 20), stop(Limit::Shows, 2, 2, None));
    let reserved = [offer(9, 20)];
    let both = guide("g", Some(3), Some(HOUR));
    assert_eq!(limits(&ledger, &reserved, &both, 20), stop(Limit::Shows, 3, 3, Some(10 + HOUR)));
}
