//! Whether every decision of record is what was decided: its content against its validation hash. Must not change anything.

use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;
use pilotage_wire::record::{RecordError, decision};
use thiserror::Error;

use crate::port::log::{Log, ReadError, RecordKind};

/// How many bytes of the log are read at a time.
const STEP_BYTES: usize = 1 << 20;
/// So many faults are named; all are counted.
const MOST_NAMED: usize = 100;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Decisions of record.
    pub decisions: u64,
    /// Of these, those whose content does not have their hash, or that have none.
    pub broken: u64,
    /// The first of them.
    pub named: Vec<DecisionId>,
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
        for record in records.iter().filter(|record| record.kind == RecordKind::Decision) {
            let fault = |error| VerifyError::Record { position: record.position, error };
            let stored = decision::decode(&record.body).map_err(fault)?;
            let proof = stored.seal(key).map(|hash| hash.to_string());
            verified.decisions += 1;
            if proof.as_deref() != stored.validation_hash.as_deref() || proof.is_none() {
                verified.broken += 1;
                if verified.named.len() < MOST_NAMED {
                    verified.named.push(stored.decision_id);
                }
            }
        }
        tell(after.0, end.0);
    }
    Ok(verified)
}
