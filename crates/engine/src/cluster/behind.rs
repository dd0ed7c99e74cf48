//! Whether the profiles are too old to decide by: nobody folds, or too slowly. Must not be what limits rest on alone; but what
//! is reserved lapses, and then nothing else would hold them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pilotage_domain::event::Position;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Cluster, PATIENCE};
use crate::port::feed::Partition;

/// What was in the log so long ago should be in the profiles. Far less than reservations live.
const MOST: Duration = Duration::from_secs(60);
/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);

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

/// Where the log ended, at several moments.
#[derive(Debug, Default)]
struct Ends(VecDeque<(Instant, Vec<Position>)>);

impl Ends {
    /// Notes where the log ends now; where it ended so long ago that all of it should be folded.
    fn note(&mut self, now: Instant, ends: Vec<Position>) -> Option<&[Position]> {
        self.0.push_back((now, ends));
        let is_due = |(at, _): &(Instant, Vec<Position>)| now.duration_since(*at) >= MOST;
        while self.0.get(1).is_some_and(is_due) {
            self.0.pop_front();
        }
        self.0.front().filter(|entry| is_due(entry)).map(|(_, ends)| ends.as_slice())
    }
}

impl Cluster {
    /// Looks for ever.
    pub(super) async fn watch_folding(&self) {
        let mut ends = Ends::default();
        let mut moments = tokio::time::interval(EVERY);
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
        let due = known.note(Instant::now(), ends);
        Some(due.is_some_and(|due| !due.iter().all(is_folded)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_be_folded_is_where_the_log_ended_a_minute_ago() {
        let (mut ends, start) = (Ends::default(), Instant::now());
        let mut note = |seconds: u64| {
            let due = ends.note(start + Duration::from_secs(seconds), vec![Position(seconds)]);
            due.map(|due| due[0].0)
        };
        let table = [(0, None), (5, None), (59, None), (60, Some(0)), (64, Some(0)), (65, Some(5))];
        for (seconds, expected) in table {
            assert_eq!(note(seconds), expected, "after {seconds} s");
        }
        assert_eq!(note(1_000), Some(65), "however long nobody looked");
    }
}
