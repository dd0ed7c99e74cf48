//! The estimators by hand, and what holds of all of them.

use super::*;
use crate::draw::Draws;

fn sample(weight: f64, reward: f64, fitted: f64, value: f64) -> Sample {
    Sample { cluster: 0, weight, reward, fitted, value }
}

/// Each in a cluster of its own.
fn apart(samples: &[Sample]) -> Vec<Sample> {
    (0..).zip(samples).map(|(cluster, s)| Sample { cluster, ..*s }).collect()
}

fn four() -> Vec<Sample> {
    apart(&[
        sample(2.0, 1.0, 0.5, 0.6),
        sample(0.5, 0.0, 0.2, 0.3),
        sample(1.0, 1.0, 0.8, 0.4),
        sample(0.0, 1.0, 0.1, 0.5),
    ])
}

#[track_caller]
fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
}

#[test]
fn each_is_what_its_formula_says() {
    let samples = four();
    let at = |estimator, lambda| estimate_at(&samples, estimator, lambda).value;
    let infinite = f64::INFINITY;
    near(at(Estimator::Ips, infinite), 3.0 / 4.0);
    near(at(Estimator::Snips, infinite), 3.0 / 3.5);
    near(at(Estimator::Dm, infinite), 1.8 / 4.0);
    // Corrections: 2 · 0.5, 0.5 · −0.2, 1 · 0.2, 0.
    near(at(Estimator::Dr, infinite), (1.8 + 1.1) / 4.0);
    near(at(Estimator::Sndr, infinite), 1.8 / 4.0 + 1.1 / 3.5);
    near(at(Estimator::SwitchDr, 1.0), (1.8 + 0.1) / 4.0);
    near(at(Estimator::SwitchDr, infinite), at(Estimator::Dr, infinite));
    // Weights: 2 / 5, 0.5 / 1.25, 1 / 2.
    near(at(Estimator::Dros, 1.0), (1.8 + 0.4 * 0.5 - 0.4 * 0.2 + 0.5 * 0.2) / 4.0);
    near(at(Estimator::Dros, infinite), at(Estimator::Dr, infinite));
    near(effective(&samples), 3.5 * 3.5 / 5.25);
    near(on_policy(&samples).value, 0.75);
}

#[test]
fn the_interval_of_a_mean_is_the_usual_one() {
    let samples = four();
    let told = estimate_at(&samples, Estimator::Ips, f64::INFINITY);
    // Terms 2, 0, 1, 0: variance 11/12 of a sample, a quarter of it of the mean.
    near(told.standard_error, (11.0f64 / 12.0 / 4.0).sqrt());
    near(told.high - told.value, 1.959_963_984_540_054 * told.standard_error);
    near(told.value - told.low, told.high - told.value);
}

#[test]
fn one_users_decisions_count_as_one() {
    let once = four();
    let twice: Vec<Sample> = once.iter().chain(&once).copied().collect();
    for estimator in Estimator::ALL {
        let (single, double) = (
            estimate_at(&once, estimator, 2.0).standard_error,
            estimate_at(&twice, estimator, 2.0).standard_error,
        );
        near(single, double);
    }
}

#[test]
fn lambda_is_tuned_to_the_least_error() {
    // One sample in a hundred has a weight of 100, and the model knows all: to trust it costs nothing.
    let knows = |n: usize| {
        let heavy = n.is_multiple_of(100);
        let reward = if n.is_multiple_of(2) { 1.0 } else { 0.0 };
        Sample {
            cluster: n,
            weight: if heavy { 100.0 } else { 0.0 },
            reward,
            fitted: if heavy { 0.5 } else { reward },
            value: 0.5,
        }
    };
    let samples: Vec<Sample> = (0..1_000).map(knows).collect();
    let told = estimate(&samples, Estimator::SwitchDr);
    for lambda in LAMBDAS {
        let other = estimate_at(&samples, Estimator::SwitchDr, lambda);
        let lost =
            |s: &Sample| if s.weight > lambda { s.weight * (s.reward - s.fitted) } else { 0.0 };
        let bias = samples.iter().map(lost).sum::<f64>() / 1_000.0;
        let error = other.standard_error.powi(2) + bias * bias;
        assert!(told.lambda.is_none() || told.standard_error.powi(2) <= error + 1e-12);
    }
    // Weights that are all alike need no damping, and DRos has least to lose by none.
    let alike: Vec<Sample> = apart(&[sample(1.0, 1.0, 0.0, 0.0); 400]);
    near(estimate(&alike, Estimator::Dros).value, 1.0);
    assert_eq!(estimate(&alike, Estimator::Dros).lambda, None);
    assert_eq!(estimate(&alike, Estimator::SwitchDr).lambda, Some(1.0), "the first of equals");
    assert_eq!(estimate(&alike, Estimator::Ips).lambda, None, "it has none");
}

/// A number in [0, 1).
fn number(draws: &mut Draws) -> f64 {
    (draws.bits() >> 11) as f64 / (1u64 << 53) as f64
}

/// What two arms are worth, and how likely each policy draws the first.
struct World {
    worth: [f64; 2],
    logged: f64,
    wanted: f64,
}

impl World {
    fn value(&self) -> f64 {
        self.wanted * self.worth[0] + (1.0 - self.wanted) * self.worth[1]
    }

    /// Decisions of the logging policy. The model is wrong: it expects the same of both.
    fn log(&self, draws: &mut Draws, rows: usize) -> Vec<Sample> {
        let mut row = |cluster| {
            let first = number(draws) < self.logged;
            let arm = usize::from(!first);
            let (wanted, logged) = if first {
                (self.wanted, self.logged)
            } else {
                (1.0 - self.wanted, 1.0 - self.logged)
            };
            let reward = if number(draws) < self.worth[arm] { 1.0 } else { 0.0 };
            Sample { cluster, weight: wanted / logged, reward, fitted: 0.4, value: 0.4 }
        };
        (0..rows).map(&mut row).collect()
    }
}

/// An arm that was drawn once in a hundred times is judged without bias, and the interval holds its true worth as often as
/// it says.
#[test]
fn inverse_propensities_are_unbiased_at_one_percent() {
    let world = World { worth: [0.6, 0.2], logged: 0.01, wanted: 1.0 };
    let mut draws = Draws::new(7, 0);
    let logs = 300;
    let unbiased = [Estimator::Ips, Estimator::Dr];
    let mut means: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    let mut held = [0; 2];
    for _ in 0..logs {
        let samples = world.log(&mut draws, 2_000);
        for (place, estimator) in unbiased.into_iter().enumerate() {
            let told = estimate_at(&samples, estimator, f64::INFINITY);
            means[place].push(told.value);
            held[place] += usize::from(told.low <= world.value() && world.value() <= told.high);
        }
    }
    for (values, held) in means.iter().zip(held) {
        let mean = values.iter().sum::<f64>() / logs as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let error = (squares / (logs as f64 - 1.0) / logs as f64).sqrt();
        assert!((mean - world.value()).abs() < 2.5 * error, "{mean} ± {error}");
        assert!((0.89..=0.99).contains(&(held as f64 / logs as f64)), "{held} of {logs}");
    }
}

/// With a true model DM, DR and SNDR are right whatever the weights; with true weights and a wrong model all but DM are.
#[test]
fn doubly_robust_means_that_either_may_be_wrong() {
    let world = World { worth: [0.7, 0.3], logged: 0.3, wanted: 0.8 };
    let mut draws = Draws::new(11, 0);
    let log = world.log(&mut draws, 40_000);
    let is_near = |samples: &[Sample], estimator: Estimator| {
        let told = estimate(samples, estimator);
        (told.value - world.value()).abs() < 4.0 * told.standard_error.max(1e-3)
    };
    for estimator in Estimator::ALL {
        assert_eq!(is_near(&log, estimator), estimator != Estimator::Dm, "{}", estimator.name());
    }
    // The model is told the truth, and the propensities are false.
    let told_truth = |s: &Sample| {
        let first = s.weight > 1.0;
        let fitted = if first { world.worth[0] } else { world.worth[1] };
        Sample { fitted, value: world.value(), weight: s.weight * 1.5, ..*s }
    };
    let known: Vec<Sample> = log.iter().map(told_truth).collect();
    for estimator in [Estimator::Dm, Estimator::Dr, Estimator::Sndr] {
        assert!(is_near(&known, estimator), "{}", estimator.name());
    }
    assert!(!is_near(&known, Estimator::Ips), "false propensities mislead it");
}

/// Samples of no world, of several users, with weights from 0 to far above 1.
fn any(draws: &mut Draws) -> Vec<Sample> {
    let count = 1 + draws.below(60);
    let mut sample = |_| Sample {
        cluster: draws.below(8) as usize,
        weight: if draws.chance(30) { 0.0 } else { (6.0 * number(draws) - 3.0).exp() },
        reward: 4.0 * number(draws) - 2.0,
        fitted: number(draws),
        value: number(draws),
    };
    let mut samples: Vec<Sample> = (0..count).map(&mut sample).collect();
    samples.push(Sample { weight: 1.0, ..samples[0] });
    samples
}

#[test]
fn what_holds_of_all_samples() {
    let changed = |samples: &[Sample], change: fn(&Sample) -> Sample| -> Vec<Sample> {
        samples.iter().map(change).collect()
    };
    for seed in 0..300 {
        let samples = any(&mut Draws::new(seed, 0));
        let value = |samples: &[Sample], estimator| estimate_at(samples, estimator, 3.0).value;
        let same = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "seed {seed}: {a}, {b}");
        let backwards: Vec<Sample> = samples.iter().rev().copied().collect();
        let raised = changed(&samples, |s| Sample {
            reward: s.reward + 1.0,
            fitted: s.fitted + 1.0,
            value: s.value + 1.0,
            ..*s
        });
        let heavier = changed(&samples, |s| Sample { weight: 3.0 * s.weight, ..*s });
        for estimator in Estimator::ALL {
            let told = estimate_at(&samples, estimator, 3.0);
            assert!(told.low <= told.value && told.value <= told.high, "seed {seed}: {told:?}");
            same(value(&backwards, estimator), told.value);
            if estimator != Estimator::Ips {
                same(value(&raised, estimator), told.value + 1.0);
            }
            if matches!(estimator, Estimator::Snips | Estimator::Dm | Estimator::Sndr) {
                same(value(&heavier, estimator), told.value);
            }
        }
        let snips = value(&samples, Estimator::Snips);
        let drawn = samples.iter().filter(|s| s.weight > 0.0).map(|s| s.reward);
        let (least, most) =
            drawn.fold((f64::INFINITY, -f64::INFINITY), |(a, b), r| (a.min(r), b.max(r)));
        assert!(least - 1e-9 <= snips && snips <= most + 1e-9, "seed {seed}: {snips}");
        let size = effective(&samples);
        assert!(size > 0.0 && size <= samples.len() as f64 + 1e-9, "seed {seed}: {size}");
        same(effective(&heavier), size);
    }
}

#[test]
fn names_and_sources_are_told_of_all() {
    let names: Vec<&str> = Estimator::ALL.iter().map(|e| e.name()).collect();
    assert_eq!(names, ["IPS", "SNIPS", "DM", "DR", "SNDR", "Switch-DR", "DRos"]);
    assert_eq!(serde_json::to_value(Estimator::SwitchDr).expect("a name"), "switch_dr");
}
