//! What the log's writer and its readers share. Must not show a record before it is durable.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use pilotage_domain::event::Position;
use pilotage_engine::port::meter::CommitMeter;
use tokio::sync::watch;

use super::queue::Queue;
use super::remembered::{MarkKey, Marked, Remembered};
use super::tail::{Commit, Tail};

/// Shared by the writer's thread and every caller.
#[derive(Debug)]
pub(super) struct Shared {
    pub queue: Queue,
    pub key: MarkKey,
    pub end: watch::Sender<Position>,
    tail: RwLock<Tail>,
    remembered: RwLock<Remembered>,
    healthy: AtomicBool,
    pub commits: CommitMeter,
    /// Whether a record that was queued by `enqueue` could not be written since the last barrier.
    lost: AtomicBool,
}

impl Shared {
    pub(super) fn new(
        queue: Queue,
        tail: Tail,
        marks: (MarkKey, Remembered),
        end: Position,
    ) -> Self {
        let (key, remembered) = marks;
        Self {
            queue,
            key,
            end: watch::Sender::new(end),
            tail: RwLock::new(tail),
            remembered: RwLock::new(remembered),
            healthy: AtomicBool::new(true),
            commits: CommitMeter::default(),
            lost: AtomicBool::new(false),
        }
    }

    pub(super) fn tail(&self) -> RwLockReadGuard<'_, Tail> {
        self.tail.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remembered(&self) -> RwLockReadGuard<'_, Remembered> {
        self.remembered.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a commit that is durable and holds at least one record.
    pub(super) fn publish(&self, commit: Commit, marks: &[Marked]) {
        let end = commit.last();
        self.tail.write().unwrap_or_else(PoisonError::into_inner).push(commit);
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        marks.iter().for_each(|marked| remembered.insert(*marked));
        drop(remembered);
        self.end.send_replace(end);
    }

    pub(super) fn healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Notes how the last write went; whether that is news.
    pub(super) fn set_healthy(&self, healthy: bool) -> bool {
        self.healthy.swap(healthy, Ordering::Relaxed) != healthy
    }

    pub(super) fn note_loss(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Whether a queued record was lost since this was last asked.
    pub(super) fn take_loss(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }
}
