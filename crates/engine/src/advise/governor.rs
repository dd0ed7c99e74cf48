//! The budget's governor over a store. Must not hold a ledger of its own.

use std::sync::Arc;

use pilotage_domain::advise::budget::{Caps, Command, Effect};
use pilotage_domain::time::Timestamp;

use crate::port::Answer;
use crate::port::governor::{Away, Governor};
use crate::port::store::Store;

/// The ledger that a store keeps for every process, under the caps of this one's settings.
pub(crate) struct StoreGovernor {
    pub(super) store: Arc<dyn Store>,
    pub(super) caps: Caps,
}

impl Governor for StoreGovernor {
    fn step(&self, command: Command, now: Timestamp) -> Answer<'_, Result<Vec<Effect>, Away>> {
        let stepped = self.store.step_budget(self.caps.clone(), command, now);
        Box::pin(async move {
            let (_, effects) = stepped.await.map_err(|fault| Away(fault.to_string()))?;
            Ok(effects)
        })
    }
}
