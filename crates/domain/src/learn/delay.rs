//! How long outcomes take: the share of those that will come at all that has come by a given age. Must not look at arms.
//!
//! What is known of a young row is whether its outcome came by now. A late outcome can't be seen in it, so the delays that are
//! seen are too short. Kaplan and Meier's estimator in reversed time (Lagakos, Barraj and De Gruttola 1988) sets that
//! right: an age is judged by those rows alone that are old enough to show it. Once all are, it is the plain share.

use crate::time::Millis;

/// How many ages the delays are counted by.
pub const BINS: usize = 10;
/// The ages, as shares of the horizon: for a week 3, 6 and 12 hours, then days.
const AGES: [f64; BINS] = [
    1.0 / 56.0,
    1.0 / 28.0,
    1.0 / 14.0,
    1.0 / 7.0,
    2.0 / 7.0,
    3.0 / 7.0,
    4.0 / 7.0,
    5.0 / 7.0,
    6.0 / 7.0,
    1.0,
];
/// How many mature outcomes the first guess counts for: half of all within a fifth of the horizon.
const GUESS: f64 = 4.0;

/// The bin of an outcome that came that long after its row began; the last one beyond the horizon.
pub fn bin(after: Millis, horizon: Millis) -> usize {
    let share = after.get() as f64 / (horizon.get() as f64).max(1.0);
    AGES.iter().position(|age| share <= *age).unwrap_or(BINS - 1)
}

/// The outcomes of some rows of about one age.
#[derive(Debug, Clone, Copy)]
pub struct Cohort {
    /// How old the rows are.
    pub age: Millis,
    /// How much they count.
    pub weight: f64,
    /// Their outcomes by bin.
    pub delays: [i64; BINS],
}

/// The share of outcomes that come by an age.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    horizon: f64,
    shares: [f64; BINS],
}

impl Curve {
    /// The curve that these cohorts and the first guess speak for.
    pub fn of(cohorts: &[Cohort], horizon: Millis) -> Self {
        let horizon = horizon.get() as f64;
        let mut shares = [1.0; BINS];
        let mut share = 1.0;
        // By what share those who came by an age grow from the age before it, from the horizon down.
        for bin in (0..BINS).rev() {
            if let Some(entry) = shares.get_mut(bin) {
                *entry = share;
            }
            let (by, within) = counted(cohorts, horizon, bin);
            share *= 1.0 - within / by;
        }
        Self { horizon, shares }
    }

    /// The share that has come by that age, in [0, 1]; straight lines between the fixed ages.
    pub fn at(&self, age: Millis) -> f64 {
        let age = age.get() as f64;
        if age >= self.horizon {
            return 1.0;
        }
        let part = age / self.horizon;
        let (mut from, mut low) = (0.0, 0.0);
        for (to, high) in AGES.iter().zip(&self.shares) {
            if part < *to {
                return low + (high - low) * (part - from) / (to - from);
            }
            (from, low) = (*to, *high);
        }
        1.0
    }
}

/// Among rows that are old enough to show the bin: how many outcomes came by its end, and how many within it.
fn counted(cohorts: &[Cohort], horizon: f64, bin: usize) -> (f64, f64) {
    let end = AGES.get(bin).copied().unwrap_or(1.0);
    let start = bin.checked_sub(1).and_then(|bin| AGES.get(bin)).copied().unwrap_or(0.0);
    let (mut by, mut within) = (GUESS * guess(end), GUESS * (guess(end) - guess(start)));
    for cohort in cohorts.iter().filter(|cohort| cohort.age.get() as f64 >= end * horizon) {
        let came: i64 = cohort.delays.iter().take(bin + 1).sum();
        by += cohort.weight * came as f64;
        within += cohort.weight * cohort.delays.get(bin).map_or(0.0, |count| *count as f64);
    }
    (by, within)
}

/// 1 - (1 - x)³: early outcomes are the likelier ones.
fn guess(part: f64) -> f64 {
    let rest = 1.0 - part;
    1.0 - rest * rest * rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Millis = Millis::days(7);

    fn cohort(age: Millis, delays: [i64; BINS]) -> Cohort {
        Cohort { age, weight: 1.0, delays }
    }

    #[test]
    fn ages_have_bins() {
        let table = [(0, 0), (3, 0), (4, 1), (24, 3), (25, 4), (24 * 7, 9), (24 * 30, 9)];
        for (hours, expected) in table {
            assert_eq!(bin(Millis::hours(hours), WEEK), expected, "{hours} h");
        }
        assert_eq!(bin(Millis::ZERO, Millis::ZERO), 0);
    }

    #[test]
    fn mature_rows_give_the_plain_shares() {
        let delays = [0, 0, 0, 500_000, 0, 0, 0, 0, 0, 500_000];
        let curve = Curve::of(&[cohort(Millis::days(9), delays)], WEEK);
        assert!((curve.at(Millis::days(1)) - 0.5).abs() < 1e-4);
        assert!((curve.at(Millis::days(6)) - 0.5).abs() < 1e-4);
        assert!((curve.at(Millis::hours(6 * 24 + 12)) - 0.75).abs() < 1e-4);
        assert_eq!(curve.at(Millis::days(8)), 1.0);
    }

    #[test]
    fn young_rows_speak_for_their_own_ages_alone() {
        // Old: 300 by day 1 and 300 later. Young, two days old: 600 by day 1. By hand, without the guess: the later
        // half is judged by the old rows alone, so one half has come by day 1, not three quarters.
        let (old, young) =
            ([0, 0, 0, 300_000, 0, 0, 0, 0, 0, 300_000], [0, 0, 0, 600_000, 0, 0, 0, 0, 0, 0]);
        let curve =
            Curve::of(&[cohort(Millis::days(9), old), cohort(Millis::days(2), young)], WEEK);
        assert!((curve.at(Millis::days(1)) - 0.5).abs() < 1e-3, "{}", curve.at(Millis::days(1)));
    }

    #[test]
    fn without_outcomes_it_is_the_guess_and_it_never_falls() {
        let curve = Curve::of(&[], WEEK);
        let mut last = 0.0;
        for hours in 0..200 {
            let share = curve.at(Millis::hours(hours));
            assert!((last..=1.0).contains(&share), "{hours}: {share}");
            last = share;
        }
        let half = curve.at(Millis::hours(34));
        assert!((half - 0.49).abs() < 0.02, "{half}");
        assert_eq!(Curve::of(&[], Millis::ZERO).at(Millis::ZERO), 1.0);
    }
}
