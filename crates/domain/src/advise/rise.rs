//! Tells when something happens more often than it should: Page's cumulative sum for shares. Must not forget by time.

use serde::{Deserialize, Serialize};

use crate::learn::math::ln;

/// An alarm at this score: without a rise it takes, on average, at least e to that power of observations to reach it,
/// which are ten thousand.
const ALARM: f64 = 9.21;

/// A share that is usual, and one that is too much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    usual: f64,
    risen: f64,
}

impl Rates {
    /// Both in (0, 1), the usual one less.
    pub(super) const fn new(usual: f64, risen: f64) -> Self {
        Self { usual, risen }
    }
}

/// How much the observations so far speak for a rise. 0 speaks against it, or is the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Score(f64);

/// Whether it happened this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Yes,
    No,
}

impl Score {
    /// The score with one observation more: the logarithm of its likelihood with a rise over that without one.
    pub(super) fn see(self, seen: Seen, rates: Rates) -> Self {
        let ratio = match seen {
            Seen::Yes => rates.risen / rates.usual,
            Seen::No => (1.0 - rates.risen) / (1.0 - rates.usual),
        };
        Self((self.0 + ln(ratio)).max(0.0))
    }

    /// Whether it has risen.
    pub(super) fn is_alarm(self) -> bool {
        self.0 >= ALARM
    }
}
