//! Pairs of a situation's and an arm's coordinates: what one kind of guide does for one kind of user. Must not say what a pair
//! is worth: `fit` finds that out, and shrinks those that nothing speaks for.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::features::{Features, LARGEST, ONE};

/// Coordinates that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    pub from: u16,
    /// Behind the last.
    pub to: u16,
}

impl Span {
    /// How many there are.
    pub fn count(self) -> usize {
        usize::from(self.to.saturating_sub(self.from))
    }

    fn holds(self, place: u16) -> bool {
        (self.from..self.to).contains(&place)
    }
}

/// Two blocks of coordinates, each of the first with each of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// A situation's.
    pub context: Span,
    /// An arm's.
    pub arms: Span,
}

impl Crossing {
    /// How many pairs there are.
    pub fn count(self) -> usize {
        self.context.count() * self.arms.count()
    }

    /// The number of that pair among this crossing's.
    fn number(self, context: u16, arm: u16) -> Option<u16> {
        let both = self.context.holds(context) && self.arms.holds(arm);
        both.then(|| {
            (context - self.context.from) * self.arms.count() as u16 + arm - self.arms.from
        })
    }
}

/// The pairs of a space: coordinates after all that have a name, crossing by crossing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Crossings {
    /// The first pair's coordinate.
    from: u16,
    blocks: Vec<Crossing>,
}

impl Crossings {
    /// Pairs whose coordinates begin there.
    pub fn new(from: u16, blocks: Vec<Crossing>) -> Self {
        // Without pairs it does not matter where they would begin.
        if blocks.is_empty() { Self::default() } else { Self { from, blocks } }
    }

    /// How many pairs there are.
    pub fn count(&self) -> usize {
        self.blocks.iter().map(|block| block.count()).sum()
    }

    /// The coordinates of each crossing's pairs.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.placed().map(|(from, block)| {
            let from = usize::from(from);
            from..from + block.count()
        })
    }

    /// All pairs with their coordinates.
    pub fn all(&self) -> impl Iterator<Item = ((u16, u16), u16)> {
        self.placed().flat_map(|(from, block)| {
            let contexts = block.context.from..block.context.to;
            let pairs = contexts
                .flat_map(move |one| (block.arms.from..block.arms.to).map(move |arm| (one, arm)));
            pairs.zip(from..)
        })
    }

    /// The coordinate of that pair.
    pub fn place(&self, context: u16, arm: u16) -> Option<u16> {
        self.placed().find_map(|(from, block)| Some(from + block.number(context, arm)?))
    }

    /// A row with its pairs: both a situation's coordinates and an arm's are in it.
    pub fn crossed<'a>(&self, row: &'a Features) -> Cow<'a, Features> {
        if self.blocks.is_empty() {
            return Cow::Borrowed(row);
        }
        let mut parts = row.parts().to_vec();
        self.each_pair(row, row, |place, value| parts.push((place, value)));
        Cow::Owned(Features::of_parts(parts))
    }

    /// Tells all pairs that an arm's coordinates make in that situation, ascending: the coordinate and its value in parts of
    /// 2¹⁶, within the bounds of any feature.
    pub fn each_pair(&self, context: &Features, arm: &Features, mut tell: impl FnMut(u16, i32)) {
        for (from, block) in self.placed() {
            let arms = arm.within(block.arms.from..block.arms.to);
            for (one, value) in context.within(block.context.from..block.context.to) {
                for (other, factor) in arms {
                    if let Some(number) = block.number(*one, *other) {
                        tell(from + number, product(*value, *factor));
                    }
                }
            }
        }
    }

    /// The crossings, each with its first pair's coordinate.
    fn placed(&self) -> impl Iterator<Item = (u16, Crossing)> {
        self.blocks.iter().scan(self.from, |next, block| {
            let from = *next;
            *next += block.count() as u16;
            Some((from, *block))
        })
    }
}

/// Of parts of 2¹⁶, in parts of 2¹⁶, rounded down and held within the bounds of any feature: exact where one of them is a whole
/// number.
fn product(one: i32, other: i32) -> i32 {
    let most = LARGEST as i64 * i64::from(ONE);
    (i64::from(one) * i64::from(other)).div_euclid(i64::from(ONE)).clamp(-most, most) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coordinates 1 and 2 of situations with 5 to 7 of arms, and 3 with 5 to 7.
    fn crossings() -> Crossings {
        let arms = Span { from: 5, to: 8 };
        let contexts = [Span { from: 1, to: 3 }, Span { from: 3, to: 4 }];
        Crossings::new(8, contexts.map(|context| Crossing { context, arms }).to_vec())
    }

    #[test]
    fn each_pair_has_a_coordinate_of_its_own() {
        let crossings = crossings();
        assert_eq!(crossings.count(), 9);
        assert_eq!(crossings.ranges().collect::<Vec<_>>(), [8..14, 14..17]);
        let places: Vec<u16> = crossings.all().map(|(_, place)| place).collect();
        assert_eq!(places, (8..17).collect::<Vec<_>>());
        for ((context, arm), place) in crossings.all() {
            assert_eq!(crossings.place(context, arm), Some(place));
        }
        assert_eq!((crossings.place(0, 5), crossings.place(1, 4)), (None, None));
    }

    #[test]
    fn a_row_has_the_products_of_what_is_in_it() {
        let row = Features::new([(0, 1.0), (2, 0.5), (3, -2.0), (4, 1.0), (6, 1.0), (7, 0.25)]);
        let pairs = [(12, 0.5), (13, 0.125), (15, -2.0), (16, -0.5)];
        let expected = row.join(&Features::new(pairs));
        assert_eq!(crossings().crossed(&row).as_ref(), &expected);
        let (context, arm) = row.split(4);
        let crossings = crossings();
        let mut pairs = Vec::new();
        crossings.each_pair(&context, &arm, |place, value| pairs.push((place, value)));
        assert!(pairs.is_sorted());
        assert_eq!(context.join(&arm).join(&Features::of_parts(pairs)), expected);
    }

    #[test]
    fn without_crossings_a_row_is_what_it_was() {
        let row = Features::indicators([0, 2, 6]);
        assert!(matches!(Crossings::default().crossed(&row), Cow::Borrowed(same) if *same == row));
    }

    #[test]
    fn products_stay_within_the_bounds_of_any_feature() {
        let row = Features::new([(1, 8.0), (5, 8.0)]);
        assert_eq!(crossings().crossed(&row).as_ref(), &row.join(&Features::new([(8, 8.0)])));
    }
}
