//! One Bayesian linear regression, solved: shared coefficients β, a shock for each slot of time, and for each key an effect of
//! its own that is shrunk towards none. Must not know what an outcome is.
//!
//! The model of a row is y = φᵀβ + u(slot) + ψᵀo(key) + noise, with normal priors on β, u and o. The keys' effects are taken
//! out of the normal equations first (the Schur complement: each key is a small block of its own), so that the cost grows
//! with the number of keys and not with its cube. What is computed is the exact joint posterior, always from the sums:
//! nothing is updated in steps, so no rounding error can pile up. `scores` says what a solution expects of rows.

mod panels;
mod scores;
mod system;
#[cfg(test)]
mod tests;
mod variance;

pub use scores::{Ground, Parts, Score, Scores};
pub use system::{Ageing, cohorts};
pub use variance::{Residual, between};

use std::cmp::Ordering;
use std::ops::Range;

use super::key::{Key, KeyRef};
use super::math::{add_rows, dot};
use super::matrix::Cholesky;
use super::sums::{Shape, Sums};
use panels::Panels;
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
    root: Panels,
    keys: Vec<OwnFit>,
}

/// A key's own effect.
#[derive(Debug, Clone, PartialEq)]
struct OwnFit {
    key: Key,
    rows: f64,
    mean: Vec<f64>,
    /// The variance of each own coordinate's effect.
    variances: Vec<f64>,
    /// Its covariance once the shared unknowns are known: the lower triangle, doubled off the diagonal.
    known: Panels,
    /// -L⁻¹·R for each own coordinate, one row each, where R says how the effect leans on the shared unknowns.
    lean: Panels,
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
            root: Panels::of(&shared_root(&root, system.shape.size), size),
            keys: keys.map(|(own, known)| OwnFit::new(own, known, &root, &beta)).collect(),
            beta,
        }
    }

    /// The variances of the keys' own effects that this solution speaks for, by own coordinate: one factor for all offsets, and
    /// one for all other effects.
    fn own_variances(&self, guesses: &[f64]) -> Vec<f64> {
        let (mut offsets, mut others) = (Effects::default(), Effects::default());
        for key in &self.keys {
            let effects = key.mean.iter().zip(&key.variances).zip(&self.spread.own);
            for (place, (((mean, variance), prior), guess)) in effects.zip(guesses).enumerate() {
                let group = if place == 0 { &mut offsets } else { &mut others };
                group.add(mean * mean / (self.noise * guess), variance / prior);
            }
        }
        let factor = |place| if place == 0 { offsets.factor() } else { others.factor() };
        guesses.iter().enumerate().map(|(place, guess)| guess * factor(place)).collect()
    }

    /// The same for the crosses: one factor for each kind.
    fn cross_variances(&self, prior: &Prior) -> Vec<f64> {
        let variances = self.root.squares();
        let variance = |(cross, now): (&Crosses, &f64)| {
            let mut effects = Effects::default();
            let means = self.beta.get(cross.places.clone()).unwrap_or(&[]);
            let variances = variances.get(cross.places.clone()).unwrap_or(&[]);
            for (mean, variance) in means.iter().zip(variances) {
                effects.add(mean * mean / (self.noise * cross.variance), variance / now);
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
            let weights = weights.iter().map(|weight| -weight);
            add_rows(to, weights.zip(own.cross.chunks_exact(size)));
            root.forward(to);
        }
        let diagonal = known.iter().step_by(count + 1);
        Self {
            key: own.key.clone(),
            rows: own.rows,
            mean: known.chunks_exact(count).map(|row| dot(row, &unexplained)).collect(),
            variances: lean.chunks_exact(size).zip(diagonal).map(|(l, k)| k + dot(l, l)).collect(),
            known: Panels::of(&folded(known, count), count),
            lean: Panels::of(&lean, size),
        }
    }
}

/// The lower triangle of a symmetric matrix, doubled off the diagonal: xᵀ·A·x has each pair of places once.
fn folded(mut matrix: Vec<f64>, size: usize) -> Vec<f64> {
    for (row, line) in matrix.chunks_exact_mut(size).enumerate() {
        for (column, entry) in line.iter_mut().enumerate() {
            *entry *= match column.cmp(&row) {
                Ordering::Less => 2.0,
                Ordering::Equal => 1.0,
                Ordering::Greater => 0.0,
            };
        }
    }
    matrix
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
