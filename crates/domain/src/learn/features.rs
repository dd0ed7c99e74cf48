//! What a row of the regressions looks like: a few numbered coordinates with fixed-point values. Must not know their names.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The value 1, in parts of 2¹⁶.
pub const ONE: i32 = 1 << 16;
/// No value lies further from 0: a bound on what one row can add to a sum.
pub const LARGEST: f64 = 8.0;

/// The coordinates that are not 0, ascending, each with its value in parts of 2¹⁶.
///
/// Fixed point, because sums of whole numbers don't depend on the order in which they are added.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Features(Vec<(u16, i32)>);

impl Features {
    /// From coordinates and values in any order; values are rounded, held within ±`LARGEST`, and summed where a
    /// coordinate comes again. NaN counts as 0.
    pub fn new(values: impl IntoIterator<Item = (u16, f64)>) -> Self {
        let fixed =
            |value: f64| (value.clamp(-LARGEST, LARGEST) * f64::from(ONE)).round_ties_even() as i32;
        Self::from_parts(values.into_iter().map(|(place, value)| (place, fixed(value))).collect())
    }

    /// The value 1 at each of these coordinates.
    pub fn indicators(places: impl IntoIterator<Item = u16>) -> Self {
        let mut places: Vec<(u16, i32)> = places.into_iter().map(|place| (place, ONE)).collect();
        places.sort_unstable();
        places.dedup();
        Self(places)
    }

    /// From coordinates and parts of 2¹⁶ in any order; held within the bounds of any feature.
    pub fn of_parts(mut parts: Vec<(u16, i32)>) -> Self {
        let most = LARGEST as i32 * ONE;
        parts.iter_mut().for_each(|(_, value)| *value = (*value).clamp(-most, most));
        Self::from_parts(parts)
    }

    fn from_parts(mut parts: Vec<(u16, i32)>) -> Self {
        parts.sort_unstable();
        parts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        parts.retain(|(_, value)| *value != 0);
        Self(parts)
    }

    /// Both together.
    pub fn join(&self, other: &Self) -> Self {
        Self::from_parts(self.0.iter().chain(&other.0).copied().collect())
    }

    /// The coordinates with their parts of 2¹⁶, ascending.
    pub fn parts(&self) -> &[(u16, i32)] {
        &self.0
    }

    /// The coordinates with their values, ascending.
    pub fn values(&self) -> impl Iterator<Item = (u16, f64)> {
        self.0.iter().map(|(place, value)| (*place, real(*value)))
    }

    /// The coordinates below `bound`.
    pub fn below(&self, bound: usize) -> &[(u16, i32)] {
        let end = self.0.partition_point(|(place, _)| usize::from(*place) < bound);
        self.0.get(..end).unwrap_or(&[])
    }

    /// The coordinates in that range.
    pub fn within(&self, range: Range<u16>) -> &[(u16, i32)] {
        let before = |bound: u16| self.0.partition_point(|(place, _)| *place < bound);
        self.0.get(before(range.start)..before(range.end)).unwrap_or(&[])
    }

    /// The coordinates below `bound`, and the others.
    pub fn split(&self, bound: u16) -> (Self, Self) {
        let (below, others) = self.0.split_at(self.below(usize::from(bound)).len());
        (Self(below.to_vec()), Self(others.to_vec()))
    }

    /// Renumbers the coordinates; those that `places` has no number for are gone.
    pub fn renumbered(&self, places: &[Option<u16>]) -> Self {
        let moved = |(from, value): &(u16, i32)| {
            places.get(usize::from(*from)).copied().flatten().map(|to| (to, *value))
        };
        Self::from_parts(self.0.iter().filter_map(moved).collect())
    }
}

/// The value of the coordinate in an ascending list; 0 where it has none.
pub(super) fn value_at(parts: &[(u16, i32)], place: u16) -> i32 {
    let found = parts.binary_search_by_key(&place, |(known, _)| *known).ok();
    found.and_then(|at| parts.get(at)).map_or(0, |(_, value)| *value)
}

/// Parts of 2¹⁶ as a double; exact.
pub(super) fn real(parts: i32) -> f64 {
    f64::from(parts) / f64::from(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_sorted_summed_rounded_and_bounded() {
        let features = Features::new([(7, 0.5), (2, 1e9), (7, 0.25), (3, 1e-9), (4, f64::NAN)]);
        assert_eq!(features.parts(), [(2, 8 * ONE), (7, 3 * ONE / 4)]);
        assert_eq!(Features::indicators([5, 1, 5]).parts(), [(1, ONE), (5, ONE)]);
        assert_eq!(features.below(7), [(2, 8 * ONE)]);
        assert_eq!(features.within(2..7), [(2, 8 * ONE)]);
        assert_eq!(features.within(3..9), [(7, 3 * ONE / 4)]);
        let (below, others) = features.split(7);
        assert_eq!((below.parts(), others.parts()), (&[(2, 8 * ONE)][..], &[(7, 3 * ONE / 4)][..]));
        assert_eq!(value_at(features.parts(), 7), 3 * ONE / 4);
        assert_eq!(value_at(features.parts(), 6), 0);
    }

    #[test]
    fn renumbering_moves_and_drops() {
        let features = Features::indicators([0, 1, 2]);
        let places = [Some(4), None, Some(0)];
        assert_eq!(features.renumbered(&places), Features::indicators([0, 4]));
        assert_eq!(features.join(&Features::indicators([3])), Features::indicators([0, 1, 2, 3]));
    }
}
