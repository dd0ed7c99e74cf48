//! Which advice is in force on which terms, and when a model is asked again.

use serde_json::json;

use super::*;
use crate::advise::brief::NO_GUIDE;
use crate::advise::fixture::{brief, in_force, product, prompt, weighed};
use crate::advise::ladder::judge;
use crate::definition::Definition;
use crate::id::PromptId;
use crate::rules::fixture::{DAY, t};

fn definition() -> Definition {
    product(&["a", "b"]).definition()
}

fn given(definition: &Definition, a: f64, ms: u64) -> Advice {
    let proposal = weighed(&[("a", a), ("b", 1.0 - a), (NO_GUIDE, 0.0)]);
    let verdict = judge(&brief(definition), &proposal, &in_force(definition, &prompt(), t(ms)));
    verdict.advice.expect("good")
}

fn history(definition: &Definition, days: &[u64]) -> History {
    let mut history = History::new();
    days.iter().for_each(|day| history.add(given(definition, *day as f64 / 100.0, day * DAY)));
    history
}

/// The day of the advice that is in force on that day.
fn current(
    history: &History,
    definition: &Definition,
    approval: Approval,
    day: u64,
) -> Option<u64> {
    let prompt = prompt();
    let terms = Terms { in_force: in_force(definition, &prompt, t(day * DAY)), approval };
    history.current(&terms).map(|entry| entry.advice.at().since(t(0)).get() / DAY)
}

#[test]
fn the_newest_is_in_force_until_it_is_out_of_date() {
    let definition = definition();
    let history = history(&definition, &[2, 0, 1]);
    let days: Vec<_> =
        history.entries().iter().map(|e| e.advice.at().since(t(0)).get() / DAY).collect();
    assert_eq!(days, [0, 1, 2]);
    for (day, expected) in [(2, Some(2)), (31, Some(2)), (32, None)] {
        assert_eq!(current(&history, &definition, Approval::NotNeeded, day), expected, "{day}");
    }
}

#[test]
fn a_rejected_advice_gives_way_to_the_last_good_one() {
    let definition = definition();
    let mut history = history(&definition, &[0, 1]);
    assert!(history.review(Review::Rejected).is_some());
    assert_eq!(current(&history, &definition, Approval::NotNeeded, 1), Some(0));
    assert_eq!(current(&history, &definition, Approval::Needed, 1), None);
}

#[test]
fn where_approval_is_needed_it_has_to_be_given() {
    let definition = definition();
    let mut history = history(&definition, &[0]);
    assert_eq!(current(&history, &definition, Approval::Needed, 0), None);
    history.review(Review::Approved);
    assert_eq!(current(&history, &definition, Approval::Needed, 0), Some(0));
    // A newer one needs an approval of its own; until then the approved one stays.
    history.add(given(&definition, 0.9, DAY));
    assert_eq!(current(&history, &definition, Approval::Needed, 1), Some(0));
    assert_eq!(current(&history, &definition, Approval::NotNeeded, 1), Some(1));
    assert_eq!(History::new().review(Review::Approved), None);
}

#[test]
fn each_term_refuses_with_its_own_fault() {
    let definition = definition();
    let other = product(&["a", "b", "c"]).definition();
    let (same, next) = (prompt(), PromptId::new("choose-2").expect("an identifier"));
    let advice = given(&definition, 0.5, 0);
    let refused = |review, in_force, approval| {
        let entry = Entry { answer: 0, advice: advice.clone(), review };
        entry.holds(&Terms { in_force, approval }).expect_err("refused").fault
    };
    let (asked, early) = (in_force(&definition, &same, t(0)), Approval::NotNeeded);
    let table = [
        (Review::Open, in_force(&other, &same, t(0)), early, Provenance::Catalogue),
        (Review::Open, in_force(&definition, &next, t(0)), early, Provenance::Prompt),
        (Review::Approved, in_force(&definition, &same, t(30 * DAY)), early, Provenance::OutOfDate),
        (Review::Rejected, asked, early, Provenance::Rejected),
        (Review::Open, asked, Approval::Needed, Provenance::NotApproved),
    ];
    for (review, in_force, approval, fault) in table {
        assert_eq!(refused(review, in_force, approval), fault.into());
    }
}

#[test]
fn a_model_is_asked_where_nothing_fresh_is_in_force() {
    let definition = definition();
    let prompt = prompt();
    let asks = |history: &History, definition, day: u64| {
        history.wants_asking(in_force(definition, &prompt, t(day * DAY)), STALE)
    };
    let mut known = history(&definition, &[0]);
    let table = [(0, false), (6, false), (7, true), (40, true)];
    for (day, expected) in table {
        assert_eq!(asks(&known, &definition, day), expected, "{day}");
    }
    assert!(asks(&History::new(), &definition, 0));
    let changed = product(&["a", "b"]).with("/version", json!(4)).definition();
    assert!(asks(&known, &changed, 0));
    // What a person has rejected is not asked about again at once.
    known.review(Review::Rejected);
    assert!(!asks(&known, &definition, 1));
    assert!(asks(&known, &definition, 7));
}

#[test]
fn what_stands_in_is_said() {
    let definition = definition();
    let prompt = prompt();
    let kin = history(&definition, &[3]);
    let mut own = history(&definition, &[0, 1]);
    let source = |own: &History, kin: &History, day: u64| {
        let in_force = in_force(&definition, &prompt, t(day * DAY));
        let terms = Terms { in_force, approval: Approval::NotNeeded };
        advice_for(own, kin, &terms).map(|(source, _)| source.name())
    };
    assert_eq!(source(&own, &kin, 1), Some("newest"));
    own.review(Review::Rejected);
    assert_eq!(source(&own, &kin, 1), Some("last_good"));
    assert_eq!(source(&own, &kin, 31), Some("parent"));
    assert_eq!(source(&History::new(), &kin, 4), Some("parent"));
    assert_eq!(source(&own, &History::new(), 31), None);
}

#[test]
fn an_answer_is_reviewed_by_its_number_and_old_ones_go() {
    let definition = definition();
    let mut history = History::new();
    for (answer, day) in [(7, 0), (9, 1)] {
        let advice = given(&definition, 0.5, day * DAY);
        history.insert(Entry { answer, advice, review: Review::Open });
    }
    assert!(history.review_answer(7, Review::Rejected));
    assert!(!history.review_answer(8, Review::Rejected));
    let reviews: Vec<Review> = history.entries().iter().map(|entry| entry.review).collect();
    assert_eq!(reviews, [Review::Rejected, Review::Open]);
    history.forget_before(t(DAY));
    assert_eq!(history.entries().len(), 1);
}
