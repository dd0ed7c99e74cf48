//! One Bayesian linear regression, solved: shared coefficients β, a shock for each slot of time, and for each key an effect of
//! its own that is shrunk towards none. Must not know what an outcome is.
//!
//! The model of a row is y = φᵀβ + u(slot) + ψᵀo(key) + noise, with normal priors on β, u and o. The keys' effects are taken
//! out of the normal equations first (the Schur complement: each key is a small block of its own), so that the cost grows
//! with the number of keys and not with its cube. What is computed is the exact joint posterior, always from the sums:
//! nothing is updated in steps, so no rounding error can pile up. `Score::lean` is the row's shadow on the shared unknowns,
//! whitened: its squared length is the variance that comes from them, and the product of two is a covariance.

mod system;
#[cfg(test)]
mod tests;
mod variance;

pub use system::{Ageing, cohorts};
pub use variance::{Residual, between};

use std::ops::Range;

use super::features::{Features, real, value_at};
use super::key::{Key, KeyRef};
use super::math::{add_rows, dot};
use super::matrix::Cholesky;
use super::sums::{Shape, Sums};
use system::{OwnSystem, System};
use variance::Effects;

/// What is believed before any row. Variances are in units of the noise's.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The mean of coordinate 0: the rate of outcomes, which also gives the noise until rows do. In (0, 1).
    pub rate: f64,
    /// The precision of the other shared coefficients, as a number of rows.
    pub ridge: f64,
    /// The variance of a slot's shock.
    pub shock: f64,
    /// The variance of a key's own effect, by own coordinate.
    pub own: Vec<f64>,
    /// Shared coefficients that have a variance of their own instead of `ridge`.
    pub crosses: Vec<Crosses>,
    /// Whether the rows may correct `own` and `crosses`.
    pub between: Between,
    /// A coefficient that is not expected to be 0.
    pub advice: Option<Advice>,
}

/// Shared coefficients of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Crosses {
    /// Their coordinates.
    pub places: Range<usize>,
    /// The variance of each.
    pub variance: f64,
}

/// Where the variances of effects come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// It is what the prior says.
    Given,
    /// The rows correct what the prior says (empirical Bayes).
    Learnt,
}

/// A coordinate that is believed to help.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Advice {
    /// Which.
    pub place: u16,
    /// By how many standard deviations of the noise its value 1 helps.
    pub effect: f64,
    /// How many rows this belief counts for.
    pub rows: f64,
}

/// The variances of effects are worked out anew until none of them moves by more than this share, at most so many times.
const SETTLED: f64 = 0.1;
const ROUNDS: usize = 12;
/// What a prior says of the intercept counts for one row.
const INTERCEPT: f64 = 1.0;
/// For how many rows the prior's rate counts where it gives the noise: a few rows without an outcome say little of it.
const NOISE_ROWS: f64 = 10.0;
/// The rate that gives the noise is held within this and its complement.
const LEAST_RATE: f64 = 0.005;

impl Prior {
    /// The precision of a shared coefficient or of a shock. That of crosses is added once their variance is known.
    fn ridge_at(&self, place: usize, size: usize) -> f64 {
        match (place, self.advice) {
            (0, _) => INTERCEPT,
            (place, _) if place >= size => 1.0 / self.shock,
            (place, _) if self.crosses.iter().any(|cross| cross.places.contains(&place)) => 0.0,
            (place, Some(advice)) if place == usize::from(advice.place) => advice.rows,
            _ => self.ridge,
        }
    }

    fn mean_at(&self, place: usize) -> f64 {
        match (place, self.advice) {
            (0, _) => self.rate,
            (place, Some(advice)) if place == usize::from(advice.place) => {
                advice.effect * noise(self.rate).sqrt()
            }
            _ => 0.0,
        }
    }
}

/// How much effects differ: their variances.
#[derive(Debug, Clone, PartialEq)]
struct Spread {
    /// The keys' own, by own coordinate.
    own: Vec<f64>,
    /// The crosses', by kind.
    crosses: Vec<f64>,
}

impl Spread {
    fn all(&self) -> impl Iterator<Item = &f64> {
        self.own.iter().chain(&self.crosses)
    }
}

/// A solved regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    own: Vec<u16>,
    spread: Spread,
    noise: f64,
    /// How many unknowns are shared, the slots' shocks among them.
    size: usize,
    beta: Vec<f64>,
    /// L⁻¹·e for each shared coordinate, one row each, which begins with as many zeros as coordinates come before it; the shocks
    /// are left out.
    root: Vec<f64>,
    keys: Vec<OwnFit>,
}

/// A key's own effect.
#[derive(Debug, Clone, PartialEq)]
struct OwnFit {
    key: Key,
    rows: f64,
    mean: Vec<f64>,
    /// Its covariance once the shared unknowns are known.
    known: Vec<f64>,
    /// L⁻¹·R for each own coordinate, one row each, where R says how the effect leans on the shared unknowns.
    lean: Vec<f64>,
}

/// What the rows of one situation have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    mean: f64,
    lean: Vec<f64>,
    own: Vec<f64>,
}

/// What a regression says of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The expected outcome.
    pub mean: f64,
    lean: Vec<f64>,
    /// The squared length of `lean`, and the variance that comes from the key's own effect; both in units of the noise.
    square: f64,
    own: f64,
    noise: f64,
}

impl Score {
    /// The variance of the expected outcome.
    pub fn variance(&self) -> f64 {
        self.noise * (self.square + self.own)
    }
}

impl Fit {
    /// Solves the regression that the sums hold.
    pub fn new(sums: &Sums, shape: &Shape, prior: &Prior, ageing: Ageing<'_>) -> Self {
        let system = System::new(sums, shape, prior, ageing);
        let guess = Spread {
            own: prior.own.clone(),
            crosses: prior.crosses.iter().map(|cross| cross.variance).collect(),
        };
        let mut fit = Self::solve(&system, guess);
        if let Between::Given = prior.between {
            return fit;
        }
        for _ in 0..ROUNDS {
            let spread =
                Spread { own: fit.own_variances(&prior.own), crosses: fit.cross_variances(prior) };
            let moved = |(to, from): (&f64, &f64)| (to / from - 1.0).abs() > SETTLED;
            if !spread.all().zip(fit.spread.all()).any(moved) {
                break;
            }
            fit = Self::solve(&system, spread);
        }
        fit
    }

    fn solve(system: &System<'_>, spread: Spread) -> Self {
        let size = system.size;
        let (mut matrix, mut beta) = (system.matrix.clone(), system.right.clone());
        for (cross, variance) in system.prior.crosses.iter().zip(&spread.crosses) {
            for place in cross.places.clone() {
                let entry = matrix.get_mut(place * size + place);
                entry.into_iter().for_each(|entry| *entry += 1.0 / variance);
            }
        }
        let known: Vec<Vec<f64>> = system
            .keys
            .iter()
            .map(|own| {
                let root = own_root(own, &spread.own);
                eliminate(&mut matrix, &mut beta, own, &root);
                root.inverse()
            })
            .collect();
        let root = Cholesky::of(size, matrix);
        root.solve(&mut beta);
        let keys = system.keys.iter().zip(known);
        Self {
            own: system.shape.own.clone(),
            spread,
            noise: system.noise(),
            size,
            root: shared_root(&root, system.shape.size),
            keys: keys.map(|(own, known)| OwnFit::new(own, known, &root, &beta)).collect(),
            beta,
        }
    }

    /// The variances of the keys' own effects that this solution speaks for, by own coordinate: one factor for all offsets, and
    /// one for all other effects.
    fn own_variances(&self, guesses: &[f64]) -> Vec<f64> {
        let (count, size) = (guesses.len().max(1), self.size.max(1));
        let (mut offsets, mut others) = (Effects::default(), Effects::default());
        for key in &self.keys {
            let leans = key.lean.chunks_exact(size);
            let diagonal = key.known.iter().step_by(count + 1);
            let effects = key.mean.iter().zip(diagonal).zip(leans).zip(&self.spread.own);
            for (place, ((((mean, known), lean), prior), guess)) in effects.zip(guesses).enumerate()
            {
                let group = if place == 0 { &mut offsets } else { &mut others };
                group.add(mean * mean / (self.noise * guess), (known + dot(lean, lean)) / prior);
            }
        }
        let factor = |place| if place == 0 { offsets.factor() } else { others.factor() };
        guesses.iter().enumerate().map(|(place, guess)| guess * factor(place)).collect()
    }

    /// The same for the crosses: one factor for each kind.
    fn cross_variances(&self, prior: &Prior) -> Vec<f64> {
        let size = self.size.max(1);
        let variance = |(cross, now): (&Crosses, &f64)| {
            let mut effects = Effects::default();
            let means = self.beta.get(cross.places.clone()).unwrap_or(&[]);
            let leans = self.root.chunks_exact(size).skip(cross.places.start);
            for (mean, lean) in means.iter().zip(leans) {
                effects.add(mean * mean / (self.noise * cross.variance), dot(lean, lean) / now);
            }
            cross.variance * effects.factor()
        };
        prior.crosses.iter().zip(&self.spread.crosses).map(variance).collect()
    }

    /// The variance of one outcome.
    pub fn noise(&self) -> f64 {
        self.noise
    }

    /// The coefficient of a shared coordinate.
    pub fn coefficient(&self, place: u16) -> f64 {
        self.beta.get(usize::from(place)).copied().unwrap_or(0.0)
    }

    /// The weight of the key's rows; 0 where it has none.
    pub fn rows(&self, key: KeyRef<'_>) -> f64 {
        self.find(key).and_then(|at| self.keys.get(at)).map_or(0.0, |own| own.rows)
    }

    /// Whose rows it has, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(|own| &own.key)
    }

    /// What the rows of a situation have in common: its context, coordinate 0 among it.
    pub fn ground(&self, context: &Features) -> Ground {
        let parts = context.parts();
        let own = self.own.iter().map(|place| real(value_at(parts, *place))).collect();
        let mut ground = Ground { mean: 0.0, lean: vec![0.0; self.size], own };
        ground.mean = self.add(parts, &mut ground.lean);
        ground
    }

    /// What is expected of that key in that situation, where the key itself has these features.
    pub fn score(&self, ground: &Ground, features: &Features, key: KeyRef<'_>) -> Score {
        self.scored(ground, features, self.find(key))
    }

    /// The same for several keys; quicker where they ascend.
    pub fn scores<'a>(
        &self,
        ground: &Ground,
        rows: impl Iterator<Item = (&'a Features, KeyRef<'a>)>,
    ) -> Vec<Score> {
        let mut next = 0;
        let scored = |(features, key)| {
            let ahead = self.keys.get(next).filter(|own| own.key.as_ref() == key);
            let own = ahead.map_or_else(|| self.find(key), |_| Some(next));
            next = own.map_or(next, |at| at + 1);
            self.scored(ground, features, own)
        };
        rows.map(scored).collect()
    }

    fn scored(&self, ground: &Ground, features: &Features, own: Option<usize>) -> Score {
        let mut lean = ground.lean.clone();
        let mut mean = ground.mean + self.add(features.parts(), &mut lean);
        let own = match own.and_then(|at| self.keys.get(at)) {
            Some(own) => {
                mean += dot(&own.mean, &ground.own);
                let rows = own.lean.chunks_exact(self.size.max(1));
                let weighed = ground.own.iter().map(|value| -value).zip(rows);
                add_rows(&mut lean, weighed.filter(|(value, _)| *value != 0.0));
                quadratic(&own.known, &ground.own)
            }
            None => self
                .spread
                .own
                .iter()
                .zip(&ground.own)
                .fold(0.0, |sum, (prior, value)| sum + prior * value * value),
        };
        Score { mean, square: dot(&lean, &lean), lean, own, noise: self.noise }
    }

    /// Adds the features' shadow to `lean`; gives what they add to the mean. Those that are not shared have neither.
    fn add(&self, parts: &[(u16, i32)], lean: &mut [f64]) -> f64 {
        let size = self.size.max(1);
        let shared = self.root.len() / size;
        let end = parts.partition_point(|(place, _)| usize::from(*place) < shared);
        let parts = parts.get(..end).unwrap_or(&[]);
        // Four at a time, from where the first of them begins: features ascend.
        for four in parts.chunks(4) {
            let from = four.first().map_or(0, |(place, _)| usize::from(*place));
            let row = |(place, value): &(u16, i32)| {
                let start = usize::from(*place) * size;
                Some((real(*value), self.root.get(start + from..start + size)?))
            };
            add_rows(lean.get_mut(from..).unwrap_or(&mut []), four.iter().filter_map(row));
        }
        parts.iter().fold(0.0, |mean, (place, value)| {
            mean + real(*value) * self.beta.get(usize::from(*place)).copied().unwrap_or(0.0)
        })
    }

    /// The place of the key among those that have rows.
    fn find(&self, key: KeyRef<'_>) -> Option<usize> {
        self.keys.binary_search_by(|own| own.key.as_ref().cmp(&key)).ok()
    }
}

impl OwnFit {
    fn new(own: &OwnSystem, known: Vec<f64>, root: &Cholesky, beta: &[f64]) -> Self {
        let (count, size) = (own.hits.len().max(1), root.size().max(1));
        let unexplained = own.unexplained(beta);
        let mut lean = vec![0.0; own.hits.len() * size];
        for (to, weights) in lean.chunks_exact_mut(size).zip(known.chunks_exact(count)) {
            add_rows(to, weights.iter().copied().zip(own.cross.chunks_exact(size)));
            root.forward(to);
        }
        let mean = known.chunks_exact(count).map(|row| dot(row, &unexplained)).collect();
        Self { key: own.key.clone(), rows: own.rows, mean, known, lean }
    }
}

/// The root of Σ ψψᵀ + 1/prior.
fn own_root(own: &OwnSystem, own_prior: &[f64]) -> Cholesky {
    let mut gram = own.gram.clone();
    let rows = gram.chunks_exact_mut(own_prior.len().max(1)).zip(own_prior).enumerate();
    for (place, (row, prior)) in rows {
        row.get_mut(place).into_iter().for_each(|entry| *entry += 1.0 / prior);
    }
    Cholesky::of(own_prior.len(), gram)
}

/// Takes the key's own effect out of the equations: what its rows say of the shared unknowns beyond it.
fn eliminate(matrix: &mut [f64], right: &mut [f64], own: &OwnSystem, root: &Cholesky) {
    let size = right.len().max(1);
    let (mut cross, mut hits) = (own.cross.clone(), own.hits.clone());
    forward_columns(root, &mut cross, size);
    root.forward(&mut hits);
    for (place, line) in matrix.chunks_exact_mut(size).enumerate() {
        let rows = cross.chunks_exact(size);
        let below = rows.filter_map(|row| Some((-row.get(place)?, row.get(..=place)?)));
        add_rows(line, below);
    }
    add_rows(right, hits.iter().map(|hit| -hit).zip(cross.chunks_exact(size)));
}

/// L⁻¹ applied to each column of a matrix that stands row by row.
fn forward_columns(root: &Cholesky, rows: &mut [f64], width: usize) {
    for column in 0..width {
        let mut entries: Vec<f64> = rows.iter().skip(column).step_by(width).copied().collect();
        root.forward(&mut entries);
        for (to, from) in rows.iter_mut().skip(column).step_by(width).zip(entries) {
            *to = from;
        }
    }
}

fn shared_root(root: &Cholesky, shared: usize) -> Vec<f64> {
    let size = root.size();
    let mut rows = vec![0.0; shared * size];
    for (place, row) in rows.chunks_exact_mut(size.max(1)).enumerate() {
        if let Some(entry) = row.get_mut(place) {
            *entry = 1.0;
        }
        root.forward(row);
    }
    rows
}

/// xᵀ·A·x of a symmetric matrix.
fn quadratic(matrix: &[f64], x: &[f64]) -> f64 {
    let mut product = vec![0.0; x.len()];
    add_rows(&mut product, x.iter().copied().zip(matrix.chunks_exact(x.len().max(1))));
    dot(&product, x)
}

impl System<'_> {
    /// The variance of one outcome, by the rate of all.
    fn noise(&self) -> f64 {
        let outcomes = NOISE_ROWS * self.prior.rate + self.outcomes;
        noise(outcomes / (NOISE_ROWS + self.rows))
    }
}

/// The variance of an outcome that comes at that rate.
fn noise(rate: f64) -> f64 {
    let rate = rate.clamp(LEAST_RATE, 1.0 - LEAST_RATE);
    rate * (1.0 - rate)
}

/// The part of the variances that all scores share, and what is left for each: the mean covariance of two of them, held
/// between 0 and what leaves each its own effect's variance.
pub fn split(scores: &[Score]) -> (f64, Vec<f64>) {
    let count = scores.len() as f64;
    let mut all = vec![0.0; scores.first().map_or(0, |score| score.lean.len())];
    add_rows(&mut all, scores.iter().map(|score| (1.0, score.lean.as_slice())));
    let own = scores.iter().fold(0.0, |sum, score| sum + score.square);
    let common = match scores {
        [] | [_] => 0.0,
        _ => ((dot(&all, &all) - own) / (count * (count - 1.0))).max(0.0),
    };
    let left = |score: &Score| score.noise * ((score.square - common).max(0.0) + score.own);
    let noise = scores.first().map_or(0.0, |score| score.noise);
    (noise * common, scores.iter().map(left).collect())
}
