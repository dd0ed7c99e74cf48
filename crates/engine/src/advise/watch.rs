//! What the fold tells of advice: decisions that took some, and what became of their guides. Must change nothing that is
//! folded.

use pilotage_wire::record::decision;

use super::advisor::Advisor;
use crate::fold::Fact;
use crate::lookup::outcome_of;
use crate::port::log::Stored;
use crate::product::Product;

impl Advisor {
    /// Looks at a record that is being folded.
    pub(crate) fn watch(&self, product: &Product, record: &Stored, fact: &Fact) {
        match fact {
            // Only what was shown can do harm.
            Fact::Decision(_, Some(_), _) => {
                if let Ok(decision) = decision::decode(&record.body) {
                    self.outcomes().offered(&decision);
                }
            }
            Fact::Decision(_, None, _) | Fact::Named(_) | Fact::Carried(_) => {}
            Fact::Event(event) => {
                self.counts.event();
                let definition = &product.definition;
                let Some(outcome) = outcome_of(definition, event) else { return };
                let heard = self.outcomes().heard(&definition.product, event, outcome);
                self.fared(heard.into_iter().collect());
            }
        }
    }
}
