//! Instants and lengths of time in milliseconds. Must not read a clock.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A length of time in milliseconds, never negative.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(u64);

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// That many milliseconds.
    pub const fn new(ms: u64) -> Self {
        Self(ms)
    }
    /// That many seconds.
    pub const fn seconds(n: u64) -> Self {
        Self(n.saturating_mul(1_000))
    }
    /// That many minutes.
    pub const fn minutes(n: u64) -> Self {
        Self::seconds(n.saturating_mul(60))
    }
    /// That many hours.
    pub const fn hours(n: u64) -> Self {
        Self::minutes(n.saturating_mul(60))
    }
    /// That many days of 24 hours.
    pub const fn days(n: u64) -> Self {
        Self::hours(n.saturating_mul(24))
    }
    /// The milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }
    /// Twice as long, at most `most`.
    pub fn times(self, factor: u64, most: Self) -> Self {
        Self(self.0.saturating_mul(factor).min(most.0))
    }
}

impl fmt::Display for Millis {
    /// As a definition writes it: the largest of `d h m s` that divides it, else milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        match UNITS.iter().find(|(size, _)| self.0 != 0 && self.0.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None if self.0 == 0 => f.write_str("0s"),
            None => write!(f, "{}ms", self.0),
        }
    }
}

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that many milliseconds after 1970 began, UTC.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }
    /// Milliseconds since 1970 began, UTC.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    /// The time from `earlier` to here; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Millis> for Timestamp {
    type Output = Self;
    fn add(self, by: Millis) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.0).unwrap_or(i64::MAX)))
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Self;
    fn sub(self, by: Millis) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.0).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_print_as_a_definition_writes_them() {
        let cases = [
            (Millis::days(7), "7d"),
            (Millis::hours(25), "25h"),
            (Millis::minutes(5), "5m"),
            (Millis::new(1_500), "1500ms"),
            (Millis::ZERO, "0s"),
        ];
        for (length, text) in cases {
            assert_eq!(length.to_string(), text);
        }
    }

    #[test]
    fn time_saturates_and_never_runs_backwards() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(9));
        assert_eq!(late.since(early), Millis::new(4));
        assert_eq!(early.since(late), Millis::ZERO);
        assert_eq!((Timestamp::from_millis(i64::MAX) + Millis::days(1)).as_millis(), i64::MAX);
        assert_eq!(Millis::days(1).times(1 << 40, Millis::days(14)), Millis::days(14));
    }
}
