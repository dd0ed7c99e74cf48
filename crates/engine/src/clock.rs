//! The moment: the machine's clock, or the newest event seen. Must be the engine's only way to a "now".

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use pilotage_domain::time::Timestamp;

use crate::port::clock::Clock;

/// Which clock is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMode {
    /// The machine's.
    System,
    /// The newest event timestamp seen: a test clock that stands still between events.
    Events,
}

pub(crate) struct EngineClock {
    mode: ClockMode,
    system: Arc<dyn Clock>,
    /// The newest event time; `i64::MIN` before the first.
    newest: AtomicI64,
}

impl EngineClock {
    pub(crate) fn new(mode: ClockMode, system: Arc<dyn Clock>, newest: Option<Timestamp>) -> Self {
        let newest = newest.map_or(i64::MIN, Timestamp::as_millis);
        Self { mode, system, newest: AtomicI64::new(newest) }
    }

    pub(crate) fn mode(&self) -> ClockMode {
        self.mode
    }

    /// The moment. The event clock shows the machine's time until it has seen an event.
    pub(crate) fn now(&self) -> Timestamp {
        match self.mode {
            ClockMode::System => self.system.now(),
            ClockMode::Events => self.newest().unwrap_or_else(|| self.system.now()),
        }
    }

    /// The machine's time, whichever clock is in force.
    pub(crate) fn system_now(&self) -> Timestamp {
        self.system.now()
    }

    /// When an event that claims this time arrives: by the event clock an event is never from the future.
    pub(crate) fn arrival(&self, claimed: Option<Timestamp>) -> Timestamp {
        match self.mode {
            ClockMode::System => self.system.now(),
            ClockMode::Events => match (self.newest(), claimed) {
                (Some(newest), Some(claimed)) => newest.max(claimed),
                (Some(only), None) | (None, Some(only)) => only,
                (None, None) => self.system.now(),
            },
        }
    }

    /// Takes note of an event's time.
    pub(crate) fn saw(&self, at: Timestamp) {
        self.newest.fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    /// The newest event time.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let ms = self.newest.load(Ordering::Relaxed);
        (ms != i64::MIN).then(|| Timestamp::from_millis(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Noon;
    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_000)
        }
    }

    #[test]
    fn the_event_clock_moves_with_events_alone_and_never_back() {
        let clock = EngineClock::new(ClockMode::Events, Arc::new(Noon), None);
        assert_eq!(clock.now(), Timestamp::from_millis(1_000));
        clock.saw(Timestamp::from_millis(50));
        assert_eq!(clock.now(), Timestamp::from_millis(50));
        clock.saw(Timestamp::from_millis(20));
        assert_eq!(clock.now(), Timestamp::from_millis(50));
        assert_eq!(clock.arrival(Some(Timestamp::from_millis(90))), Timestamp::from_millis(90));
        assert_eq!(clock.arrival(None), Timestamp::from_millis(50));
    }

    #[test]
    fn the_system_clock_ignores_what_events_claim() {
        let clock = EngineClock::new(ClockMode::System, Arc::new(Noon), None);
        clock.saw(Timestamp::from_millis(9_000));
        assert_eq!(clock.now(), Timestamp::from_millis(1_000));
        assert_eq!(
            clock.arrival(Some(Timestamp::from_millis(9_000))),
            Timestamp::from_millis(1_000)
        );
    }
}
