//! Where the budget governor's ledger is kept. Must not hold a rule of it: `domain::advise::budget` does.

use pilotage_domain::advise::budget::{Command, Effect};
use pilotage_domain::time::Timestamp;
use thiserror::Error;

use super::Answer;

/// One ledger for all who ask models, under the caps of the settings.
///
/// A step is `domain::advise::budget::step` on the ledger as it is kept, and atomic: no two steps begin from the same one,
/// also where they come from different processes. Once a step has resolved its ledger is kept; a restart finds it.
pub trait Governor: Send + Sync + 'static {
    /// Steps the ledger. After an error the step may or may not have been made: whoever wanted a reservation has none, and
    /// what may be held will lapse.
    fn step(&self, command: Command, now: Timestamp) -> Answer<'_, Result<Vec<Effect>, Away>>;
}

/// The ledger can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the budget's ledger is away: {0}")]
pub struct Away(pub String);
