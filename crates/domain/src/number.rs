//! Numbers with a meaning and a range. Must not carry a bare `f64` probability any further than this.

use serde::{Deserialize, Serialize};

/// A share or chance in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Probability(f64);

impl Probability {
    /// Never.
    pub const ZERO: Self = Self(0.0);
    /// Always.
    pub const ONE: Self = Self(1.0);

    /// `None` outside [0, 1] and for NaN.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The value, in [0, 1].
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// The probability with which the policy in force made a choice, in (0, 1], as an exact multiple of 2⁻³².
///
/// Fixed point, so that the propensities of all choices sum to exactly 1 and the logged number is the law of the draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Propensity(u64);

impl Propensity {
    /// The number of equal parts that 1 is divided into.
    pub const SCALE: u64 = 1 << 32;
    /// Certainty.
    pub const ONE: Self = Self(Self::SCALE);

    /// That many parts of 2³²; `None` for 0 and for more than all.
    pub const fn from_parts(parts: u64) -> Option<Self> {
        if parts == 0 || parts > Self::SCALE { None } else { Some(Self(parts)) }
    }

    /// The parts of 2³².
    pub const fn parts(self) -> u64 {
        self.0
    }

    /// The value in (0, 1]; exact, because 33 bits fit a double.
    pub fn get(self) -> f64 {
        self.0 as f64 / Self::SCALE as f64
    }
}

impl From<Propensity> for f64 {
    fn from(p: Propensity) -> f64 {
        p.get()
    }
}

impl TryFrom<f64> for Propensity {
    type Error = &'static str;
    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if !(0.0..=1.0).contains(&value) {
            return Err("a propensity lies in (0, 1]");
        }
        Self::from_parts((value * Self::SCALE as f64).round() as u64)
            .ok_or("a propensity lies in (0, 1]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold() {
        assert!(Probability::new(1.0).is_some());
        assert!(Probability::new(-0.1).is_none());
        assert!(Probability::new(f64::NAN).is_none());
        assert!(Propensity::from_parts(0).is_none());
        assert!(Propensity::from_parts(Propensity::SCALE + 1).is_none());
        assert!(Propensity::try_from(f64::NAN).is_err());
    }

    #[test]
    fn a_propensity_survives_its_decimal_form() {
        for parts in [1, 7, 1 << 31, Propensity::SCALE / 3, Propensity::SCALE] {
            let p = Propensity::from_parts(parts).expect("in range");
            assert_eq!(Propensity::try_from(p.get()), Ok(p));
        }
    }
}
