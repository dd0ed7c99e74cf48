//! How far off the chances to be the best are, where a new arm stands beside mature ones. Must not judge the product's integral
//! by itself: by sampling, and by a slow sum on a fine grid.

use pilotage_domain::learn::best::{Normal, chances};
use pilotage_domain::learn::math::normal_cdf;
use pilotage_domain::number::{Probability, Propensity};
use pilotage_domain::policy::weights;

use crate::common::{Dice, arm, parts};

/// Random sets of scores a case.
const SETS: usize = 40;
const DRAWS: usize = 1_000_000;
/// Nodes of the slow sum: as many as the peers' harness has.
const NODES: usize = 200_001;

pub(crate) fn run() {
    println!(
        "{SETS} random sets of scores a case, widths .001 to .1; {DRAWS} draws and {NODES} nodes for each set"
    );
    println!(
        "arms  worst error by nodes  worst by draws  the same in se  parts that are missing or too many"
    );
    for arms in [3, 8, 20] {
        let mut dice = Dice::new(arms as u64);
        let mut worst = Worst::default();
        (0..SETS).for_each(|_| worst.see(arms, &mut dice));
        println!(
            "{arms:>4}  {:>20.6}  {:>14.5}  {:>14.1}  {}",
            worst.nodes, worst.draws, worst.errors, worst.parts
        );
    }
}

#[derive(Default)]
struct Worst {
    nodes: f64,
    draws: f64,
    /// The largest difference to sampling in its standard errors.
    errors: f64,
    /// By how many parts of 2³² the laws missed a sum of 1, together.
    parts: u64,
}

impl Worst {
    fn see(&mut self, arms: usize, dice: &mut Dice) {
        let width = |dice: &mut Dice| (0.001f64.ln() + dice.unit() * 100f64.ln()).exp();
        let scores: Vec<Normal> =
            (0..arms).map(|_| Normal { mean: dice.normal() * 0.02, sd: width(dice) }).collect();
        let found = chances(&scores);
        let (exact, sampled) = (slowly(&scores), by_draws(&scores, dice));
        for ((found, exact), sampled) in found.iter().zip(exact).zip(sampled) {
            self.nodes = self.nodes.max((found - exact).abs());
            self.draws = self.draws.max((found - sampled).abs());
            let error = (found * (1.0 - found) / DRAWS as f64).sqrt().max(1.0 / DRAWS as f64);
            self.errors = self.errors.max((found - sampled).abs() / error);
        }
        self.parts += off_by(&found);
    }
}

/// By how many parts the law with these weights misses a sum of 1.
fn off_by(chances: &[f64]) -> u64 {
    let arms: Vec<_> = (0..chances.len() - 1).map(arm).collect();
    let views: Vec<_> = arms.iter().map(|arm| arm.view()).collect();
    let (silence, shares) = chances.split_last().expect("somebody is best");
    let weighed: Vec<Option<f64>> = shares.iter().copied().map(Some).collect();
    let floor = Probability::new(0.03).expect("a share");
    let law = weights::distribution(&views, &weighed, *silence, floor);
    parts(&law, arms.len()).iter().sum::<u64>().abs_diff(Propensity::SCALE)
}

fn by_draws(scores: &[Normal], dice: &mut Dice) -> Vec<f64> {
    let mut wins = vec![0u64; scores.len()];
    for _ in 0..DRAWS {
        let mut best = (f64::NEG_INFINITY, 0);
        for (pair, chunk) in scores.chunks(2).enumerate() {
            let (one, other) = dice.normals();
            for (within, (score, noise)) in chunk.iter().zip([one, other]).enumerate() {
                let drawn = score.mean + score.sd * noise;
                if drawn > best.0 {
                    best = (drawn, 2 * pair + within);
                }
            }
        }
        wins[best.1] += 1;
    }
    wins.into_iter().map(|wins| wins as f64 / DRAWS as f64).collect()
}

/// Σ over fine steps of the chance that the score falls into one and all others stay below its middle.
fn slowly(scores: &[Normal]) -> Vec<f64> {
    let low = scores.iter().map(|s| s.mean - 9.0 * s.sd).fold(f64::INFINITY, f64::min);
    let high = scores.iter().map(|s| s.mean + 9.0 * s.sd).fold(f64::NEG_INFINITY, f64::max);
    let step = (high - low) / (NODES - 1) as f64;
    let below = |x: f64| scores.iter().map(move |s| normal_cdf((x - s.mean) / s.sd));
    let mut sums = vec![0.0; scores.len()];
    let mut last: Vec<f64> = below(low).collect();
    for node in 1..NODES {
        let x = low + step * node as f64;
        let middle: Vec<f64> = below(x - step / 2.0).collect();
        let next: Vec<f64> = below(x).collect();
        for (place, sum) in sums.iter_mut().enumerate() {
            let others = middle.iter().enumerate().filter(|(other, _)| *other != place);
            *sum += (next[place] - last[place]) * others.map(|(_, chance)| chance).product::<f64>();
        }
        last = next;
    }
    sums
}
