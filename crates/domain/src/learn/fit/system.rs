//! From sums to normal equations: what is known of the shared coefficients, of each slot's shock and of each key's own
//! effect. Must not solve them.

use std::collections::BTreeMap;

use super::Prior;
use crate::learn::delay::{Cohort, Curve};
use crate::learn::features::ONE;
use crate::learn::key::Key;
use crate::learn::math::{dot, exp, ln};
use crate::learn::sums::{Cell, Own, Shape, Sums, triangle};
use crate::time::{Millis, Timestamp};

/// How rows lose weight, and how their outcomes come in.
#[derive(Debug, Clone, Copy)]
pub struct Ageing<'a> {
    /// The share of weight that a row loses in a day, in [0, 1).
    pub forget: f64,
    /// Now.
    pub at: Timestamp,
    /// The share of outcomes that has come by an age.
    pub curve: &'a Curve,
}

/// The rows by age and weight, with their outcomes' delays: what a curve is made from.
pub fn cohorts(sums: &Sums, forget: f64, at: Timestamp) -> impl Iterator<Item = Cohort> {
    let rate = ln(1.0 - forget) / Millis::days(1).get() as f64;
    sums.slots.values().map(move |cell| {
        let age = at.since(cell.mean_time());
        Cohort { age, weight: exp(rate * age.get() as f64), delays: cell.delays }
    })
}

/// The normal equations in units of the noise. Shared coordinates come first, then one for each slot.
pub(super) struct System<'a> {
    pub shape: &'a Shape,
    pub prior: &'a Prior,
    /// How many unknowns there are, save for the keys' own.
    pub size: usize,
    /// The lower triangle of their matrix, row by row in full length.
    pub matrix: Vec<f64>,
    pub right: Vec<f64>,
    pub keys: Vec<OwnSystem>,
    /// The rows' weight, and that of outcomes that came.
    pub rows: f64,
    pub outcomes: f64,
}

/// One key's part of them.
pub(super) struct OwnSystem {
    pub key: Key,
    /// The weight of its rows.
    pub rows: f64,
    /// Σ ψφᵀ and, for each slot, Σ ψ: row by row.
    pub cross: Vec<f64>,
    /// Σ ψψᵀ: the lower triangle, row by row in full length.
    pub gram: Vec<f64>,
    pub hits: Vec<f64>,
}

/// What a slot's sums count for: its rows by the share of outcomes that had time to come, its outcomes in full.
#[derive(Clone, Copy)]
struct Weight {
    rows: f64,
    hits: f64,
}

impl<'a> System<'a> {
    pub(super) fn new(sums: &Sums, shape: &'a Shape, prior: &'a Prior, ageing: Ageing<'_>) -> Self {
        let weights = weights(sums, ageing);
        let size = shape.size + sums.slots.len();
        let mut system = Self {
            shape,
            prior,
            size,
            matrix: vec![0.0; size * size],
            right: vec![0.0; size],
            keys: own_systems(sums, shape, &weights, size),
            rows: 0.0,
            outcomes: 0.0,
        };
        system.add_prior();
        for (place, (cell, weight)) in sums.slots.values().zip(&weights).enumerate() {
            system.add_shared(cell, *weight);
            system.add_slot(shape.size + place, cell, *weight);
        }
        system
    }

    fn add_prior(&mut self) {
        let diagonal = self.matrix.chunks_exact_mut(self.size.max(1)).enumerate();
        for (place, row) in diagonal {
            if let Some(entry) = row.get_mut(place) {
                *entry += self.prior.ridge_at(place, self.shape.size);
            }
        }
        let shared = self.right.iter_mut().take(self.shape.size);
        for (place, entry) in shared.enumerate() {
            *entry += self.prior.ridge_at(place, self.shape.size) * self.prior.mean_at(place);
        }
    }

    fn add_shared(&mut self, cell: &Cell, weight: Weight) {
        let rows = self.matrix.chunks_exact_mut(self.size.max(1)).take(self.shape.size);
        for (place, row) in rows.enumerate() {
            let known = cell.gram.get(triangle(place)..triangle(place + 1));
            add_products(row, weight.rows, known.unwrap_or(&[]));
        }
        for (entry, sum) in self.right.iter_mut().zip(&cell.hits) {
            *entry += weight.hits * value(*sum);
        }
        self.rows += weight.rows * cell.rows as f64;
        self.outcomes += weight.hits * cell.outcomes() as f64;
    }

    /// The slot's shock meets each row of the slot once: its sums are those of coordinate 0, which is always 1.
    fn add_slot(&mut self, place: usize, cell: &Cell, weight: Weight) {
        if let Some(row) = self.matrix.chunks_exact_mut(self.size.max(1)).nth(place) {
            for (coordinate, entry) in row.iter_mut().take(self.shape.size).enumerate() {
                let sum = cell.gram.get(triangle(coordinate)).copied().unwrap_or(0);
                *entry += weight.rows * product(sum);
            }
            if let Some(entry) = row.get_mut(place) {
                *entry += weight.rows * cell.rows as f64;
            }
        }
        if let Some(entry) = self.right.get_mut(place) {
            *entry += weight.hits * cell.outcomes() as f64;
        }
    }
}

impl OwnSystem {
    fn new(key: &Key, own: usize, size: usize) -> Self {
        Self {
            key: key.clone(),
            rows: 0.0,
            cross: vec![0.0; own * size],
            gram: vec![0.0; own * own],
            hits: vec![0.0; own],
        }
    }

    /// Adds a slot's sums; `slot` is the place of the slot's shock among the unknowns.
    fn add(&mut self, own: &Own, shape: &Shape, weight: Weight, slot: usize) {
        let count = shape.own.len().max(1);
        let width = (self.cross.len() / count).max(1);
        self.rows += weight.rows * own.rows as f64;
        let rows = own.cross.chunks_exact(shape.size.max(1));
        for (to, from) in self.cross.chunks_exact_mut(width).zip(rows) {
            add_products(to, weight.rows, from);
            // The slot's shock meets each row once, as coordinate 0 does, which is always 1.
            if let (Some(entry), Some(sum)) = (to.get_mut(slot), from.first()) {
                *entry += weight.rows * product(*sum);
            }
        }
        for (row, to) in self.gram.chunks_exact_mut(count).enumerate() {
            let known = own.gram.get(triangle(row)..triangle(row + 1));
            add_products(to, weight.rows, known.unwrap_or(&[]));
        }
        for (entry, sum) in self.hits.iter_mut().zip(&own.hits) {
            *entry += weight.hits * value(*sum);
        }
    }

    /// What is left of its outcomes once the shared part is taken away: Σ ψ(y - φᵀβ).
    pub(super) fn unexplained(&self, beta: &[f64]) -> Vec<f64> {
        let rows = self.cross.chunks_exact(beta.len().max(1));
        self.hits.iter().zip(rows).map(|(hits, row)| hits - dot(row, beta)).collect()
    }
}

fn weights(sums: &Sums, ageing: Ageing<'_>) -> Vec<Weight> {
    let weight = |cohort: Cohort| Weight {
        rows: cohort.weight * ageing.curve.at(cohort.age),
        hits: cohort.weight,
    };
    cohorts(sums, ageing.forget, ageing.at).map(weight).collect()
}

fn own_systems(sums: &Sums, shape: &Shape, weights: &[Weight], size: usize) -> Vec<OwnSystem> {
    let mut keys: BTreeMap<&Key, OwnSystem> = BTreeMap::new();
    for (place, (cell, weight)) in sums.slots.values().zip(weights).enumerate() {
        for (key, own) in &cell.own {
            let system = keys.entry(key);
            let system = system.or_insert_with(|| OwnSystem::new(key, shape.own.len(), size));
            system.add(own, shape, *weight, shape.size + place);
        }
    }
    keys.into_values().collect()
}

fn add_products(to: &mut [f64], weight: f64, sums: &[i64]) {
    for (entry, sum) in to.iter_mut().zip(sums) {
        *entry += weight * product(*sum);
    }
}

/// A sum of values, as a number.
fn value(sum: i64) -> f64 {
    sum as f64 / f64::from(ONE)
}

/// A sum of products, as a number.
fn product(sum: i64) -> f64 {
    sum as f64 / (f64::from(ONE) * f64::from(ONE))
}
