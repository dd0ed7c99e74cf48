//! What became of an arm's exposures, counted for ever: for tables, the nursery and the guard. Must not be weighed by age.

use serde::{Deserialize, Serialize};

use super::features::ONE;
use super::guard;
use super::lesson::{Goal, Lesson};
use super::sums::Sign;
use crate::number::{Probability, Propensity};
use crate::report::Interval;

/// The most that one row may count for in an inverse propensity mean.
const LARGEST_WEIGHT: i64 = 1 << 15;

/// Counts of one arm. Weights are inverse propensities in parts of 2¹⁶, held to 32,768.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Exposures.
    pub shown: i64,
    /// Exposures that were clicked.
    pub clicked: i64,
    /// Exposures that were dismissed.
    pub dismissed: i64,
    /// Exposures that were credited with the activation.
    pub activated: i64,
    /// Σ 1/p over exposures before activation.
    pub weight: i64,
    /// Σ 1/p over those credited.
    pub weight_activated: i64,
    /// Σ 1/p² over exposures before activation.
    pub square: i64,
    /// Σ 1/p² over those credited.
    pub square_activated: i64,
}

/// A rate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The estimate.
    pub mean: f64,
    /// Its standard error; without a claim to hold at every peek.
    pub error: f64,
}

impl Tally {
    /// Counts the lesson or takes it back.
    pub fn put(&mut self, lesson: &Lesson, sign: Sign) {
        let sign = sign.number();
        let when = |holds: bool| if holds { sign } else { 0 };
        self.shown += sign;
        self.clicked += when(lesson.click.is_some());
        self.dismissed += when(lesson.dismissed);
        if lesson.goal == Goal::Over {
            return;
        }
        let credited = when(matches!(lesson.goal, Goal::Reached(_)));
        let (weight, square) = weights(lesson.propensity);
        self.activated += credited;
        self.weight = self.weight.wrapping_add(sign * weight);
        self.weight_activated = self.weight_activated.wrapping_add(credited * weight);
        self.square = self.square.wrapping_add(sign * square);
        self.square_activated = self.square_activated.wrapping_add(credited * square);
    }

    /// Adds the other's counts.
    pub fn merge(&mut self, other: &Self) {
        self.shown += other.shown;
        self.clicked += other.clicked;
        self.dismissed += other.dismissed;
        self.activated += other.activated;
        self.weight = self.weight.wrapping_add(other.weight);
        self.weight_activated = self.weight_activated.wrapping_add(other.weight_activated);
        self.square = self.square.wrapping_add(other.square);
        self.square_activated = self.square_activated.wrapping_add(other.square_activated);
    }

    /// Whether it is proven that more of the exposures are dismissed than this share.
    pub fn annoys(&self, limit: Probability) -> bool {
        guard::evidence(self.shown, self.dismissed, limit.get()) >= guard::PROVEN
    }

    /// The rate of credited exposures, each weighed by its inverse propensity (Hájek's mean): plain means are biased, because
    /// an arm is shown more after it was lucky. `None` without an exposure.
    pub fn rate(&self) -> Option<Rate> {
        let real = |parts: i64| parts as f64 / f64::from(ONE);
        if self.weight <= 0 {
            return None;
        }
        let mean = real(self.weight_activated) / real(self.weight);
        // Σ (y - m)²/p², with y² = y.
        let spread =
            real(self.square_activated) * (1.0 - 2.0 * mean) + mean * mean * real(self.square);
        Some(Rate { mean, error: spread.max(0.0).sqrt() / real(self.weight) })
    }
}

/// An interval leans on large numbers: it is given from so many effective exposures on (Kish 1965), once so many of them were
/// credited, and so many not.
const LEAST: (f64, f64) = (200.0, 10.0);

impl Tally {
    /// The rate with an interval that holds at every look. The sum of (y - rate)/p is a martingale, however the law of the
    /// draws was learnt; its variance is what the standard error estimates. `None` while there is too little of it.
    pub fn interval(&self) -> Option<Interval> {
        let rate = self.rate()?;
        let real = |parts: i64| parts as f64 / f64::from(ONE);
        let effective = real(self.weight) * real(self.weight) / real(self.square).max(1.0);
        let credited = self.activated as f64;
        if effective < LEAST.0 || credited < LEAST.1 || effective - credited < LEAST.1 {
            return None;
        }
        Some(Interval::always(rate.mean, rate.error, effective).within(0.0, 1.0))
    }
}

/// 1/p and 1/p² in parts of 2¹⁶.
fn weights(propensity: Propensity) -> (i64, i64) {
    let one = i64::from(ONE);
    // At most 2⁴⁸: both numbers fit.
    let scale = (Propensity::SCALE as i64) * one;
    let weight = (scale / (propensity.parts() as i64).max(1)).min(LARGEST_WEIGHT * one);
    let square = (i128::from(weight) * i128::from(weight)) >> 16;
    (weight, i64::try_from(square).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::uniform_unit;
    use crate::learn::features::Features;
    use crate::report::simulated::Draws;
    use crate::time::{Millis, Timestamp};

    fn lesson(parts: u64, goal: Goal) -> Lesson {
        Lesson {
            arm: None,
            milestone: None,
            features: Features::default(),
            at: Timestamp::from_millis(0),
            propensity: Propensity::from_parts(parts).expect("a propensity"),
            click: Some(Millis::ZERO),
            dismissed: false,
            step: None,
            goal,
            activation: goal,
        }
    }

    #[test]
    fn rare_draws_weigh_more() {
        let (half, tenth) = (Propensity::SCALE / 2, Propensity::SCALE / 10);
        let mut tally = Tally::default();
        for (parts, goal) in [
            (half, Goal::Open),
            (half, Goal::Reached(Millis::days(1))),
            (tenth, Goal::Reached(Millis::days(1))),
            (tenth, Goal::Over),
        ] {
            tally.put(&lesson(parts, goal), Sign::Plus);
        }
        assert_eq!((tally.shown, tally.clicked, tally.activated), (4, 4, 2));
        let rate = tally.rate().expect("exposures");
        // 1/p: 2 and 2 and 10, of which 2 and 10 came.
        assert!((rate.mean - 12.0 / 14.0).abs() < 1e-4);
        let by_hand = |y: f64, weight: f64| ((y - 12.0 / 14.0) * weight).powi(2);
        let error = (by_hand(0.0, 2.0) + by_hand(1.0, 2.0) + by_hand(1.0, 10.0)).sqrt() / 14.0;
        assert!((rate.error - error).abs() < 1e-4, "{} {error}", rate.error);
        let twice = {
            let mut twice = tally;
            twice.merge(&tally);
            twice
        };
        assert_eq!((twice.shown, twice.rate().expect("exposures").mean), (8, rate.mean));
        assert_eq!(Tally::default().rate(), None);
    }

    /// Of 100 draws one is the arm's: its mean is right, and as exact as its standard error says.
    #[test]
    fn an_arm_that_is_drawn_once_in_a_hundred_is_judged_without_bias() {
        let hundredth = Propensity::SCALE / 100;
        let drawn = |run: u32, n: u32, of: &str, chance: f64| {
            uniform_unit(of, &[&run.to_be_bytes(), &n.to_be_bytes()]) < chance
        };
        let error = |run: u32| {
            let mut tally = Tally::default();
            for n in (0..20_000).filter(|n| drawn(run, *n, "draw", 0.01)) {
                let came = drawn(run, n, "reward", 0.2);
                let goal = if came { Goal::Reached(Millis::ZERO) } else { Goal::Open };
                tally.put(&lesson(hundredth, goal), Sign::Plus);
            }
            let rate = tally.rate().expect("exposures");
            (rate.mean - 0.2) / rate.error
        };
        let errors: Vec<f64> = (0..40).map(error).collect();
        let mean = errors.iter().sum::<f64>() / 40.0;
        assert!(mean.abs() < 2.0 / 40f64.sqrt(), "{mean} standard errors");
        let square = errors.iter().map(|error| error * error).sum::<f64>() / 40.0;
        assert!((0.5..1.7).contains(&square), "{square}");
    }

    /// Wordings that don't differ, drawn by what was lucky so far, and looked at every day: in at most one of twenty
    /// installations is an interval of some wording's ever wrong. The standard error alone would be wrong in most.
    #[test]
    fn looking_every_day_misleads_about_a_wording_in_one_of_twenty_installations() {
        let (mut ours, mut plain) = (0, 0);
        for run in 0..400 {
            let mut draws = Draws(7_000 + run);
            let mut tally = [Tally::default(); 2];
            let mut found = [false; 2];
            for n in 0..12_000u32 {
                let plain_rate = |t: &Tally| (t.activated as f64 + 1.0) / (t.shown as f64 + 10.0);
                // The better-looking one has nine draws of ten.
                let best = usize::from(plain_rate(&tally[1]) > plain_rate(&tally[0]));
                let arm = if draws.unit() < 0.1 { 1 - best } else { best };
                let share = if arm == best { 9 } else { 1 };
                let came = draws.unit() < 0.1;
                let goal = if came { Goal::Reached(Millis::ZERO) } else { Goal::Open };
                tally[arm].put(&lesson(Propensity::SCALE / 10 * share, goal), Sign::Plus);
                if n % 200 == 199 {
                    let misses = |i: Interval| i.low > 0.1 || i.high < 0.1;
                    found[0] |= tally.iter().filter_map(Tally::interval).any(misses);
                    let enough = tally.iter().filter(|t| t.interval().is_some());
                    let off = |r: Rate| (r.mean - 0.1).abs() > 1.96 * r.error;
                    found[1] |= enough.filter_map(Tally::rate).any(off);
                }
            }
            ours += u32::from(found[0]);
            plain += u32::from(found[1]);
        }
        println!("{ours} of 400 misled, {plain} by the standard error alone");
        assert!(ours <= 20, "{ours}");
        assert!(plain > 100, "the runs could not tell: {plain}");
    }

    #[test]
    fn an_interval_waits_for_enough() {
        let mut tally = Tally::default();
        let mut put = |parts, goal, times| {
            (0..times).for_each(|_| tally.put(&lesson(parts, goal), Sign::Plus));
            tally.interval()
        };
        assert_eq!(put(Propensity::SCALE, Goal::Open, 500), None);
        assert_eq!(put(Propensity::SCALE, Goal::Reached(Millis::ZERO), 9), None);
        let interval = put(Propensity::SCALE, Goal::Reached(Millis::ZERO), 1).expect("enough");
        assert!((interval.estimate - 10.0 / 510.0).abs() < 1e-12);
        assert!(interval.low >= 0.0 && interval.low < interval.estimate);
        // One exposure of a chance of a thousandth outweighs all others.
        assert_eq!(put(Propensity::SCALE / 1_000, Goal::Open, 1), None);
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut tally = Tally::default();
        for parts in [1, 77, Propensity::SCALE] {
            tally.put(&lesson(parts, Goal::Reached(Millis::ZERO)), Sign::Plus);
            tally.put(&lesson(parts, Goal::Reached(Millis::ZERO)), Sign::Minus);
        }
        assert_eq!(tally, Tally::default());
    }
}
