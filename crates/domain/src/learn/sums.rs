//! The sufficient statistics of one regression: sums of whole numbers, so that rows can come in any order, be taken back
//! exactly, and be added up from several nodes. Must not weigh a row by its age: that is for those who read the sums.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, Slot};
use super::delay::{self, BINS};
use super::features::{Features, value_at};
use super::key::{Key, KeyRef};
use crate::time::{Millis, Timestamp};

/// Which coordinates a regression has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// How many shared coordinates: those below this number. Coordinate 0 is 1 in every row.
    pub size: usize,
    /// The coordinates, shared ones or others, in which each key has an effect of its own.
    pub own: Vec<u16>,
}

/// One observation.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Whose own effect it bears on.
    pub key: KeyRef<'a>,
    /// What it looks like.
    pub features: &'a Features,
    /// When it began.
    pub at: Timestamp,
    /// How long after that the outcome came; `None` where it has not.
    pub outcome: Option<Millis>,
    /// Within which time it can come at all.
    pub horizon: Millis,
}

/// Whether a row comes in or is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It comes in.
    Plus,
    /// It is taken back.
    Minus,
}

impl Sign {
    /// 1 or -1.
    pub const fn number(self) -> i64 {
        match self {
            Self::Plus => 1,
            Self::Minus => -1,
        }
    }
}

/// The sums of one regression, by slot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Slots that have a row.
    pub slots: BTreeMap<Slot, Cell>,
}

/// The sums of one slot. A feature's value counts in parts of 2¹⁶, a product of two in parts of 2³².
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cell {
    /// How many rows.
    pub rows: i64,
    /// The sum of their times, in seconds since 1970.
    pub seconds: i64,
    /// Σ φφᵀ: the lower triangle, row by row.
    pub gram: Vec<i64>,
    /// Σ φ over rows whose outcome came.
    pub hits: Vec<i64>,
    /// How many outcomes came, by the age that the row had then.
    pub delays: [i64; BINS],
    /// What each key has of its own.
    pub own: BTreeMap<Key, Own>,
}

/// The sums of one key in one slot; ψ are the coordinates that the shape calls a key's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Own {
    /// How many rows.
    pub rows: i64,
    /// Σ ψφᵀ, row by row: one row for each own coordinate.
    pub cross: Vec<i64>,
    /// Σ ψψᵀ: the lower triangle, row by row.
    pub gram: Vec<i64>,
    /// Σ ψ over rows whose outcome came.
    pub hits: Vec<i64>,
}

impl Sums {
    /// Adds the row or takes it back, in the slot where it belongs once `newest` was seen.
    pub fn put(&mut self, shape: &Shape, slot: Slot, row: &Row<'_>, sign: Sign) {
        let cell = self.slots.entry(slot).or_default();
        cell.put(shape, row, sign.number());
        if cell.is_nothing() {
            self.slots.remove(&slot);
        }
    }

    /// Lets slots flow on to where they belong once `newest` was seen.
    pub fn settle(&mut self, calendar: &Calendar, newest: Timestamp) {
        let moves: Vec<(Slot, Option<Slot>)> = self
            .slots
            .keys()
            .map(|slot| (*slot, calendar.settled(*slot, newest)))
            .filter(|(from, to)| Some(*from) != *to)
            .collect();
        for (from, to) in moves {
            if let (Some(cell), Some(to)) = (self.slots.remove(&from), to) {
                self.add_cell(to, &cell);
            }
        }
    }

    /// Adds all rows of the other, which must be settled to the same newest time.
    pub fn merge(&mut self, other: &Self) {
        for (slot, cell) in &other.slots {
            self.add_cell(*slot, cell);
        }
    }

    fn add_cell(&mut self, slot: Slot, cell: &Cell) {
        let known = self.slots.entry(slot).or_default();
        known.merge(cell);
        if known.is_nothing() {
            self.slots.remove(&slot);
        }
    }

    /// The same in another shape: each coordinate moves to the place that `places` has for it, or is dropped.
    pub fn renumbered(&self, from: &Shape, to: &Shape, places: &[Option<u16>]) -> Self {
        let slots = self.slots.iter();
        Self {
            slots: slots.map(|(slot, cell)| (*slot, cell.renumbered(from, to, places))).collect(),
        }
    }

    /// How many rows.
    pub fn rows(&self) -> i64 {
        self.slots.values().map(|cell| cell.rows).sum()
    }
}

impl Cell {
    /// Whether every sum is 0. As many rows can have come as were taken back, and be others: then there are none, and yet
    /// something is to be added.
    fn is_nothing(&self) -> bool {
        let Self { rows, seconds, gram, hits, delays, own } = self;
        let numbers = gram.iter().chain(hits).chain(delays).chain([seconds]);
        *rows == 0 && own.is_empty() && are_zero(numbers)
    }

    fn put(&mut self, shape: &Shape, row: &Row<'_>, sign: i64) {
        let parts = row.features.below(shape.size);
        let runs = &runs_of(parts);
        self.rows += sign;
        let seconds = row.at.as_millis().div_euclid(1_000);
        self.seconds = self.seconds.wrapping_add(sign.wrapping_mul(seconds));
        add_products(&mut self.gram, shape.size, runs, sign);
        self.hits.resize(shape.size, 0);
        if let Some(after) = row.outcome {
            add_values(&mut self.hits, runs, sign);
            if let Some(count) = self.delays.get_mut(delay::bin(after, row.horizon)) {
                *count += sign;
            }
        }
        self.put_own(shape, row, runs, sign);
    }

    fn put_own(&mut self, shape: &Shape, row: &Row<'_>, runs: &[Run<'_>], sign: i64) {
        let own = self.own.entry(row.key.into()).or_default();
        own.put(shape, row, runs, sign);
        if own.is_nothing() {
            self.own.remove(&row.key.into());
        }
    }

    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.seconds = self.seconds.wrapping_add(other.seconds);
        add_all(&mut self.gram, &other.gram);
        add_all(&mut self.hits, &other.hits);
        for (count, more) in self.delays.iter_mut().zip(&other.delays) {
            *count += more;
        }
        for (key, own) in &other.own {
            let known = self.own.entry(key.clone()).or_default();
            known.rows += own.rows;
            add_all(&mut known.cross, &own.cross);
            add_all(&mut known.gram, &own.gram);
            add_all(&mut known.hits, &own.hits);
            if known.is_nothing() {
                self.own.remove(key);
            }
        }
    }

    fn renumbered(&self, from: &Shape, to: &Shape, places: &[Option<u16>]) -> Self {
        let own = |(key, own): (&Key, &Own)| (key.clone(), own.renumbered(from, to, places));
        Self {
            gram: moved_triangle(&self.gram, to.size, places),
            hits: moved(&self.hits, to.size, places),
            own: self.own.iter().map(own).collect(),
            ..self.clone()
        }
    }

    /// The mean time of its rows.
    pub fn mean_time(&self) -> Timestamp {
        let seconds = self.seconds.checked_div(self.rows).unwrap_or(0);
        Timestamp::from_millis(seconds.saturating_mul(1_000))
    }

    /// How many outcomes came.
    pub fn outcomes(&self) -> i64 {
        self.delays.iter().sum()
    }
}

impl Own {
    fn is_nothing(&self) -> bool {
        let Self { rows, cross, gram, hits } = self;
        *rows == 0 && are_zero(cross.iter().chain(gram).chain(hits))
    }

    fn put(&mut self, shape: &Shape, row: &Row<'_>, runs: &[Run<'_>], sign: i64) {
        let value = |place: &u16| value_at(row.features.parts(), *place);
        let own: Vec<(u16, i32)> = (0u16..).zip(shape.own.iter().map(value)).collect();
        self.rows += sign;
        let own_runs = &runs_of(&own);
        add_products(&mut self.gram, own.len(), own_runs, sign);
        self.cross.resize(own.len() * shape.size, 0);
        self.hits.resize(own.len(), 0);
        let crosses = self.cross.chunks_exact_mut(shape.size.max(1));
        for (cross, (_, value)) in crosses.zip(&own).filter(|(_, (_, value))| *value != 0) {
            add_values(cross, runs, sign * i64::from(*value));
        }
        if row.outcome.is_some() {
            add_values(&mut self.hits, own_runs, sign);
        }
    }
}

impl Own {
    fn renumbered(&self, from: &Shape, to: &Shape, places: &[Option<u16>]) -> Self {
        let new = |place: &u16| places.get(usize::from(*place)).copied().flatten();
        let row_of = |place: &u16| from.own.iter().position(|old| new(old) == Some(*place));
        let own: Vec<Option<u16>> = from
            .own
            .iter()
            .map(|old| to.own.iter().position(|place| new(old) == Some(*place)).map(|at| at as u16))
            .collect();
        let rows = to.own.iter().map(|place| {
            let row =
                row_of(place).and_then(|at| self.cross.chunks_exact(from.size.max(1)).nth(at));
            moved(row.unwrap_or(&[]), to.size, places)
        });
        Self {
            rows: self.rows,
            cross: rows.flatten().collect(),
            gram: moved_triangle(&self.gram, to.own.len(), &own),
            hits: moved(&self.hits, to.own.len(), &own),
        }
    }
}

/// The sums at their new places.
fn moved(sums: &[i64], size: usize, places: &[Option<u16>]) -> Vec<i64> {
    let mut moved = vec![0; size];
    for (sum, place) in sums.iter().zip(places) {
        let entry = place.and_then(|place| moved.get_mut(usize::from(place)));
        entry.into_iter().for_each(|entry| *entry = *sum);
    }
    moved
}

/// The same for a lower triangle.
fn moved_triangle(sums: &[i64], size: usize, places: &[Option<u16>]) -> Vec<i64> {
    let mut moved = vec![0; triangle(size)];
    for (row, new_row) in places.iter().enumerate() {
        let known = sums.iter().skip(triangle(row));
        for (sum, new_column) in known.zip(places).take(row + 1) {
            let (Some(a), Some(b)) = (new_row, new_column) else { continue };
            let place = triangle(usize::from(*a.max(b))) + usize::from(*a.min(b));
            moved.get_mut(place).into_iter().for_each(|entry| *entry = *sum);
        }
    }
    moved
}

/// How many entries a lower triangle has before the row of that number.
pub(super) const fn triangle(row: usize) -> usize {
    row * (row + 1) / 2
}

fn are_zero<'a>(mut sums: impl Iterator<Item = &'a i64>) -> bool {
    sums.all(|sum| *sum == 0)
}

/// Values of coordinates that follow each other. A dense row is one of them, and added to sums without a look at each place.
type Run<'a> = &'a [(u16, i32)];

fn runs_of(parts: &[(u16, i32)]) -> Vec<Run<'_>> {
    parts.chunk_by(|(place, _), (next, _)| place.saturating_add(1) == *next).collect()
}

fn add_products(gram: &mut Vec<i64>, size: usize, runs: &[Run<'_>], sign: i64) {
    gram.resize(triangle(size), 0);
    for (place, value) in runs.iter().copied().flatten().filter(|(_, value)| *value != 0) {
        let place = usize::from(*place);
        // The row ends at the diagonal, and so do the runs.
        let row = gram.get_mut(triangle(place)..triangle(place + 1)).unwrap_or(&mut []);
        add_values(row, runs, i64::from(*value) * sign);
    }
}

fn add_values(sums: &mut [i64], runs: &[Run<'_>], factor: i64) {
    for run in runs {
        let from = run.first().map_or(0, |(place, _)| usize::from(*place));
        let Some(sums) = sums.get_mut(from..) else { return };
        for (entry, (_, value)) in sums.iter_mut().zip(*run) {
            *entry = entry.wrapping_add(factor.wrapping_mul(i64::from(*value)));
        }
    }
}

/// Sums wrap around where they overflow (after two thousand million rows in one slot), so that they still can be taken back.
fn add_all(sums: &mut Vec<i64>, more: &[i64]) {
    if sums.len() < more.len() {
        sums.resize(more.len(), 0);
    }
    for (entry, more) in sums.iter_mut().zip(more) {
        *entry = entry.wrapping_add(*more);
    }
}
