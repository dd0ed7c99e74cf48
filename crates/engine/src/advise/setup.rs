//! What an engine asks models with. Must not hold what it has heard from them.

use std::fmt;

use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::price::PriceTable;
use pilotage_domain::number::Probability;
use pilotage_wire::model::Prompt;

use super::Provider;

/// Whom an engine asks, at what price, and how much say the answers have.
pub struct Setup {
    /// Whom to ask, in order.
    pub providers: Vec<Provider>,
    /// What calls cost.
    pub prices: PriceTable,
    /// What may be spent.
    pub caps: Caps,
    /// How much say advice has for every product. A change of it counts as a person's word.
    pub mode: Mode,
    /// The share of users whose decisions hear advice in the mode `canary`.
    pub canary: Probability,
    /// What models are asked with.
    pub prompt: Prompt,
    /// So many situations are asked about at a time, by this process.
    pub workers: usize,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let providers: Vec<&str> = self.providers.iter().map(|p| p.id.as_str()).collect();
        f.debug_struct("Setup").field("providers", &providers).finish_non_exhaustive()
    }
}
