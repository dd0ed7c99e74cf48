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
        mut changes: broadcast::Receiver<Change>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut beat = tokio::time::interval(BEAT);
        loop {
            let heard = tokio::select! {
                heard = changes.recv() => heard,
                _ = beat.tick() => {
                    self.cache.grow_older();
                    continue;
                }
                _ = stopped.wait_for(|stop| *stop) => return,
            };
            match heard {
                Ok(Change::Users(marks)) => self.cache.forget(&marks),
                Ok(Change::Paused) => self.read_paused().await,
                // What was missed may have been anything.
                Ok(Change::All) | Err(RecvError::Lagged(_)) => {
                    self.cache.forget_all();
                    self.read_paused().await;
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn read_paused(&self) {
        loop {
            match self.shared.paused().await {
                Ok(paused) => return self.common.products.set_paused(paused),
                Err(fault) => {
                    warn!(error = %fault, "the paused guides could not be read");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
