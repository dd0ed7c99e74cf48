//! Intervals that hold at every look, not only at one that was planned. Must not be narrower for being looked at often.

use crate::learn::math::ln;

/// The chance that any of a sequence's intervals ever misses, of all looks together.
pub const MISSES: f64 = 0.05;

/// At about so many users the interval is the narrowest that it can be; before and after it is a little wider. Fixed before any
/// data were seen.
const TUNED_AT: f64 = 4_000.0;

/// An estimate with an interval around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Around the mean of `n` independent terms that has that standard error: the asymptotic confidence sequence of
    /// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Time-uniform central limit theory and asymptotic confidence
    /// sequences, Annals of Statistics 2024, theorem 2.2), from Robbins' mixture (1970). With v = n·ρ²σ² its half width is
    /// error · √((1 + v)/v · ln((1 + v)/α²)); ρ²σ² is the one that is best at `TUNED_AT`.
    pub fn always(estimate: f64, error: f64, n: f64) -> Self {
        let double = -2.0 * ln(MISSES);
        let v = n * (double + ln(double) + 1.0) / TUNED_AT;
        let half = error * ((1.0 + v) / v * ln((1.0 + v) / (MISSES * MISSES))).sqrt();
        Self { estimate, low: estimate - half, high: estimate + half }
    }

    /// The same, no further than these bounds.
    #[must_use]
    pub fn within(self, least: f64, most: f64) -> Self {
        Self { low: self.low.clamp(least, most), high: self.high.clamp(least, most), ..self }
    }

    /// The same in another unit.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let (a, b) = (self.low * factor, self.high * factor);
        Self { estimate: self.estimate * factor, low: a.min(b), high: a.max(b) }
    }
}

/// Sums of independent terms.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Terms {
    /// How many.
    pub n: f64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub square: f64,
}

impl Terms {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.square += other.square;
    }

    /// What these become where `shift` is taken off each and each is multiplied then.
    #[must_use]
    pub fn shifted(&self, shift: f64, factor: f64) -> Self {
        Self {
            n: self.n,
            sum: factor * (self.sum - self.n * shift),
            square: factor
                * factor
                * (self.square - 2.0 * shift * self.sum + self.n * shift * shift),
        }
    }

    /// Their mean with an interval that holds at every look; `None` without a term.
    pub fn mean(&self) -> Option<Interval> {
        if self.n <= 0.0 {
            return None;
        }
        let mean = self.sum / self.n;
        let variance = (self.square / self.n - mean * mean).max(0.0);
        Some(Interval::always(mean, (variance / self.n).sqrt(), self.n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    /// Worked out by another program: error, terms, half width.
    const TABLE: [(f64, f64, f64); 3] = [
        (1.0, 4000.0, 3.035446396635931),
        (0.02, 150.0, 0.10066602420767275),
        (0.003, 250000.0, 0.010531472072277854),
    ];

    #[test]
    fn half_widths_are_those_of_another_program() {
        for (error, n, half) in TABLE {
            let found = Interval::always(0.5, error, n);
            near(found.high - 0.5, half);
            near(0.5 - found.low, half);
        }
    }

    #[test]
    fn an_interval_is_wider_than_one_for_a_single_look() {
        for n in [10.0, 1e3, 4e3, 1e5, 1e8] {
            let half = Interval::always(0.0, 1.0, n).high;
            assert!((2.4..20.0).contains(&half), "{n}: {half}");
        }
    }

    #[test]
    fn terms_can_be_shifted_and_stretched_afterwards() {
        let terms = |values: &[f64]| {
            values.iter().fold(Terms::default(), |mut all, y| {
                all.add(&Terms { n: 1.0, sum: *y, square: y * y });
                all
            })
        };
        let (found, expected) =
            (terms(&[1.0, 2.0, 4.0]).shifted(0.5, -2.0), terms(&[-1.0, -3.0, -7.0]));
        near(found.sum, expected.sum);
        near(found.square, expected.square);
        assert_eq!(Terms::default().mean(), None);
        let mean = expected.mean().expect("three terms");
        near(mean.estimate, -11.0 / 3.0);
        assert_eq!(mean.times(-1.0).low, -mean.high);
        assert_eq!(mean.within(-3.0, 0.0).high.max(-3.0), mean.within(-3.0, 0.0).high);
    }
}
