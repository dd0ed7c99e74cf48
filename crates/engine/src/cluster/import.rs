//! Moving an embedded installation over: copy its log in order, fold it here, compare. Must not change the source, and must
//! go on where it was interrupted.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilotage_domain::event::Position;
use pilotage_domain::id::ProductId;
use pilotage_wire::record::RecordError;
use thiserror::Error;

use super::followed::Followed;
use super::{Cluster, ClusterParts, MakeFeed};
use crate::fold;
use crate::lookup::LookupError;
use crate::open::{OpenError, Parts};
use crate::port::feed::Partition;
use crate::port::log::{AppendError, Entry, ReadError, Stored};
use crate::port::store::{Batch, Pause, Store, StoreError, Watermark};
use crate::rebuild::{Digest, Places, RebuildError};
use crate::{Alone, Engine};

/// How many bytes of the log are copied at a time: what an interruption makes us copy again.
const STEP_BYTES: usize = 1 << 20;

/// What is done, for a display of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Records are copied.
    Copying,
    /// Copied records are folded.
    Folding,
}

/// What was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Records of the source's log.
    pub records: u64,
    /// Of the profiles, without the places of their records: the same on both sides.
    pub digest: Digest,
}

/// Why an installation was not moved.
#[derive(Debug, Error)]
pub enum MoveError {
    /// One of the two could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something could not be read or written, or a record is not what was written.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The copied log could not be folded.
    #[error(transparent)]
    Fold(#[from] RebuildError),
    /// Nothing reads the target's log.
    #[error("the target has no feed")]
    NoFeed,
    /// The target has served before: its decisions are sealed with another key.
    #[error(
        "the target has a server's secret of its own: it was served from before, move into a new one"
    )]
    Used,
    /// The profiles are not the same.
    #[error(
        "the profiles differ: {} users with digest {} in the source, {} users with digest {} in the target",
        from.users, from.hash, to.users, to.hash
    )]
    Different {
        /// The source's.
        from: Digest,
        /// The target's.
        to: Digest,
    },
}

macro_rules! by_lookup {
    ($($error:ident),+) => { $(impl From<$error> for MoveError {
        fn from(error: $error) -> Self {
            Self::Lookup(error.into())
        }
    })+ };
}

by_lookup!(StoreError, AppendError, ReadError, RecordError);

impl Engine {
    /// Moves an embedded installation into a shared log and store; nothing else may use the two meanwhile. `tell` hears how
    /// many records of how many are done. Where it was interrupted, the same call goes on.
    pub async fn move_over(
        source: Parts,
        target: ClusterParts,
        mut tell: impl FnMut(Stage, u64, u64),
    ) -> Result<Moved, MoveError> {
        let source = Alone::assemble(source).await?;
        source.catch_up(&mut |_, _| {}).await?;
        let secret = source.common.validation_key;
        if target.shared.secret("validation", secret).await? != secret {
            return Err(MoveError::Used);
        }
        let (cluster, feed) = Cluster::assemble(target).await?;
        let feed = feed.ok_or(MoveError::NoFeed)?;
        let moved = cluster.take_over(&source, &feed, &mut tell).await;
        cluster.close().await;
        source.log.close().await;
        source.common.store.close().await;
        moved
    }
}

impl Cluster {
    async fn take_over(
        self: &Arc<Self>,
        source: &Alone,
        feed: &MakeFeed,
        tell: &mut impl FnMut(Stage, u64, u64),
    ) -> Result<Moved, MoveError> {
        self.accept_folds().await?;
        let records = self.copy(source, tell).await?;
        let ends = self.common.journal.ends().await?;
        // The source's log holds what follows from its records, and it is copied.
        let all: BTreeMap<_, _> = ends.iter().map(|end| (Partition::of(*end), *end)).collect();
        self.note_followed(Followed { events: all.clone(), carried: all });
        self.fold_to(feed, &ends, &mut |done, of| tell(Stage::Folding, done, of)).await?;
        self.copy_pauses(&*source.common.store).await?;
        let theirs = source.stored_digest(Places::Counted).await?;
        let digest = self.stored_digest(Places::Counted).await?;
        if theirs != digest {
            return Err(MoveError::Different { from: theirs, to: digest });
        }
        Ok(Moved { records, digest })
    }

    /// Copies what is not copied yet. How far it came stands in the target's watermark, which nothing else here uses; what
    /// is copied twice is known by its name and counts once.
    async fn copy(
        &self,
        source: &Alone,
        tell: &mut impl FnMut(Stage, u64, u64),
    ) -> Result<u64, MoveError> {
        let end = source.log.end();
        let mut kept = self.shared.watermark().await?;
        while kept.position < end {
            let read = source.log.read(kept.position, STEP_BYTES).await?;
            let Some(last) = read.last().map(|stored| stored.position) else { break };
            let entries = read.into_iter().map(entry).collect::<Result<_, _>>()?;
            self.common.journal.append(entries).await?;
            kept = Watermark { position: last, ..kept };
            let batch = Batch { watermark: Some(kept.clone()), ..Batch::default() };
            self.shared.write(batch).await?;
            tell(Stage::Copying, last.0, end.0);
        }
        Ok(end.0)
    }

    async fn copy_pauses(&self, source: &dyn Store) -> Result<(), StoreError> {
        let paused = source.paused().await?;
        let guides = paused
            .iter()
            .flat_map(|(product, guides)| guides.iter().map(move |guide| (product, guide)));
        let guides: Vec<(&ProductId, _)> = guides.collect();
        for (product, guide) in guides {
            self.shared.set_paused(product, guide, Pause::Pause).await?;
        }
        Ok(())
    }
}

/// The record as it is appended again.
fn entry(stored: Stored) -> Result<Entry, RecordError> {
    let name = fold::decode(&stored, &[])?.name();
    let Stored { position: Position(_), product, user, received_at, body, .. } = stored;
    Ok(Entry { product, user, name, received_at, body, event: None })
}
