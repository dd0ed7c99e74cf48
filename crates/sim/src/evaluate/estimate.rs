//! Estimators of a policy's value from another policy's log, as pure functions. Must not know where samples come from.
//!
//! Each sample has the weight w = π(a) / p(a) of what was drawn: how likely the evaluated policy draws it, by how likely it
//! was. With a model q of rewards, q(a) is what it expects of the drawn action and v = Σ π(b) q(b) of the policy.
//!
//! | estimator | is | source |
//! |---|---|---|
//! | IPS | mean of w r | Horvitz and Thompson, 1952 |
//! | SNIPS | Σ w r / Σ w | Hájek, 1971; Swaminathan and Joachims, 2015 |
//! | DM | mean of v | Beygelzimer and Langford, 2009 |
//! | DR | mean of v + w (r − q) | Robins, Rotnitzky and Zhao, 1994; Dudík, Langford and Li, 2011 |
//! | SNDR | mean of v + Σ w (r − q) / Σ w | Robins, Sued, Lei-Gomez and Rotnitzky, 2007; Kallus and Uehara, 2019 |
//! | Switch-DR | DR where w ≤ λ, else DM | Wang, Agarwal and Dudík, 2017 |
//! | DRos | DR with λ w / (w² + λ) for w | Su, Dimakopoulou, Krishnamurthy and Dudík, 2020 |

use serde::Serialize;

/// One decision, as estimators see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Whose it is: samples of one cluster depend on each other. Numbered from 0 without gaps.
    pub cluster: usize,
    /// How much more likely the evaluated policy draws it than the one that did; at least 0.
    pub weight: f64,
    /// What it was worth.
    pub reward: f64,
    /// What the model expects of what was drawn.
    pub fitted: f64,
    /// What the model expects of the evaluated policy here.
    pub value: f64,
}

/// The estimators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Inverse propensities.
    Ips,
    /// Inverse propensities, self-normalised.
    Snips,
    /// The model alone.
    Dm,
    /// Doubly robust.
    Dr,
    /// Doubly robust, self-normalised.
    Sndr,
    /// Doubly robust below a greatest weight.
    SwitchDr,
    /// Doubly robust with weights shrunken for the least error.
    Dros,
}

impl Estimator {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::Ips, Self::Snips, Self::Dm, Self::Dr, Self::Sndr, Self::SwitchDr, Self::Dros];

    /// As people know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ips => "IPS",
            Self::Snips => "SNIPS",
            Self::Dm => "DM",
            Self::Dr => "DR",
            Self::Sndr => "SNDR",
            Self::SwitchDr => "Switch-DR",
            Self::Dros => "DRos",
        }
    }

    /// Whether it has a λ.
    const fn is_tuned(self) -> bool {
        matches!(self, Self::SwitchDr | Self::Dros)
    }
}

/// What an estimator says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Which.
    pub estimator: Estimator,
    /// Its λ, where it has one that is finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// The value of the policy: mean reward of a decision.
    pub value: f64,
    /// The standard error, by clusters.
    pub standard_error: f64,
    /// Where the interval of 95 % begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

/// Among these λ the one with the least estimated error is taken.
pub const LAMBDAS: [f64; 8] = [1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, f64::INFINITY];
/// The quantile of the normal distribution that leaves 2.5 % above it.
const NORMAL: f64 = 1.959_963_984_540_054;

/// What the estimator says of these samples; λ where it has one is tuned. Of no sample it says NaN.
pub fn estimate(samples: &[Sample], estimator: Estimator) -> Estimate {
    if !estimator.is_tuned() {
        return estimate_at(samples, estimator, f64::INFINITY);
    }
    let error = |lambda: &f64| {
        let told = estimate_at(samples, estimator, *lambda);
        let lost = |s: &Sample| (s.weight - damped(estimator, s.weight, *lambda)) * rest(s);
        let bias = mean(samples.iter().map(lost));
        told.standard_error.powi(2) + bias * bias
    };
    let best = LAMBDAS.iter().min_by(|a, b| error(a).total_cmp(&error(b)));
    estimate_at(samples, estimator, best.copied().unwrap_or(f64::INFINITY))
}

/// The same with that λ.
pub fn estimate_at(samples: &[Sample], estimator: Estimator, lambda: f64) -> Estimate {
    let (value, influences) = match estimator {
        Estimator::Ips => plain(samples, |s| s.weight * s.reward),
        Estimator::Snips => ratio(samples, |_| 0.0, |s| s.reward),
        Estimator::Dm => plain(samples, |s| s.value),
        Estimator::Sndr => ratio(samples, |s| s.value, rest),
        Estimator::Dr | Estimator::SwitchDr | Estimator::Dros => {
            plain(samples, |s| s.value + damped(estimator, s.weight, lambda) * rest(s))
        }
    };
    let standard_error = spread(samples, &influences);
    let lambda = Some(lambda).filter(|lambda| estimator.is_tuned() && lambda.is_finite());
    let reach = NORMAL * standard_error;
    Estimate { estimator, lambda, value, standard_error, low: value - reach, high: value + reach }
}

/// What the rewards came to under the policy that drew.
pub fn on_policy(samples: &[Sample]) -> Estimate {
    let as_drawn = |s: &Sample| Sample { weight: 1.0, ..*s };
    let samples: Vec<Sample> = samples.iter().map(as_drawn).collect();
    estimate_at(&samples, Estimator::Ips, f64::INFINITY)
}

/// What the model does not explain.
fn rest(sample: &Sample) -> f64 {
    sample.reward - sample.fitted
}

/// The weight that counts.
fn damped(estimator: Estimator, weight: f64, lambda: f64) -> f64 {
    match estimator {
        Estimator::SwitchDr if weight > lambda => 0.0,
        Estimator::Dros if lambda.is_finite() => lambda * weight / (weight * weight + lambda),
        _ => weight,
    }
}

/// A mean, and how much each sample bears on it.
fn plain(samples: &[Sample], term: impl Fn(&Sample) -> f64) -> (f64, Vec<f64>) {
    let value = mean(samples.iter().map(&term));
    (value, samples.iter().map(|s| term(s) - value).collect())
}

/// mean of `base` + Σ w `term` / Σ w, and how much each sample bears on it: by the delta method.
fn ratio(
    samples: &[Sample],
    base: impl Fn(&Sample) -> f64,
    term: impl Fn(&Sample) -> f64,
) -> (f64, Vec<f64>) {
    let weight = mean(samples.iter().map(|s| s.weight));
    let (ground, over) = (
        mean(samples.iter().map(&base)),
        mean(samples.iter().map(|s| s.weight * term(s))) / weight,
    );
    let influence = |s: &Sample| base(s) - ground + s.weight * (term(s) - over) / weight;
    (ground + over, samples.iter().map(influence).collect())
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    numbers.sum::<f64>() / count
}

/// The standard error of a mean: of each cluster the sum counts, since its samples depend on each other (Liang and Zeger,
/// 1986). 0 for a single cluster.
fn spread(samples: &[Sample], influences: &[f64]) -> f64 {
    let clusters = samples.iter().map(|s| s.cluster + 1).max().unwrap_or(0);
    let mut sums = vec![0.0; clusters];
    for (sample, influence) in samples.iter().zip(influences) {
        sums[sample.cluster] += influence;
    }
    let (count, squares) = (clusters as f64, sums.iter().map(|sum| sum * sum).sum::<f64>());
    let correction = if clusters > 1 { count / (count - 1.0) } else { 0.0 };
    (correction * squares).sqrt() / samples.len() as f64
}

/// How many samples of equal weight would tell as much: (Σ w)² / Σ w² (Kish, 1965); 0 where all weights are 0.
pub fn effective(samples: &[Sample]) -> f64 {
    let sum: f64 = samples.iter().map(|s| s.weight).sum();
    let squares: f64 = samples.iter().map(|s| s.weight * s.weight).sum();
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

#[cfg(test)]
mod tests;
