//! What rewards are to be expected of actions, fitted to the log itself. Must not see the row that it is asked about.
//!
//! The rows are dealt into two halves, users as a whole; each half is judged by what the other one shows (cross-fitting:
//! Chernozhukov and others, 2018). What is fitted is the mean by slot and action, drawn towards the mean of all by so many rows
//! as `PRIOR` says.

use std::collections::BTreeMap;

/// The mean of all counts for so many rows of an action.
const PRIOR: f64 = 10.0;

/// Rewards summed up.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    rows: f64,
    reward: f64,
}

impl Sum {
    fn add(&mut self, reward: f64) {
        self.rows += 1.0;
        self.reward += reward;
    }
}

/// Half of the rows.
#[derive(Debug, Default)]
struct Half<'a> {
    all: Sum,
    cells: BTreeMap<(&'a str, &'a str), Sum>,
}

impl Half<'_> {
    fn expects(&self, slot: &str, action: &str) -> f64 {
        let all = if self.all.rows > 0.0 { self.all.reward / self.all.rows } else { 0.0 };
        let cell = self.cells.get(&(slot, action)).copied().unwrap_or_default();
        (cell.reward + PRIOR * all) / (cell.rows + PRIOR)
    }
}

/// In which half a cluster is. By a hash: in the order of a log, every other row may have more in common than its place.
const fn half_of(cluster: usize) -> usize {
    // Knuth's multiplicative hash; its first bit.
    ((cluster as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63) as usize
}

/// Both halves.
#[derive(Debug, Default)]
pub(super) struct Model<'a>([Half<'a>; 2]);

impl<'a> Model<'a> {
    /// Learns of a row of that cluster.
    pub(super) fn learn(
        &mut self,
        cluster: usize,
        (slot, action): (&'a str, &'a str),
        reward: f64,
    ) {
        let half = &mut self.0[half_of(cluster)];
        half.all.add(reward);
        half.cells.entry((slot, action)).or_default().add(reward);
    }

    /// What it expects of the action in a row of that cluster.
    pub(super) fn expects(&self, cluster: usize, slot: &str, action: &str) -> f64 {
        self.0[1 - half_of(cluster)].expects(slot, action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_judged_by_the_other_half() {
        let mut model = Model::default();
        model.learn(0, ("", "a"), 1.0);
        assert_eq!(model.expects(0, "", "a"), 0.0, "its own reward tells nothing");
        assert_eq!(model.expects(1, "", "a"), 1.0);
        for _ in 0..9 {
            model.learn(0, ("", "b"), 0.0);
        }
        // The mean of ten rows is 0.1; a: (1 + 10 · 0.1) / (1 + 10).
        assert!((model.expects(1, "", "a") - 2.0 / 11.0).abs() < 1e-12);
        assert!((model.expects(1, "", "c") - 0.1).abs() < 1e-12, "the mean of all");
        assert!((model.expects(1, "else", "a") - 0.1).abs() < 1e-12, "slots are apart");
    }
}
