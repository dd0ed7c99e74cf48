//! How much an advice counts for: never more than ten exposures, and nothing where rewards speak against it.

use proptest::prelude::*;

use super::*;
use crate::advise::fixture::advice;
use crate::rules::fixture::{DAY, guide_id, t};

fn tally(name: &str, exposures: u64, rewards: u64) -> Tally {
    let pick = if name == "no_guide" { Pick::NoGuide } else { Pick::Guide(guide_id(name)) };
    Tally { pick, exposures, rewards }
}

fn sure() -> Advice {
    advice(&[("a", 0.9), ("b", 0.05)], 0.05, 0)
}

fn left(tallies: &[Tally]) -> f64 {
    agreement(&sure(), tallies).get()
}

#[test]
fn without_rewards_the_advice_stands() {
    assert_eq!(left(&[]), 1.0);
    assert_eq!(left(&[tally("a", 100, 0), tally("b", 100, 0)]), 1.0);
    // An option that the advice does not know says nothing about it.
    assert_eq!(left(&[tally("z", 10, 10)]), 1.0);
}

#[test]
fn rewards_for_the_advice_never_make_it_count_for_more() {
    assert_eq!(left(&[tally("a", 100, 50), tally("b", 100, 10), tally("no_guide", 100, 10)]), 1.0);
}

#[test]
fn the_likelihood_is_that_of_the_claim() {
    // The claims are 0.6167, 0.1917 and 0.1917; with even exposures their mean is a third.
    let against = [tally("a", 10, 0), tally("b", 10, 2), tally("no_guide", 10, 0)];
    let expected: f64 = (0.5 * (0.05 + 1.0 / 3.0) * 3.0f64).powi(2);
    assert!((left(&against) - expected).abs() < 1e-6, "{} {expected}", left(&against));
}

#[test]
fn rewards_against_the_advice_wear_it_down_to_nothing() {
    let after =
        |rewards| left(&[tally("a", 100, 0), tally("b", 100, rewards), tally("no_guide", 100, 0)]);
    let course: Vec<f64> = (0..=100).map(after).collect();
    assert!(course.is_sorted_by(|a, b| a > b), "{course:?}");
    assert!(course[1] > 0.5 && course[10] < 0.01 && course[100] < 1e-20, "{course:?}");
}

#[test]
fn age_wears_it_down_between_stale_and_out_of_date() {
    let strength = |day: u64| {
        let prior = Prior::new(&sure(), t(day * DAY), Probability::ONE, |_| true);
        (prior.exposures() * 100.0).round() / 100.0
    };
    assert_eq!([0, 7].map(strength), [10.0, 10.0]);
    assert_eq!(strength(8), 9.57);
    assert_eq!([30, 31, 400].map(strength), [0.0, 0.0, 0.0]);
}

#[test]
fn a_guide_that_may_not_be_shown_on_its_word_gets_nothing() {
    let prior = Prior::new(&sure(), t(0), Probability::ONE, |id| id.as_str() != "a");
    assert_eq!(prior.parts(&guide_id("a")), 0);
    assert!(prior.parts(&guide_id("b")) > 0 && prior.no_guide() > 0);
    assert_eq!(prior.parts(&guide_id("z")), 0);
    assert_eq!(prior.options(), 3);
}

proptest! {
    #[test]
    fn it_never_counts_for_more_than_ten_exposures(
        a in 0u32..100, b in 0u32..100, counts in prop::collection::vec((any::<u64>(), any::<u64>()), 3),
        day in 0u64..100,
    ) {
        let sum = f64::from(a + b + 1);
        let advice = advice(&[("a", f64::from(a) / sum), ("b", f64::from(b) / sum)], 1.0 / sum, 0);
        let names = ["a", "b", "no_guide"].iter().zip(&counts);
        let tallies: Vec<Tally> = names.map(|(name, (seen, won))| tally(name, *seen, *won)).collect();
        let agreement = agreement(&advice, &tallies);
        let prior = Prior::new(&advice, t(day * DAY), agreement, |_| true);
        prop_assert!((0.0..=MOST_EXPOSURES).contains(&prior.exposures()));
    }
}

#[test]
fn a_learner_is_told_praise_and_doubt_and_nothing_of_others() {
    let at = t(0);
    let told = |name: &str, strength: f64| {
        let agreement = Probability::new(strength).expect("in range");
        let prior = Prior::new(&sure(), at, agreement, |guide| *guide != guide_id("c"));
        prior.says_for(&guide_id(name))
    };
    assert_eq!(told("a", 1.0), 1.0, "0.9 of three options is more than twice the even share");
    assert!((told("b", 1.0) + 0.85).abs() < 1e-6, "{}", told("b", 1.0));
    assert!((told("b", 0.5) + 0.425).abs() < 1e-4, "{}", told("b", 0.5));
    assert_eq!((told("z", 1.0), told("c", 1.0), told("a", 0.0)), (0.0, 0.0, 0.0));
}
