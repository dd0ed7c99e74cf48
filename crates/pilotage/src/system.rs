//! The machine's clock and randomness, behind the engine's ports. Must be the only place that reads them.

use std::time::{SystemTime, UNIX_EPOCH};

use pilotage_domain::time::Timestamp;
use pilotage_engine::port::clock::{Clock, Entropy};

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u128 {
        // ChaCha, seeded by the operating system and reseeded by itself: a system call a name would be dear.
        rand::random()
    }
}
