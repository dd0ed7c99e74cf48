//! Which partitions this worker has, and under which epoch. Must not fold: it only says what may be folded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilotage_domain::event::Position;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::port::feed::{Loss, Partition, Shift};
use crate::port::shared::{Claim, Shared};

/// How long to wait before trying again to take a partition over.
const RETRY: Duration = Duration::from_millis(200);

/// The claims of one worker.
pub(crate) struct Claims {
    shared: Arc<dyn Shared>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    claims: BTreeMap<Partition, Claim>,
    /// How often partitions came or went: what was read of a user before such a moment may be out of date.
    changes: u64,
}

impl Claims {
    pub(crate) fn new(shared: Arc<dyn Shared>) -> Self {
        Self { shared, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claim of a partition, where it is ours.
    pub(crate) fn of(&self, partition: Partition) -> Option<Claim> {
        self.held().claims.get(&partition).copied()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Claim> {
        self.held().claims.values().copied().collect()
    }

    /// How often partitions came or went.
    pub(crate) fn changes(&self) -> u64 {
        self.held().changes
    }

    /// These are folded so far.
    pub(crate) fn moved(&self, claims: &[Claim]) {
        let mut held = self.held();
        for claim in claims {
            if let Some(known) = held.claims.get_mut(&claim.partition)
                && known.epoch == claim.epoch
            {
                known.applied = claim.applied;
            }
        }
    }

    /// Another worker has taken it over.
    pub(crate) fn drop_one(&self, partition: Partition) {
        let mut held = self.held();
        held.claims.remove(&partition);
        held.changes += 1;
    }

    /// Nothing where we are told to stop before the store answers.
    async fn take(&self, partitions: &[Partition], stopped: &watch::Receiver<bool>) -> Vec<Claim> {
        while !*stopped.borrow() {
            match self.shared.claim(partitions.to_vec()).await {
                Ok(claims) => return claims,
                Err(fault) => {
                    warn!(error = %fault, "partitions wait to be taken over");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        Vec::new()
    }
}

/// The claims as the feed's thread sees them.
pub(crate) struct Shifts {
    pub(crate) cluster: Arc<super::Cluster>,
    pub(crate) runtime: Handle,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Shift for Shifts {
    fn gained(&self, partitions: &[Partition]) -> Vec<Position> {
        let claims = &self.cluster.claims;
        let taken = self.runtime.block_on(claims.take(partitions, &self.stopped));
        let mut held = claims.held();
        held.changes += 1;
        held.claims.extend(taken.iter().map(|claim| (claim.partition, *claim)));
        info!(partitions = partitions.len(), held = held.claims.len(), "partitions taken over");
        let applied = |partition: &Partition| held.claims.get(partition).map(|claim| claim.applied);
        partitions.iter().map(|p| applied(p).unwrap_or_else(|| p.start())).collect()
    }

    fn lost(&self, partitions: &[Partition], loss: Loss) {
        let mut held = self.cluster.claims.held();
        held.changes += 1;
        for partition in partitions {
            held.claims.remove(partition);
        }
        info!(
            partitions = partitions.len(),
            ?loss,
            held = held.claims.len(),
            "partitions given up"
        );
    }
}
