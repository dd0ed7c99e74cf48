//! The governor's memory twin: a ledger that is gone with the process. Must not be what a server spends by.

use std::sync::Mutex;

use pilotage_domain::advise::budget::{Caps, Command, Effect, Ledger, step};
use pilotage_domain::time::Timestamp;

use super::hold;
use crate::port::Answer;
use crate::port::governor::{Away, Governor};

/// A ledger in memory, under fixed caps.
#[derive(Debug)]
pub struct MemoryGovernor {
    caps: Caps,
    ledger: Mutex<Ledger>,
}

impl MemoryGovernor {
    /// A new ledger, with nothing spent.
    pub fn new(caps: Caps) -> Self {
        Self { caps, ledger: Mutex::default() }
    }

    /// The ledger as it is.
    pub fn ledger(&self) -> Ledger {
        hold(&self.ledger).clone()
    }
}

impl Governor for MemoryGovernor {
    fn step(&self, command: Command, now: Timestamp) -> Answer<'_, Result<Vec<Effect>, Away>> {
        let mut ledger = hold(&self.ledger);
        let (next, effects) = step(ledger.clone(), &self.caps, command, now);
        *ledger = next;
        Box::pin(std::future::ready(Ok(effects)))
    }
}
