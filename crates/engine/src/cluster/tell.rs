//! Hearing what other processes changed. Must not be needed for anything to be right, only for it to be recent.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tracing::warn;

use super::Cluster;
use super::cache::BEAT;
use crate::port::shared::Change;

/// How long to wait before asking for the paused guides again, where that failed.
const RETRY: Duration = Duration::from_millis(250);

impl Cluster {
    /// Listens until the process stops.
    pub(super) async fn listen(
        &self,
        changes: broadcast::Receiver<Change>,
        mut stopped: watch::Receiver<bool>,
    ) {
        // What was read grows older whatever is being read meanwhile.
        tokio::select! {
            () = self.grow_older() => {}
            () = self.hear(changes) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }

    async fn grow_older(&self) {
        let mut beat = tokio::time::interval(BEAT);
        loop {
            beat.tick().await;
            self.cache.grow_older();
        }
    }

    async fn hear(&self, mut changes: broadcast::Receiver<Change>) {
        loop {
            match changes.recv().await {
                Ok(Change::Users(marks)) => self.cache.forget(&marks),
                Ok(Change::Paused) => self.read_paused().await,
                Ok(Change::Learnt) => self.hear_learnt().await,
                // What was missed may have been anything.
                Ok(Change::All) | Err(RecvError::Lagged(_)) => {
                    self.cache.forget_all();
                    self.read_paused().await;
                    self.hear_learnt().await;
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Where that fails, the next publication comes soon.
    async fn hear_learnt(&self) {
        if let Err(fault) = self.read_learnt().await {
            warn!(error = %fault, "what is newly learnt could not be read");
        }
    }

    async fn read_paused(&self) {
        loop {
            match self.common.read_paused().await {
                Ok(()) => return,
                Err(fault) => {
                    warn!(error = %fault, "the paused guides could not be read");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
