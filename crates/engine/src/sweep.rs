//! How far each band of the stored users stands for the log, so that a pass over many users moves the watermark on its
//! way. Must not read or write users.

use pilotage_domain::event::Position;

use crate::port::store::RowId;

/// Rows in a band: enough that neighbours share pages and commits.
const BAND: u64 = 65_536;

/// The bands: users by row, the last one without an end, and with those who have no row yet.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// Every change of a band's users up to here is stored.
    stored: Vec<Position>,
    newest: RowId,
}

impl Sweep {
    /// One band, over profiles that stand for that position.
    pub(crate) fn new(stored: Position) -> Self {
        Self { stored: vec![stored], newest: RowId(0) }
    }

    /// Takes note of rows: a pass that begins divides them. A band that is new holds users of the last one until now.
    pub(crate) fn begin(&mut self) -> usize {
        let bands = usize::try_from(self.newest.0 / BAND).map_or(1, |full| full + 1);
        let last = self.stored.last().copied().unwrap_or_default();
        self.stored.resize(bands.max(self.stored.len()), last);
        self.stored.len()
    }

    /// Whether a user in that row belongs to the band.
    pub(crate) fn holds(&self, band: usize, row: Option<RowId>) -> bool {
        let place = row.and_then(|row| usize::try_from(row.0 / BAND).ok()).unwrap_or(usize::MAX);
        place.min(self.stored.len() - 1) == band
    }

    /// What all stored profiles stand for once that band's changes up to `position` are stored.
    pub(crate) fn with(&self, band: usize, position: Position) -> Position {
        let others = self.stored.iter().enumerate().filter(|(place, _)| *place != band);
        others.map(|(_, stored)| *stored).fold(position, Position::min)
    }

    /// The band's changes up to `position` are stored.
    pub(crate) fn stored(&mut self, band: usize, position: Position) {
        if let Some(stored) = self.stored.get_mut(band) {
            *stored = position;
        }
    }

    /// A user has that row.
    pub(crate) fn saw(&mut self, row: RowId) {
        self.newest = self.newest.max(row);
    }

    /// A pass was broken off: bands that it has done stand no longer before those that it has not, which a later
    /// division could not tell from each other.
    pub(crate) fn broken_off(&mut self) {
        let least = self.stored.iter().copied().min().unwrap_or_default();
        self.stored.fill(least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: u64) -> Option<RowId> {
        Some(RowId(n))
    }

    #[test]
    fn every_row_is_in_one_band_and_the_unknown_in_the_last() {
        let mut sweep = Sweep::new(Position(0));
        assert_eq!(sweep.begin(), 1);
        assert!(sweep.holds(0, row(7)) && sweep.holds(0, row(9 * BAND)) && sweep.holds(0, None));
        sweep.saw(RowId(2 * BAND + 1));
        sweep.saw(RowId(5));
        assert_eq!(sweep.begin(), 3);
        for (of, band) in [(row(0), 0), (row(BAND), 1), (row(9 * BAND), 2), (None, 2)] {
            let holding: Vec<usize> = (0..3).filter(|band| sweep.holds(*band, of)).collect();
            assert_eq!(holding, [band], "{of:?}");
        }
    }

    #[test]
    fn the_watermark_is_that_of_the_band_that_is_furthest_behind() {
        let mut sweep = Sweep::new(Position(10));
        sweep.saw(RowId(2 * BAND));
        sweep.begin();
        assert_eq!(sweep.with(0, Position(20)), Position(10));
        for (band, position) in [(0, 20), (1, 25), (2, 30)] {
            sweep.stored(band, Position(position));
        }
        assert_eq!(sweep.with(0, Position(40)), Position(25));
        assert_eq!(sweep.with(2, Position(40)), Position(20));
    }

    #[test]
    fn what_moves_between_bands_is_never_taken_for_stored() {
        let mut sweep = Sweep::new(Position(10));
        sweep.begin();
        sweep.stored(0, Position(20));
        sweep.saw(RowId(BAND));
        sweep.begin();
        assert_eq!(sweep.with(0, Position(90)), Position(20), "the new band was part of the old");
        sweep.stored(0, Position(90));
        sweep.broken_off();
        assert_eq!(sweep.with(1, Position(99)), Position(20), "the first band counts again");
    }
}
