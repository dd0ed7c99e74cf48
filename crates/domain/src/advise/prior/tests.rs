//! How much an advice says: less as it ages, and nothing for a guide that may not be shown on its word.

use super::*;
use crate::advise::fixture::advice;
use crate::rules::fixture::{DAY, guide_id, t};

fn sure() -> Advice {
    advice(&[("a", 0.9), ("b", 0.05)], 0.05, 0)
}

#[test]
fn age_wears_it_down_between_stale_and_out_of_date() {
    let strength = |day: u64| {
        let prior = Prior::new(&sure(), t(day * DAY), |_| true);
        (prior.strength().get() * 1_000.0).round() / 1_000.0
    };
    assert_eq!([0, 7].map(strength), [1.0, 1.0]);
    assert_eq!(strength(8), 0.957);
    assert_eq!([30, 31, 400].map(strength), [0.0, 0.0, 0.0]);
}

#[test]
fn a_guide_that_may_not_be_shown_on_its_word_gets_nothing() {
    let prior = Prior::new(&sure(), t(0), |id| id.as_str() != "a");
    assert_eq!(prior.parts(&guide_id("a")), 0);
    assert!(prior.parts(&guide_id("b")) > 0 && prior.no_guide() > 0);
    assert_eq!(prior.parts(&guide_id("z")), 0);
}

#[test]
fn a_learner_is_told_praise_and_doubt_and_nothing_of_others() {
    let told = |name: &str, half_days: u64| {
        let at = t(half_days * DAY / 2);
        Prior::new(&sure(), at, |guide| *guide != guide_id("c")).says_for(&guide_id(name))
    };
    assert_eq!(told("a", 0), 1.0, "0.9 of three options is more than twice the even share");
    assert!((told("b", 0) + 0.85).abs() < 1e-6, "{}", told("b", 0));
    // Half-way between the seventh day and the thirtieth.
    assert!((told("b", 37) + 0.425).abs() < 1e-4, "{}", told("b", 37));
    assert_eq!((told("z", 0), told("c", 0), told("a", 60)), (0.0, 0.0, 0.0));
}
