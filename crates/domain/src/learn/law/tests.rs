//! Nursery, budget and guard in tables.

use super::*;
use crate::learn::fixture::{arm, settings};
use crate::learn::key::Arm;
use crate::number::{Probability, Propensity};
use crate::policy::Choice;

fn standing(mean: f64, sd: f64, exposures: i64) -> Standing {
    Standing { mean, sd, exposures, barred: false }
}

const QUIET: Standing = Standing { mean: 0.0, sd: 0.0, exposures: 0, barred: false };

/// The chance of each arm, and of silence last.
fn shares_of(arms: &[Standing], silence: Standing, settings: &Settings) -> Vec<f64> {
    let ids: Vec<Arm> = (0..arms.len()).map(arm).collect();
    let views: Vec<ArmView<'_>> = ids.iter().map(Arm::view).collect();
    let law = law(&views, arms.to_vec(), silence, settings).distribution;
    let choices = (0..arms.len()).map(Choice::Arm).chain([Choice::NoGuide]);
    choices.map(|choice| law.propensity(choice).map_or(0.0, Propensity::get)).collect()
}

fn no_floor() -> Settings {
    Settings { explore: Probability::ZERO, ..settings() }
}

#[test]
fn arms_alike_share_alike_and_the_better_one_leads() {
    let even = shares_of(&[standing(0.1, 0.02, 90); 3], standing(0.1, 0.02, 0), &settings());
    assert!(even.iter().all(|share| (share - 0.25).abs() < 1e-8), "{even:?}");
    let led = shares_of(&[standing(0.1, 0.02, 90), standing(0.13, 0.02, 90)], QUIET, &settings());
    assert!(led[1] > 0.95 && led[0] > 0.0099 && led[2] > 0.0099, "{led:?}");
}

#[test]
fn a_new_arm_begins_with_the_nurserys_chance_and_grows_out_of_it() {
    let of = |mean, exposures| {
        let arms = [standing(0.1, 0.01, 900), standing(mean, 0.2, exposures)];
        shares_of(&arms, QUIET, &no_floor())[1]
    };
    for mean in [0.0, 0.1, 0.9] {
        assert!((of(mean, 0) - 0.05).abs() < 1e-3, "{mean}: {}", of(mean, 0));
    }
    assert!(of(0.4, 5) > of(0.4, 2) && of(0.4, 2) > of(0.4, 0));
    assert!(of(0.9, 10) > 0.9, "known by now");
}

#[test]
fn two_new_arms_at_a_time_those_that_are_furthest() {
    let new = |exposures| standing(0.1, 0.05, exposures);
    let arms = [standing(0.1, 0.01, 900), new(3), new(0), new(9), new(0)];
    let shares = shares_of(&arms, QUIET, &settings());
    let floor = 0.03 / 6.0;
    let waits: Vec<bool> = shares.iter().map(|share| (share - floor).abs() < 1e-8).collect();
    assert_eq!(waits, [false, false, true, false, true, true], "silence has nothing to hope for");
    let first = shares_of(&[new(0); 5], QUIET, &settings());
    assert!(
        first.iter().take(5).all(|share| *share > 0.1),
        "at the beginning none is new: {first:?}"
    );
}

#[test]
fn a_barred_arm_is_not_drawn() {
    let barred = Standing { barred: true, ..standing(0.9, 0.01, 900) };
    let shares = shares_of(&[barred, standing(0.1, 0.01, 900)], QUIET, &settings());
    assert_eq!(shares[0], 0.0);
    assert!(shares[1] > 0.9);
    assert_eq!(shares_of(&[barred], QUIET, &settings()), [0.0, 1.0]);
}

#[test]
fn what_is_risked_against_the_default_is_a_share_of_it() {
    let budget = Budget { share: 0.05, caution: 1.0 };
    let careful = Settings { budget: Some(budget), ..no_floor() };
    // Nothing is known of the others: they may bring nothing at all. So all together get a twentieth.
    let unknown = shares_of(&[standing(0.1, 0.01, 900), standing(0.1, 0.3, 90)], QUIET, &careful);
    assert!((unknown[0] - 0.95).abs() < 1e-6, "{unknown:?}");
    // An arm that is surely better is free.
    let better = shares_of(&[standing(0.1, 0.01, 900), standing(0.2, 0.01, 900)], QUIET, &careful);
    assert!(better[1] > 0.99, "{better:?}");
    // In between: a cautious 0.1 - 0.02·√2 loses 0.028 a draw, of which 0.005 are allowed.
    let near = shares_of(&[standing(0.1, 0.02, 900), standing(0.1, 0.02, 900)], QUIET, &careful);
    assert!((near[1] - 0.005 / (0.02 * 2f64.sqrt())).abs() < 1e-3, "{near:?}");
    // Without a reward there is nothing to lose.
    let nothing = shares_of(&[standing(0.0, 0.01, 900), standing(0.0, 0.01, 900)], QUIET, &careful);
    assert!(nothing[1] > 0.3, "{nothing:?}");
}

#[test]
fn the_default_is_the_first_open_arm_of_the_file() {
    let budget = Some(Budget { share: 0.0, caution: 1.0 });
    let strict = Settings { budget, ..no_floor() };
    let barred = Standing { barred: true, ..standing(0.1, 0.3, 90) };
    let shares =
        shares_of(&[barred, standing(0.1, 0.3, 90), standing(0.1, 0.3, 90)], QUIET, &strict);
    assert_eq!(shares, [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn of_many_arms_the_furthest_are_compared_and_all_keep_the_floor() {
    let arms: Vec<Standing> = (0..60).map(|n| standing(0.001 * f64::from(n), 0.02, 90)).collect();
    let shares = shares_of(&arms, QUIET, &settings());
    assert_eq!(shares.iter().sum::<f64>(), 1.0);
    assert!(shares.iter().all(|share| *share > 0.03 / 61.0 - 1e-9));
    assert!(shares[59] > 0.1 && shares[5] < 0.001, "{shares:?}");
}
