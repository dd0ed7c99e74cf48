//! Folding a shared log again from its beginning. Must be the only one at work on log and store.

use std::sync::{Arc, PoisonError};

use pilotage_domain::event::Position;
use tokio::sync::watch;

use super::followed::Followed;
use super::{Cluster, ClusterParts, MakeFeed, State, decide, worker};
use crate::Engine;
use crate::lookup::LookupError;
use crate::port::feed::{Partition, offset_of};
use crate::rebuild::{Places, RebuildError, Rebuilt};

impl Engine {
    /// `rebuild` over a shared log and store: no other process may be at work on them. `tell` hears how many records are
    /// folded, and how many there are.
    pub async fn rebuild_shared(
        parts: ClusterParts,
        mut tell: impl FnMut(u64, u64),
    ) -> Result<Rebuilt, RebuildError> {
        let (cluster, feed) = Cluster::assemble(parts).await?;
        let feed = feed.ok_or_else(|| RebuildError::Fold("there is no feed".to_owned()))?;
        if cluster.misfit().await.map_err(LookupError::from)?.is_some() {
            // What was carried was folded under another definition.
            let events = cluster.shared.applied().await.map_err(LookupError::from)?;
            cluster.note_followed(Followed { events, ..Followed::default() });
            cluster.forget().await?;
        }
        cluster.fold_all(&feed, &mut tell).await?;
        let before = cluster.stored_digest(Places::Kept).await?;
        let applied = cluster.shared.applied().await.map_err(LookupError::from)?;
        cluster.note_followed(Followed { events: applied.clone(), carried: applied });
        cluster.forget().await?;
        cluster.fold_all(&feed, &mut tell).await?;
        let after = cluster.stored_digest(Places::Kept).await?;
        cluster.close().await;
        Ok(Rebuilt { before, after })
    }
}

impl Cluster {
    async fn forget(&self) -> Result<(), LookupError> {
        self.shared.reset().await?;
        self.shared.agree(self.common.products.folds()).await?;
        Ok(())
    }

    /// Works until the profiles hold the log's end, with what follows from its records.
    async fn fold_all(
        self: &Arc<Self>,
        feed: &MakeFeed,
        tell: &mut impl FnMut(u64, u64),
    ) -> Result<(), RebuildError> {
        loop {
            let ends = self.common.journal.ends().await.map_err(LookupError::from)?;
            if self.holds(&ends).await? {
                return Ok(());
            }
            self.fold_to(feed, &ends, tell).await?;
        }
    }

    /// Works until the profiles hold these positions.
    pub(super) async fn fold_to(
        self: &Arc<Self>,
        feed: &MakeFeed,
        ends: &[Position],
        tell: &mut impl FnMut(u64, u64),
    ) -> Result<(), RebuildError> {
        let (stop, stopped) = watch::channel(false);
        let worker = worker::spawn(self.clone(), feed, stopped);
        let mut halted = None;
        while halted.is_none() && !self.holds(ends).await? {
            let applied = self.shared.applied().await.map_err(LookupError::from)?;
            let reached = ends.iter().filter_map(|end| applied.get(&Partition::of(*end)));
            tell(records(reached), records(ends.iter()));
            tokio::time::sleep(decide::LOOK_AGAIN).await;
            halted = self.halted();
        }
        stop.send_replace(true);
        let joined = tokio::task::spawn_blocking(move || worker.join()).await;
        let broken = || RebuildError::Fold("the worker did not end in order".to_owned());
        joined.map_err(|_| broken())?.map_err(|_| broken())?;
        halted.map_or(Ok(()), |what| Err(RebuildError::Fold(what)))
    }

    fn halted(&self) -> Option<String> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Halted(what) => Some(what.clone()),
            State::Running | State::Draining => None,
        }
    }
}

/// How many records that are, of all partitions.
pub(super) fn records<'a>(positions: impl Iterator<Item = &'a Position>) -> u64 {
    positions.map(|position| offset_of(*position).map_or(0, |offset| offset + 1)).sum()
}
