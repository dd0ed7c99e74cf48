//! The root of a symmetric positive matrix, and systems solved with it. Must not know what the numbers mean.

use super::math::{add_scaled, dot};

/// Below this a pivot counts as this: rounding alone must not make a root of a negative number.
const LEAST_PIVOT: f64 = 1e-12;

/// The lower triangle L of A = L·Lᵀ, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cholesky {
    size: usize,
    rows: Vec<f64>,
}

impl Cholesky {
    /// The root of the matrix of `size` rows and columns whose lower triangle stands in `rows`, row by row in full
    /// length; what is above the diagonal is not read.
    pub(super) fn of(size: usize, mut rows: Vec<f64>) -> Self {
        rows.resize(size * size, 0.0);
        for place in 0..size {
            let (above, rest) = rows.split_at_mut(place * size);
            let Some(row) = rest.get_mut(..size) else { break };
            for (column, other) in above.chunks_exact(size).enumerate() {
                let (head, tail) = row.split_at_mut(column);
                let (Some(entry), Some(pivot)) = (tail.first_mut(), other.get(column)) else {
                    break;
                };
                *entry = (*entry - dot(head, other.get(..column).unwrap_or(&[]))) / pivot;
            }
            let (head, tail) = row.split_at_mut(place);
            if let Some((pivot, beyond)) = tail.split_first_mut() {
                *pivot = (*pivot - dot(head, head)).max(LEAST_PIVOT).sqrt();
                beyond.fill(0.0);
            }
        }
        Self { size, rows }
    }

    /// How many rows.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Turns x into L⁻¹·x.
    pub(super) fn forward(&self, x: &mut [f64]) {
        for (place, row) in self.rows.chunks_exact(self.size.max(1)).enumerate() {
            let (head, tail) = x.split_at_mut(place.min(x.len()));
            let known = row.get(..place).unwrap_or(&[]);
            if let (Some(entry), Some(pivot)) = (tail.first_mut(), row.get(place)) {
                *entry = (*entry - dot(known, head)) / pivot;
            }
        }
    }

    /// Turns x into L⁻ᵀ·x.
    pub(super) fn backward(&self, x: &mut [f64]) {
        for (place, row) in self.rows.chunks_exact(self.size.max(1)).enumerate().rev() {
            let (head, tail) = x.split_at_mut(place.min(x.len()));
            if let (Some(entry), Some(pivot)) = (tail.first_mut(), row.get(place)) {
                *entry /= pivot;
                add_scaled(head, -*entry, row);
            }
        }
    }

    /// Turns x into A⁻¹·x.
    pub(super) fn solve(&self, x: &mut [f64]) {
        self.forward(x);
        self.backward(x);
    }

    /// A⁻¹, row by row.
    pub(super) fn inverse(&self) -> Vec<f64> {
        let mut rows = vec![0.0; self.size * self.size];
        for (place, row) in rows.chunks_exact_mut(self.size.max(1)).enumerate() {
            if let Some(entry) = row.get_mut(place) {
                *entry = 1.0;
            }
            self.solve(row);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_root_worked_out_by_hand() {
        // (2 0; 1 3)·(2 1; 0 3) = (4 2; 2 10)
        let root = Cholesky::of(2, vec![4.0, f64::NAN, 2.0, 10.0]);
        assert_eq!(root.rows, [2.0, 0.0, 1.0, 3.0]);
        let mut x = vec![8.0, 22.0];
        root.solve(&mut x);
        assert_eq!(x, [1.0, 2.0]);
        assert_eq!(root.inverse().first().copied(), Some(10.0 / 36.0));
    }

    proptest! {
        #[test]
        fn what_is_solved_solves(
            size in 1usize..9, seed in prop::collection::vec(-1.0..1.0f64, 81), x in prop::collection::vec(-5.0..5.0f64, 9),
        ) {
            // B·Bᵀ + I is positive.
            let entry = |i: usize, j: usize| -> f64 {
                let unit = if i == j { 1.0 } else { 0.0 };
                (0..size).map(|k| seed[i * 9 + k] * seed[j * 9 + k]).sum::<f64>() + unit
            };
            let rows: Vec<f64> = (0..size * size).map(|n| entry(n / size, n % size)).collect();
            let root = Cholesky::of(size, rows.clone());
            let mut solved = x[..size].to_vec();
            root.solve(&mut solved);
            for (row, wanted) in rows.chunks_exact(size).zip(&x) {
                prop_assert!((dot(row, &solved) - wanted).abs() < 1e-9);
            }
            let inverse = root.inverse();
            for (row, wanted) in inverse.chunks_exact(size).zip(&solved) {
                prop_assert!((dot(row, &x[..size]) - wanted).abs() < 1e-9);
            }
        }
    }
}
