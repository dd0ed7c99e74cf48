//! What the engine measures of itself, as plain numbers. Must not know who shows them, or how.

use std::sync::atomic::{AtomicU64, Ordering};

use pilotage_domain::event::Position;

use crate::Seat;
use crate::port::meter::Commits;

/// The engine's figures at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The last record that is in the profiles.
    pub applied: Position,
    /// Records that are durable and not yet in the profiles.
    pub lag: u64,
    /// Records that are durable and that a restart would fold again.
    pub unstored: u64,
    /// Users in memory.
    pub users: usize,
    /// About how many bytes they take.
    pub users_bytes: usize,
    /// About how many they may take.
    pub users_bound: usize,
    /// Passes that wrote changed profiles back, since the start.
    pub write_backs: u64,
    /// Transactions of such passes that failed, since the start.
    pub write_back_failures: u64,
    /// The log's commits, where the log measures them.
    pub log_commits: Option<Commits>,
    /// The store's commits of profiles, where the store measures them.
    pub store_commits: Option<Commits>,
}

/// What a worker among several says of its part of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folding {
    /// How many partitions this process folds; 0 where it is no worker.
    pub partitions: usize,
    /// Records of these that are durable and not yet in the profiles; `None` where the log does not say how many it has.
    pub lag: Option<u64>,
    /// Records that follow from folded ones for merged users and that were too large for the log, since the start.
    pub dropped: u64,
}

/// What became of write-backs.
#[derive(Debug)]
pub(crate) struct Passes {
    done: AtomicU64,
    failures: AtomicU64,
    /// The position that the stored profiles stand for.
    stored: AtomicU64,
}

impl Passes {
    /// None yet, over profiles that stand for that position.
    pub(crate) fn from(stored: Position) -> Self {
        Self {
            done: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            stored: AtomicU64::new(stored.0),
        }
    }

    /// The stored profiles stand for that position.
    pub(crate) fn stored(&self, position: Position) {
        self.stored.store(position.0, Ordering::Relaxed);
    }

    /// A pass is whole.
    pub(crate) fn finished(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// A transaction of a pass has failed.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

impl crate::Alone {
    /// Records in the profiles that a restart would fold again.
    pub(crate) fn unstored(&self) -> u64 {
        self.progress.applied().0.saturating_sub(self.passes.stored.load(Ordering::Relaxed))
    }
}

impl crate::Engine {
    /// What this process folds where several share the work; `None` where it is alone. It asks the log.
    pub async fn folding(&self) -> Option<Folding> {
        match &self.seat {
            Seat::Alone(_) => None,
            Seat::Cluster(cluster) => Some(cluster.folding().await),
        }
    }

    /// The figures now; `None` where several processes share the work. Cheap enough to be asked for every second.
    pub fn figures(&self) -> Option<Figures> {
        let Seat::Alone(inner) = &self.seat else { return None };
        let (stored, applied) =
            (inner.passes.stored.load(Ordering::Relaxed), inner.progress.applied());
        // Asked last: neither of the two is ever ahead of it.
        let end = inner.log.end();
        Some(Figures {
            applied,
            lag: end.0.saturating_sub(applied.0),
            unstored: end.0.saturating_sub(stored),
            users: inner.users.count(),
            users_bytes: inner.users.bytes(),
            users_bound: inner.common.options.users_bytes,
            write_backs: inner.passes.done.load(Ordering::Relaxed),
            write_back_failures: inner.passes.failures.load(Ordering::Relaxed),
            log_commits: inner.log.commits(),
            store_commits: inner.common.store.commits(),
        })
    }
}
