//! Whether every decision of record is what was decided: its content against its validation hash. Must not change anything.

use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;
use pilotage_wire::record::{RecordError, decision};
use thiserror::Error;

use crate::port::feed::{Partition, offset_of};
use crate::port::log::{Journal, Log, ReadError, RecordKind, Stored};

/// How many bytes of the log are read at a time.
const STEP_BYTES: usize = 1 << 20;
/// So many faults are named; all are counted.
const MOST_NAMED: usize = 100;
/// So many records of a log in partitions are asked for at a time.
const STEP_RECORDS: u64 = 512;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Decisions of record.
    pub decisions: u64,
    /// Of these, those whose content does not have their hash, or that have none.
    pub broken: u64,
    /// The first of them.
    pub named: Vec<DecisionId>,
    /// Records of a shared log that are none of ours or not what was written: workers put those aside as well.
    pub foreign: u64,
}

impl Verified {
    /// Looks at a record; passes over what is no decision.
    fn take(&mut self, record: &Stored, key: &[u8]) -> Result<(), VerifyError> {
        if record.kind != RecordKind::Decision {
            return Ok(());
        }
        let fault = |error| VerifyError::Record { position: record.position, error };
        let stored = decision::decode(&record.body).map_err(fault)?;
        let proof = stored.seal(key).map(|hash| hash.to_string());
        self.decisions += 1;
        if proof.as_deref() != stored.validation_hash.as_deref() || proof.is_none() {
            self.broken += 1;
            if self.named.len() < MOST_NAMED {
                self.named.push(stored.decision_id);
            }
        }
        Ok(())
    }
}

/// Why not every decision was looked at.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A record is not what was ever written.
    #[error("the log's record {} can't be read: {error}", position.0)]
    Record {
        /// Where it stands.
        position: Position,
        /// What is wrong.
        error: RecordError,
    },
}

/// Goes through the log from its beginning; `tell` hears how many records of how many were looked at.
///
/// # Errors
/// Where the log can't be read to its end.
pub async fn verify_decisions(
    log: &dyn Log,
    key: &[u8],
    mut tell: impl FnMut(u64, u64),
) -> Result<Verified, VerifyError> {
    let (mut verified, mut after, end) = (Verified::default(), Position(0), log.end());
    while after < end {
        let records = log.read(after, STEP_BYTES).await?;
        let Some(last) = records.last() else { break };
        after = last.position;
        records.iter().try_for_each(|record| verified.take(record, key))?;
        tell(after.0, end.0);
    }
    Ok(verified)
}

/// The same of a log in partitions, up to where each ends now; others may write on meanwhile.
///
/// # Errors
/// Where the log can't be read.
pub async fn verify_shared_decisions(
    journal: &dyn Journal,
    key: &[u8],
    mut tell: impl FnMut(u64, u64),
) -> Result<Verified, VerifyError> {
    let ends = journal.ends().await?;
    let length = |end: &Position| offset_of(*end).map_or(0, |offset| offset + 1);
    let of: u64 = ends.iter().map(length).sum();
    let (mut verified, mut done) = (Verified::default(), 0);
    for end in &ends {
        let (start, length) = (Partition::of(*end).start().0, length(end));
        for first in (0..length).step_by(STEP_RECORDS as usize) {
            let step = STEP_RECORDS.min(length - first);
            let positions = (1..=step).map(|n| Position(start + first + n)).collect();
            verified.step(journal, positions, key).await?;
            done += step;
            tell(done, of);
        }
    }
    Ok(verified)
}

impl Verified {
    async fn step(
        &mut self,
        journal: &dyn Journal,
        positions: Vec<Position>,
        key: &[u8],
    ) -> Result<(), VerifyError> {
        match journal.get(positions.clone()).await {
            Ok(records) => records.iter().try_for_each(|record| self.take(record, key)),
            // One of them can't be read: the others can, one by one.
            Err(ReadError::Damaged { .. }) if positions.len() > 1 => {
                for position in positions {
                    Box::pin(self.step(journal, vec![position], key)).await?;
                }
                Ok(())
            }
            Err(ReadError::Damaged { .. }) => {
                self.foreign += 1;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
