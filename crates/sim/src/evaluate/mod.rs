//! What another policy would have been worth, from a log of decisions with their propensities. Must not answer where the log
//! can't tell.
//!
//! - `target`: the policy to be evaluated, as a law over each row's actions.
//! - `model`: what rewards are to be expected, fitted to the log.
//! - `estimate`: the estimators.
//! - `page`: the result for people.

pub mod estimate;
mod model;
mod page;
pub mod target;

use std::collections::{BTreeMap, BTreeSet};

use pilotage_domain::time::Timestamp;
use pilotage_wire::decision_log::Row;
use pilotage_wire::instant;
use serde::Serialize;
use thiserror::Error;

pub use estimate::{Estimate, Estimator, Sample};
pub use page::{html, table};
pub use target::{RowFault, Target};

use model::Model;
use target::{check, chosen};

/// Below so many effective samples nothing is said.
pub const LEAST_EFFECTIVE: f64 = 200.0;
/// More of the evaluated policy than this must not be where the log never was.
const UNSUPPORTED: f64 = 1e-9;
/// So many faulty rows, and actions without support, are named.
const MOST_NAMED: usize = 20;
/// The mean weight may be so many standard errors away from 1 before the log's propensities are in doubt.
const DOUBTFUL: f64 = 4.0;

/// What is asked of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The policy to be evaluated.
    pub target: Target,
    /// Which rows are asked.
    pub rows: Asked,
}

/// Which rows of a log are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// All that were drawn.
    Drawn,
    /// Those that were drawn uniformly: the group `random`, and the definition's `explore` share.
    Uniform,
}

/// The rows that can't be read or reckoned with.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{}", self.told())]
pub struct Faults {
    /// Row numbers, from 1, and what is wrong; at most 20.
    pub named: Vec<(usize, RowFault)>,
    /// How many rows are faulty.
    pub rows: usize,
}

impl Faults {
    fn told(&self) -> String {
        let mut lines: Vec<String> =
            self.named.iter().map(|(row, fault)| format!("row {row}: {fault}")).collect();
        if self.rows > self.named.len() {
            lines.push(format!("and {} rows more", self.rows - self.named.len()));
        }
        lines.join("\n")
    }
}

/// Rows that are not reckoned with, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Nothing was drawn: held out, no candidate, contact rules.
    pub not_drawn: usize,
    /// The group `static`, whose decisions are no draws.
    pub fixed: usize,
    /// Not drawn uniformly, where only such rows are asked.
    pub not_uniform: usize,
    /// The same draw as an earlier row.
    pub repeated: usize,
    /// A reward may still come.
    pub not_mature: usize,
    /// There was no reward to win.
    pub no_reward: usize,
}

/// Why nothing is said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// Too little of the log is like the evaluated policy.
    TooFew {
        /// How many samples of equal weight it tells as much as.
        effective: f64,
        /// How many are needed.
        needed: f64,
    },
    /// No row is reckoned with.
    Nothing {
        /// How many wait for their time to be over.
        waiting: usize,
        /// When the log has to reach to, so that the first of these counts; absent where their rows don't tell.
        #[serde(skip_serializing_if = "Option::is_none", with = "instant::optional")]
        first_at: Option<Timestamp>,
    },
    /// The policy is a single action, which no row names.
    UnknownAction {
        /// Which.
        action: String,
    },
    /// The policy draws what the log never drew.
    NoSupport {
        /// How much of the policy that is.
        share: f64,
        /// What the log never drew there; at most 20.
        actions: Vec<String>,
    },
}

impl Refusal {
    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Nothing { waiting: 0, .. } => {
                "no row of this log counts: nothing in it was drawn by chance with a reward to win"
                    .to_owned()
            }
            Self::Nothing { waiting, first_at } => format!(
                "no row of this log counts yet: a reward may still come of {waiting}. Wait{}, and export again",
                first_at
                    .map(|at| format!(" until the log goes on to {}", instant::format(at)))
                    .unwrap_or_default()
            ),
            Self::UnknownAction { action } => format!(
                "no row of this log names the action `{action}`: is it misspelt? Actions are GUIDE/VARIANT or no_guide"
            ),
            Self::TooFew { effective, needed } => format!(
                "the log tells as much of this policy as {effective:.0} draws of its own would, and {needed:.0} are needed: \
                 log more decisions, or more of them drawn like it"
            ),
            Self::NoSupport { share, actions } => format!(
                "the log has no support for this policy: {:.2} % of what it would draw was never drawn where it would draw it ({}). \
                 Nobody can know what would have come of that",
                100.0 * share,
                actions.join(", ")
            ),
        }
    }
}

/// What a log says of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluated {
    /// The policy.
    pub policy: String,
    /// Rows of the log.
    pub rows: usize,
    /// Rows that are reckoned with.
    pub used: usize,
    /// Users, or rows where none are named.
    pub users: usize,
    /// The others.
    pub left_out: LeftOut,
    /// How many samples of equal weight would tell as much.
    pub effective_sample_size: f64,
    /// The largest weight.
    pub largest_weight: f64,
    /// The mean weight: near 1 where the log's propensities are those of its draws and the policy has support.
    pub mean_weight: f64,
    /// Whether the mean weight is too far from 1 to believe the log's propensities.
    pub propensities_doubtful: bool,
    /// Rewards by the policy that drew; absent where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<Estimate>,
    /// The policy's value by each estimator; none where nothing is said.
    pub estimates: Vec<Estimate>,
    /// How many weights there are by size: 0, then up to each power of 2 from 1/8.
    pub weights: Vec<(f64, usize)>,
    /// Why nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

/// Asks the log.
///
/// # Errors
/// Every row that can't be reckoned with, by its number.
pub fn evaluate(rows: &[Row], question: &Question) -> Result<Evaluated, Faults> {
    let (kept, left_out) = sorted_out(rows, question.rows);
    let laws = laws(&kept, &question.target)?;
    let clusters = clusters(&kept);
    let samples = samples(&kept, &laws, &clusters);
    let effective = estimate::effective(&samples);
    let refused = nothing(rows, &kept)
        .or_else(|| unknown(&kept, &question.target))
        .or_else(|| refusal(&kept, &laws, effective));
    let is_supported = !matches!(refused, Some(Refusal::NoSupport { .. }));
    let says = refused.is_none();
    let told = |estimator: Estimator| estimate::estimate(&samples, estimator);
    let weights = samples.iter().map(|s| s.weight);
    let mean_weight = weights.clone().fold(0.0, |sum, w| sum + w) / samples.len().max(1) as f64;
    Ok(Evaluated {
        policy: question.target.to_string(),
        rows: rows.len(),
        used: samples.len(),
        users: clusters.iter().map(|cluster| cluster + 1).max().unwrap_or(0),
        left_out,
        effective_sample_size: effective,
        largest_weight: weights.clone().fold(0.0, f64::max),
        mean_weight,
        // What is missing of the weights where there is no support says nothing of those that are there.
        propensities_doubtful: is_supported && doubtful(&samples, mean_weight),
        logged: says.then(|| estimate::on_policy(&samples)),
        estimates: Estimator::ALL.into_iter().filter(|_| says).map(told).collect(),
        weights: by_size(weights),
        refused,
    })
}

/// A row that is reckoned with: its number from 1, itself, its propensity, its reward.
struct Kept<'a> {
    number: usize,
    row: &'a Row,
    propensity: f64,
    reward: f64,
}

fn sorted_out(rows: &[Row], asked: Asked) -> (Vec<Kept<'_>>, LeftOut) {
    let (mut kept, mut out) = (Vec::with_capacity(rows.len()), LeftOut::default());
    for (number, row) in (1..).zip(rows) {
        let is_uniform = row.group.as_deref() == Some("random") || row.explore == Some(true);
        let Some(propensity) = row.propensity else {
            out.not_drawn += 1;
            continue;
        };
        if row.group.as_deref() == Some("static") {
            out.fixed += 1;
        } else if asked == Asked::Uniform && !is_uniform {
            out.not_uniform += 1;
        } else if row.repeat == Some(true) {
            out.repeated += 1;
        } else if row.mature == Some(false) {
            out.not_mature += 1;
        } else if let Some(reward) = row.reward {
            kept.push(Kept { number, row, propensity, reward });
        } else {
            out.no_reward += 1;
        }
    }
    (kept, out)
}

type Law = Option<Vec<f64>>;

fn laws(kept: &[Kept<'_>], target: &Target) -> Result<Vec<Law>, Faults> {
    let (mut laws, mut faults) = (Vec::with_capacity(kept.len()), Vec::new());
    for Kept { number, row, .. } in kept {
        match check(row).and_then(|()| target.law(row)) {
            Ok(law) => laws.push(law),
            Err(fault) => faults.push((*number, fault)),
        }
    }
    if faults.is_empty() {
        return Ok(laws);
    }
    let rows = faults.len();
    faults.truncate(MOST_NAMED);
    Err(Faults { named: faults, rows })
}

/// Which rows depend on each other: those of one user. A row that names no user stands alone.
fn clusters(kept: &[Kept<'_>]) -> Vec<usize> {
    let (mut known, mut next) = (BTreeMap::new(), 0);
    let mut fresh = || {
        next += 1;
        next - 1
    };
    kept.iter()
        .map(|kept| match &kept.row.user_id {
            Some(user) => *known.entry(user).or_insert_with(&mut fresh),
            None => fresh(),
        })
        .collect()
}

fn samples(kept: &[Kept<'_>], laws: &[Law], clusters: &[usize]) -> Vec<Sample> {
    let mut model = Model::default();
    for (kept, cluster) in kept.iter().zip(clusters) {
        model.learn(*cluster, (slot(kept.row), &kept.row.action), kept.reward);
    }
    let sample = |((kept, law), cluster): ((&Kept<'_>, &Law), &usize)| {
        let row = kept.row;
        // The caller's model, where it has something to say of every action.
        let own: Option<Vec<f64>> = row.actions.iter().map(|action| action.estimate).collect();
        let own = own.filter(|own| !own.is_empty());
        let of = |action: &str| model.expects(*cluster, slot(row), action);
        let expected = own.unwrap_or_else(|| row.actions.iter().map(|a| of(&a.action)).collect());
        let place = chosen(row);
        let fitted =
            place.map_or_else(|| of(&row.action), |at| expected.get(at).copied().unwrap_or(0.0));
        let (weight, value) = match law {
            Some(law) => {
                let drawn = place.and_then(|at| law.get(at)).copied().unwrap_or(0.0);
                (drawn / kept.propensity, law.iter().zip(&expected).map(|(p, q)| p * q).sum())
            }
            None => (1.0, fitted),
        };
        Sample { cluster: *cluster, weight, reward: kept.reward, fitted, value }
    };
    kept.iter().zip(laws).zip(clusters).map(sample).collect()
}

fn slot(row: &Row) -> &str {
    row.slot.as_deref().unwrap_or("")
}

/// Whether there is nothing to reckon with, and what to wait for.
fn nothing(rows: &[Row], kept: &[Kept<'_>]) -> Option<Refusal> {
    let waiting = rows.iter().filter(|row| row.propensity.is_some() && row.mature == Some(false));
    let first_at = waiting.clone().filter_map(|row| row.mature_at).min();
    kept.is_empty().then(|| Refusal::Nothing { waiting: waiting.count(), first_at })
}

/// Whether the policy is an action that nobody has heard of.
fn unknown(kept: &[Kept<'_>], target: &Target) -> Option<Refusal> {
    let Target::Always(action) = target else { return None };
    let named =
        |row: &Row| row.action == *action || row.actions.iter().any(|a| a.action == *action);
    let is_known = kept.iter().any(|kept| named(kept.row));
    (!is_known).then(|| Refusal::UnknownAction { action: action.clone() })
}

/// Whether the log can't tell: of support first, since no number of rows makes up for it.
fn refusal(kept: &[Kept<'_>], laws: &[Law], effective: f64) -> Option<Refusal> {
    let drawn: BTreeSet<&str> = kept.iter().map(|kept| &*kept.row.action).collect();
    let (mut share, mut actions) = (0.0, BTreeSet::new());
    for (kept, law) in kept.iter().zip(laws) {
        for (action, wanted) in kept.row.actions.iter().zip(law.iter().flatten()) {
            let is_supported = match action.propensity {
                Some(propensity) => propensity > 0.0,
                // Where the log does not tell, an action that it drew anywhere is taken for one that it can draw.
                None => drawn.contains(&*action.action),
            };
            if *wanted > 0.0 && !is_supported {
                share += wanted / laws.len() as f64;
                actions.insert(action.action.clone());
            }
        }
    }
    if share > UNSUPPORTED {
        let actions = actions.into_iter().take(MOST_NAMED).collect();
        return Some(Refusal::NoSupport { share, actions });
    }
    let needed = LEAST_EFFECTIVE;
    (effective < needed).then_some(Refusal::TooFew { effective, needed })
}

/// Whether the mean weight is further from 1 than chance takes it.
fn doubtful(samples: &[Sample], mean_weight: f64) -> bool {
    let ones = samples.iter().map(|s| Sample { reward: 1.0, ..*s }).collect::<Vec<_>>();
    let told = estimate::estimate_at(&ones, Estimator::Ips, f64::INFINITY);
    (mean_weight - 1.0).abs() > DOUBTFUL * told.standard_error + 1e-9
}

fn by_size(weights: impl Iterator<Item = f64>) -> Vec<(f64, usize)> {
    let mut bins: Vec<(f64, usize)> = vec![(0.0, 0)];
    for weight in weights {
        let bin = if weight > 0.0 { (weight.log2().ceil() + 4.0).max(1.0) as usize } else { 0 };
        while bins.len() <= bin {
            bins.push((2f64.powi(bins.len() as i32 - 4), 0));
        }
        bins[bin].1 += 1;
    }
    bins
}

#[cfg(test)]
mod tests;
