//! Whether the profiles are too old to decide by: nobody folds, or too slowly. Must not be what limits rest on alone; but what
//! is reserved lapses, and then nothing else would hold them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pilotage_domain::event::Position;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use super::{Cluster, PATIENCE};
use crate::port::feed::Partition;

/// How often it is looked at, or less often.
const EVERY: Duration = Duration::from_secs(5);
/// What was in the log so many looks ago, which is a minute at least, should be in the profiles. Reservations live for much longer.
const LOOKS: usize = 12;

/// What the last look came to.
#[derive(Debug, Default)]
pub(super) struct Behind(AtomicBool);

impl Behind {
    pub(super) fn is_far(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, is_far: bool) {
        if self.0.swap(is_far, Ordering::Relaxed) == is_far {
            return;
        }
        if is_far {
            warn!(
                "profiles are more than a minute behind the log: nothing is shown until they are folded"
            );
        } else {
            info!("profiles have caught up with the log");
        }
    }
}

/// Where the log ended at the last looks.
#[derive(Debug, Default)]
struct Ends(VecDeque<Vec<Position>>);

impl Ends {
    /// Notes where the log ends now; where it ended so long ago that all of it should be folded.
    fn note(&mut self, ends: Vec<Position>) -> Option<Vec<Position>> {
        self.0.push_back(ends);
        (self.0.len() > LOOKS).then(|| self.0.pop_front()).flatten()
    }
}

impl Cluster {
    /// Looks for ever.
    pub(super) async fn watch_folding(&self) {
        let mut ends = Ends::default();
        let mut moments = tokio::time::interval(EVERY);
        moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            moments.tick().await;
            // Where log or store is away, nothing is decided anyway.
            if let Ok(Some(is_far)) = tokio::time::timeout(PATIENCE, self.look(&mut ends)).await {
                self.behind.note(is_far);
            }
        }
    }

    async fn look(&self, known: &mut Ends) -> Option<bool> {
        let ends = self.common.journal.ends().await.ok()?;
        let applied = self.shared.applied().await.ok()?;
        let is_folded = |end: &Position| {
            let partition = Partition::of(*end);
            *end <= applied.get(&partition).copied().unwrap_or(partition.start())
        };
        let due = known.note(ends);
        Some(due.is_some_and(|due| !due.iter().all(is_folded)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_be_folded_is_where_the_log_ended_twelve_looks_ago() {
        let mut ends = Ends::default();
        let due: Vec<_> = (0..15).map(|look| ends.note(vec![Position(look)])).collect();
        assert_eq!(due[..12], vec![None; 12]);
        assert_eq!(due[12..], [0, 1, 2].map(|look| Some(vec![Position(look)])));
    }
}
