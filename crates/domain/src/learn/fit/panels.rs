//! A matrix that lies as sums of its rows are taken: a few columns at a time, so that a sum is held in registers while all rows
//! are added to it. Must not know what a row stands for.

/// How many columns lie side by side. A tile is two lines of the processor's cache.
pub(super) const LANES: usize = 16;

/// So many neighbouring columns of one row.
pub(super) type Tile = [f64; LANES];

/// A matrix: the first columns of all rows, then the next ones of all rows, and so on; the last ones are filled up with 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Panels {
    rows: usize,
    tiles: Vec<Tile>,
}

impl Panels {
    /// Of a matrix that stands row by row.
    pub(super) fn of(matrix: &[f64], width: usize) -> Self {
        let rows = matrix.len() / width.max(1);
        let mut tiles = vec![[0.0; LANES]; rows * width.div_ceil(LANES)];
        for (row, line) in matrix.chunks_exact(width.max(1)).enumerate() {
            let column = tiles.iter_mut().skip(row).step_by(rows);
            for (tile, part) in column.zip(line.chunks(LANES)) {
                tile.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            }
        }
        Self { rows, tiles }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The panels from left to right, each with a tile of every row.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Tile]> {
        self.tiles.chunks_exact(self.rows.max(1))
    }

    /// The squared length of each row.
    pub(super) fn squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.rows];
        for panel in self.iter() {
            for (square, tile) in squares.iter_mut().zip(panel) {
                *square += product(tile, tile);
            }
        }
        squares
    }
}

/// Adds `factor` times `from`, column by column.
#[inline(always)]
pub(super) fn add(to: &mut Tile, factor: f64, from: &Tile) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

/// The scalar product of two rows' tiles.
#[inline(always)]
pub(super) fn product(one: &Tile, other: &Tile) -> f64 {
    let mut products = [0.0; LANES];
    for ((to, x), y) in products.iter_mut().zip(one).zip(other) {
        *to = x * y;
    }
    total(&products)
}

/// The sum over the columns: neighbours' halves on top of each other, always in this order.
#[inline(always)]
pub(super) fn total(tile: &Tile) -> f64 {
    let mut sums = *tile;
    let mut half = LANES / 2;
    while half > 0 {
        let (low, high) = sums.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(to, from)| *to += *from);
        half /= 2;
    }
    sums.first().copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn panels_hold_the_matrix(rows in 0usize..6, width in 0usize..50, seed in any::<u32>()) {
            let entry = |n: usize| f64::from((seed ^ n as u32).wrapping_mul(0x9e37_79b9) >> 20);
            let matrix: Vec<f64> = (0..rows * width).map(entry).collect();
            let panels = Panels::of(&matrix, width);
            let squares: Vec<f64> = (0..rows)
                .map(|row| matrix[row * width..][..width].iter().map(|x| x * x).sum())
                .collect();
            if width > 0 {
                // Whole numbers: no order of adding them rounds.
                prop_assert_eq!(panels.squares(), squares);
            }
            for (place, panel) in panels.iter().enumerate() {
                for (row, tile) in panel.iter().enumerate() {
                    for (lane, value) in tile.iter().enumerate() {
                        let column = place * LANES + lane;
                        let held = if column < width { matrix[row * width + column] } else { 0.0 };
                        prop_assert_eq!(*value, held);
                    }
                }
            }
        }
    }

    #[test]
    fn tiles_are_added_and_multiplied() {
        let tile: Tile = std::array::from_fn(|n| n as f64);
        let mut sum = [1.0; LANES];
        add(&mut sum, 2.0, &tile);
        assert_eq!(sum, std::array::from_fn::<f64, LANES, _>(|n| 1.0 + 2.0 * n as f64));
        assert_eq!(total(&tile), 120.0);
        assert_eq!(product(&tile, &tile), 1240.0);
    }
}
