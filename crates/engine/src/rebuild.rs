//! Folding the log again from the start, and a digest to tell whether two folds are the same. Must not write to the log.

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use pilotage_wire::record::RecordError;
use pilotage_wire::record::user::{self, UserRecord};
use thiserror::Error;

use crate::learn;
use crate::lookup::LookupError;
use crate::open::{OpenError, Parts};
use crate::port::store::Store;
use crate::project::ProjectError;
use crate::sweep::Sweep;
use crate::{Alone, Engine, Seat};

/// How many users are read at a time.
const PAGE: usize = 1_024;

/// What a store's profiles come to: equal where every profile is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// How many users there are.
    pub users: u64,
    /// SHA-256 over all users in key order: key, record, runs; then over what is learnt, by product.
    pub hash: ContentHash,
}

/// Why a rebuild did not end.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// It could not begin.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log could not be folded.
    #[error("folding stopped: {0}")]
    Fold(String),
    /// Something could not be read or written.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl From<ProjectError> for RebuildError {
    fn from(error: ProjectError) -> Self {
        Self::Fold(error.to_string())
    }
}

/// The digests before and after a rebuild; equal unless the profiles were not the log's fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// Of the profiles as they were, brought up to the log's end.
    pub before: Digest,
    /// Of the profiles folded from the log's beginning.
    pub after: Digest,
}

impl Engine {
    /// Folds the log again from its beginning and compares. `tell` hears the last record folded and the last to fold.
    /// Nothing else may use the log and store meanwhile; they are closed at the end.
    pub async fn rebuild(
        parts: Parts,
        mut tell: impl FnMut(Position, Position),
    ) -> Result<Rebuilt, RebuildError> {
        let mut alone = Alone::assemble(parts).await?;
        alone.catch_up(&mut tell).await?;
        let before = alone.stored_digest(Places::Kept).await?;
        alone.common.store.reset().await.map_err(LookupError::from)?;
        alone.users.clear();
        alone.counts.clear();
        alone.forget_learnt();
        alone.progress.set(Position(0));
        alone.sequels.restart(alone.log.end());
        alone.passes.stored(Position(0));
        *alone.sweep.lock().await = Sweep::new(Position(0));
        alone.catch_up(&mut tell).await?;
        let after = alone.stored_digest(Places::Kept).await?;
        alone.log.close().await;
        alone.common.store.close().await;
        Ok(Rebuilt { before, after })
    }

    /// Resolves once the profiles hold everything that was taken before this call.
    pub async fn settled(&self) -> Result<(), LookupError> {
        match &self.seat {
            Seat::Alone(alone) => alone.settled().await,
            Seat::Cluster(cluster) => cluster.settled().await,
        }
    }

    /// The digest of all stored profiles, after everything in memory is written back.
    pub async fn digest(&self) -> Result<Digest, LookupError> {
        self.settled().await?;
        match &self.seat {
            Seat::Alone(alone) => {
                alone.write_back().await?;
                alone.stored_digest(Places::Kept).await
            }
            Seat::Cluster(cluster) => cluster.stored_digest(Places::Kept).await,
        }
    }
}

impl Alone {
    /// The digest of what the store holds.
    pub(crate) async fn stored_digest(&self, places: Places) -> Result<Digest, LookupError> {
        let store = &*self.common.store;
        let newest = store.watermark().await?.newest_event;
        digest_of(store, places, &learn::settled(&store.learnt().await?, newest)?).await
    }
}

/// What a digest takes of the places of a user's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    /// Where they stand: for two folds of one log.
    Kept,
    /// How many there are: for two logs that hold the same.
    Counted,
}

/// The digest of the stored profiles and of what is learnt.
pub(crate) async fn digest_of(
    store: &dyn Store,
    places: Places,
    learnt: &[(ProductId, Vec<u8>)],
) -> Result<Digest, LookupError> {
    let mut digest = Digest { users: 0, hash: ContentHash::of(&[]) };
    let mut after = None;
    loop {
        let page = store.page(after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        for (key, stored) in page {
            let runs = store.spilled(stored.row).await?;
            // Read and written again, so that records of older versions compare equal to what they mean.
            let mut record = user::decode(&stored.body)?;
            let runs = match places {
                Places::Kept => runs.into_iter().map(|(_, bytes)| bytes.to_vec()).collect(),
                Places::Counted => vec![counted(&mut record, &runs)?.to_be_bytes().to_vec()],
            };
            let body = user::encode(&record);
            let names = [key.product.as_str().as_bytes(), key.user.as_str().as_bytes()];
            let mut parts: Vec<&[u8]> = vec![digest.hash.as_bytes(), names[0], names[1], &body];
            parts.extend(runs.iter().map(Vec::as_slice));
            digest.hash = ContentHash::of(&parts);
            digest.users += 1;
        }
    }
    for (product, body) in learnt {
        let parts = [digest.hash.as_bytes().as_slice(), product.as_str().as_bytes(), body];
        digest.hash = ContentHash::of(&parts);
    }
    Ok(digest)
}

/// Takes the places out of the record; how many there were, there and in the runs.
fn counted(record: &mut UserRecord, runs: &[(Position, Bytes)]) -> Result<u64, RecordError> {
    let mut count = record.run.len() as u64;
    record.run.clear();
    record.profile.applied = Position(0);
    if let Some(merged) = &mut record.kin.merged {
        merged.at = Position(0);
    }
    for (first, bytes) in runs {
        let broken = || RecordError::Malformed(format!("run of {}", first.0));
        count += user::decode_run(bytes).ok_or_else(broken)?.0.len() as u64;
    }
    Ok(count)
}

impl Alone {
    async fn settled(&self) -> Result<(), LookupError> {
        self.log.barrier().await?;
        self.progress.reached(self.log.end()).await;
        // What follows from those records stands in the log by now, and nothing follows from that.
        self.progress.reached(self.log.end()).await;
        Ok(())
    }

    /// Folds until the profiles hold the log's end, with what follows from its records, and writes them back.
    pub(crate) async fn catch_up(
        &self,
        tell: &mut impl FnMut(Position, Position),
    ) -> Result<(), RebuildError> {
        while self.progress.applied() < self.log.end() && self.project_step().await? > 0 {
            tell(self.progress.applied(), self.log.end());
        }
        self.write_back().await.map_err(LookupError::from)?;
        Ok(())
    }
}
