//! A clock that is told the time and bits from a seed. Must not read a real clock or real randomness.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use pilotage_domain::hash::ContentHash;
use pilotage_domain::time::{Millis, Timestamp};

use crate::port::clock::{Clock, Entropy};

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    /// Moves to that instant, also backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Moves forward.
    pub fn advance(&self, by: Millis) {
        self.set(self.now() + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The same bits for the same seed and number of draws.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    draws: AtomicU64,
}

impl SeededEntropy {
    /// The sequence of that seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed, draws: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn bits(&self) -> u128 {
        let draw = self.draws.fetch_add(1, Ordering::SeqCst);
        let hash = ContentHash::of(&[b"entropy", &self.seed.to_be_bytes(), &draw.to_be_bytes()]);
        hash.as_bytes().iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_until_it_is_moved() {
        let clock = ManualClock::new(Timestamp::from_millis(5));
        clock.advance(Millis::new(2));
        assert_eq!(clock.now(), Timestamp::from_millis(7));
        clock.set(Timestamp::from_millis(1));
        assert_eq!(clock.now(), Timestamp::from_millis(1));
    }

    #[test]
    fn a_seed_gives_one_sequence_and_another_seed_another() {
        let draw = |seed| {
            let entropy = SeededEntropy::new(seed);
            [entropy.bits(), entropy.bits(), entropy.bits()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1)[0], draw(1)[1]);
    }
}
