//! Where "now" and randomness come from. Must not be bypassed: nothing else in the engine reads a clock or draws.

use pilotage_domain::time::Timestamp;

/// The time of day.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970, UTC. May repeat and, when the machine's clock is set back, decrease.
    fn now(&self) -> Timestamp;
}

/// Random bits for names: of decisions, and of events that came without one.
pub trait Entropy: Send + Sync + 'static {
    /// 128 uniform bits, never to be guessed by a caller.
    fn bits(&self) -> u128;
}
