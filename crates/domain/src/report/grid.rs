//! The bins of time after signup that reports count in. Must cover the window exactly.

use crate::time::Millis;

/// The upper ends of bins, ascending; the last is the window. A bin holds its upper end and not its lower one; the first holds
/// zero, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid(Vec<Millis>);

const MINUTES: [u64; 10] = [1, 2, 3, 5, 7, 10, 15, 20, 30, 45];
const HALF_HOURS: [u64; 11] = [2, 3, 4, 6, 8, 12, 16, 24, 32, 36, 48];
const DAYS: [u64; 28] = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 21, 25, 30, 37, 45, 52, 60, 75, 90, 120, 150,
    180, 270, 365,
];

impl Grid {
    /// Bins up to that window: each at most about half as wide again as what lies before it, and a day at most in the first
    /// fortnight.
    pub fn new(window: Millis) -> Self {
        let minutes = MINUTES.into_iter().map(Millis::minutes);
        let half_hours = HALF_HOURS.into_iter().map(|n| Millis::minutes(30 * n));
        let days = DAYS.into_iter().map(Millis::days);
        let all = minutes.chain(half_hours).chain(days);
        let mut edges: Vec<Millis> = all.filter(|edge| *edge < window).collect();
        edges.push(window);
        Self(edges)
    }

    /// The upper ends.
    pub fn edges(&self) -> &[Millis] {
        &self.0
    }

    /// The last of them.
    pub fn window(&self) -> Millis {
        self.0.last().copied().unwrap_or_default()
    }

    /// How many bins there are.
    pub fn bins(&self) -> u8 {
        // There are at most 50.
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }

    /// The number of the bin; `bins` for what is longer than the window.
    pub fn bin(&self, after: Millis) -> u8 {
        u8::try_from(self.0.partition_point(|edge| *edge < after)).unwrap_or(u8::MAX)
    }

    /// The bins with their ends, in order.
    pub fn spans(&self) -> impl Iterator<Item = (Millis, Millis)> {
        let starts = std::iter::once(Millis::ZERO).chain(self.0.iter().copied());
        starts.zip(self.0.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_end_with_the_window_and_ascend() {
        for window in
            [Millis::ZERO, Millis::new(5), Millis::hours(5), Millis::days(7), Millis::days(4_000)]
        {
            let grid = Grid::new(window);
            assert_eq!(grid.window(), window);
            assert!(grid.edges().is_sorted_by(|a, b| a < b), "{window}");
            assert!(grid.bins() <= 50);
            for (n, (from, to)) in (0u8..).zip(grid.spans()).filter(|(_, (from, to))| from < to) {
                assert_eq!(grid.bin(to), n);
                assert_eq!(grid.bin(Millis::new(from.get() + 1)), n);
            }
            assert_eq!(grid.bin(Millis::ZERO), 0);
            assert_eq!(grid.bin(Millis::new(window.get() + 1)), grid.bins());
        }
    }
}
