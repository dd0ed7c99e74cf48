//! What a solved regression says of rows: the expected outcome of each, its variance, and what several of one situation share of
//! it. Must not change what was solved.
//!
//! A row's lean is its shadow on the shared unknowns, whitened: L⁻¹·(φ - Rᵀψ). Its squared length is the variance that comes
//! from them, and the product of two leans is a covariance. Leans are sums of rows of matrices that were whitened when the
//! regression was solved. They are taken panel by panel, and nothing but their squares and their sum over all rows is kept.

use super::Fit;
use super::panels::{LANES, Panels, Tile, add, product, total};
use crate::learn::key::KeyRef;

/// Coordinates that are not 0 with their values, ascending.
pub type Parts = [(u16, f64)];

/// What the rows of one situation have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    mean: f64,
    lean: Vec<Tile>,
    /// The values of the keys' own coordinates: those that are not 0 by their number, and all side by side.
    own: Vec<(u16, f64)>,
    own_tiles: Vec<Tile>,
}

/// What a regression says of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The expected outcome.
    pub mean: f64,
    /// The variance that comes from the shared unknowns, and that from the key's own effect; both in units of the noise.
    shared: f64,
    own: f64,
    noise: f64,
}

impl Score {
    /// The variance of the expected outcome.
    pub fn variance(&self) -> f64 {
        self.noise * (self.shared + self.own)
    }
}

/// What a regression says of several rows of one situation.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Each row's, in order.
    pub each: Vec<Score>,
    /// The mean covariance of two of them, not below 0, in units of the noise; 0 where there are no two.
    common: f64,
}

impl Scores {
    /// The part of the variances that all of them share.
    pub fn common(&self) -> f64 {
        self.each.first().map_or(0.0, |score| score.noise * self.common)
    }

    /// What is left for a score of them, which is at least its own effect's variance.
    pub fn apart(&self, score: &Score) -> f64 {
        score.noise * ((score.shared - self.common).max(0.0) + score.own)
    }
}

impl Fit {
    /// What the rows of a situation have in common: its context, coordinate 0 among it.
    pub fn ground(&self, context: &Parts) -> Ground {
        let values = self.own.iter().map(|place| value_at(context, *place));
        let mut own_tiles = vec![[0.0; LANES]; self.own.len().div_ceil(LANES)];
        let places = own_tiles.iter_mut().flatten();
        places.zip(values).for_each(|(to, value)| *to = value);
        let own = (0u16..).zip(own_tiles.iter().flatten().copied());
        let own = own.filter(|(_, value)| *value != 0.0).collect();
        let mean = self.expected(context);
        let lean = self.root.iter().enumerate().map(|(number, panel)| {
            let mut sum = [0.0; LANES];
            add_rows(&mut sum, panel, begun(context, number));
            sum
        });
        Ground { mean, lean: lean.collect(), own, own_tiles }
    }

    /// What is expected of that key in that situation, where the key itself has these features.
    pub fn score(&self, ground: &Ground, parts: &Parts, key: KeyRef<'_>) -> Score {
        let mut all = vec![[0.0; LANES]; ground.lean.len()];
        self.scored(ground, parts, self.find(key), &mut all)
    }

    /// The same for several keys; quicker where they ascend.
    pub fn scores<'a>(
        &self,
        ground: &Ground,
        rows: impl Iterator<Item = (&'a Parts, KeyRef<'a>)>,
    ) -> Scores {
        let mut next = 0;
        let mut all = vec![[0.0; LANES]; ground.lean.len()];
        let scored = |(parts, key)| {
            let ahead = self.keys.get(next).filter(|own| own.key.as_ref() == key);
            let own = ahead.map_or_else(|| self.find(key), |_| Some(next));
            next = own.map_or(next, |at| at + 1);
            self.scored(ground, parts, own, &mut all)
        };
        let each: Vec<Score> = rows.map(scored).collect();
        // (Σ lean)² is the sum of all covariances: of each with itself and, twice, of each two.
        let square = all.iter().fold(0.0, |sum, tile| sum + product(tile, tile));
        let own = each.iter().fold(0.0, |sum, score| sum + score.shared);
        let count = each.len() as f64;
        let pairs = count * (count - 1.0);
        let common = if pairs > 0.0 { ((square - own) / pairs).max(0.0) } else { 0.0 };
        Scores { each, common }
    }

    /// One row's; its lean is added to `all`.
    fn scored(
        &self,
        ground: &Ground,
        parts: &Parts,
        own: Option<usize>,
        all: &mut [Tile],
    ) -> Score {
        let own = own.and_then(|at| self.keys.get(at));
        let mut squares = [0.0; LANES];
        let mut own_panels = own.map(|own| own.lean.iter());
        let panels = self.root.iter().zip(&ground.lean).zip(all).enumerate();
        for (number, ((panel, begin), all)) in panels {
            let mut lean = *begin;
            add_rows(&mut lean, panel, begun(parts, number));
            if let Some(panel) = own_panels.as_mut().and_then(Iterator::next) {
                add_rows(&mut lean, panel, ground.own.iter());
            }
            for ((square, all), lean) in squares.iter_mut().zip(all).zip(&lean) {
                *square += lean * lean;
                *all += lean;
            }
        }
        let mean = ground.mean + self.expected(parts);
        let (mean, own) = match own {
            Some(own) => (mean + weighed(&own.mean, &ground.own), folded(&own.known, ground)),
            None => {
                let prior = self.spread.own.iter().zip(ground.own_tiles.iter().flatten());
                (mean, prior.fold(0.0, |sum, (prior, value)| sum + prior * value * value))
            }
        };
        Score { mean, shared: total(&squares), own, noise: self.noise }
    }

    /// What the shared coefficients make of these coordinates; those that are not shared count for nothing.
    fn expected(&self, parts: &Parts) -> f64 {
        weighed(self.beta.get(..self.root.rows()).unwrap_or(&[]), parts)
    }
}

/// The rows that have begun within that panel: L⁻¹ of a coordinate begins with as many zeros as coordinates come before it.
fn begun(parts: &Parts, panel: usize) -> impl Iterator<Item = &(u16, f64)> {
    let bound = (panel + 1) * LANES;
    parts.iter().take_while(move |(place, _)| usize::from(*place) < bound)
}

/// Adds the rows of those numbers, each times its value.
#[inline(always)]
fn add_rows<'a>(sum: &mut Tile, panel: &[Tile], rows: impl Iterator<Item = &'a (u16, f64)>) {
    let mut held = *sum;
    for (row, value) in rows {
        if let Some(tile) = panel.get(usize::from(*row)) {
            add(&mut held, *value, tile);
        }
    }
    *sum = held;
}

/// The value of that coordinate.
fn value_at(parts: &Parts, place: u16) -> f64 {
    let found = parts.binary_search_by_key(&place, |(known, _)| *known).ok();
    found.and_then(|at| parts.get(at)).map_or(0.0, |(_, value)| *value)
}

/// The entries of those numbers, each times its value, added up.
fn weighed(list: &[f64], parts: &Parts) -> f64 {
    parts.iter().fold(0.0, |sum, (place, value)| {
        sum + list.get(usize::from(*place)).map_or(0.0, |entry| value * entry)
    })
}

/// xᵀ·A·x of the own coordinates' values, where `matrix` is the lower triangle of A, doubled off the diagonal.
fn folded(matrix: &Panels, ground: &Ground) -> f64 {
    let mut sum = 0.0;
    for (number, (panel, values)) in matrix.iter().zip(&ground.own_tiles).enumerate() {
        let mut rows = [0.0; LANES];
        let below = ground.own.partition_point(|(row, _)| usize::from(*row) < number * LANES);
        add_rows(&mut rows, panel, ground.own.iter().skip(below));
        sum += product(&rows, values);
    }
    sum
}
