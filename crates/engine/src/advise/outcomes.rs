//! What became of guides that advice helped to choose: the ground on which advice loses its say. Must stay bounded; what is
//! forgotten counts for nothing.

use std::collections::BTreeMap;

use pilotage_domain::advise::mode::Command;
use pilotage_domain::event::Event;
use pilotage_domain::id::{DecisionId, GuideId, ProductId};
use pilotage_domain::profile::fold::DECISION;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::record::decision::StoredDecision;

use crate::lookup::GuideOutcome;

/// So many offers are watched; the oldest go first.
const MOST_WATCHED: usize = 10_000;
/// A guide that was seen and not dismissed for so long was borne.
const BORNE_AFTER: Millis = Millis::minutes(10);

/// The offers that are watched.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// Names begin with the moment: the first is the oldest.
    offers: BTreeMap<DecisionId, Watched>,
}

#[derive(Debug)]
struct Watched {
    product: ProductId,
    guide: GuideId,
    seen: Option<Timestamp>,
}

/// What is to be told of a guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fared {
    pub(super) product: ProductId,
    pub(super) guide: GuideId,
    pub(super) command: Command,
}

impl Outcomes {
    /// Watches an offer that advice helped to choose.
    pub(super) fn offered(&mut self, decision: &StoredDecision) {
        let (Some(guide), Some(_)) = (&decision.guide, &decision.trace.advice) else { return };
        let watched =
            Watched { product: decision.product.clone(), guide: guide.id.clone(), seen: None };
        self.offers.insert(decision.decision_id, watched);
        while self.offers.len() > MOST_WATCHED {
            self.offers.pop_first();
        }
    }

    /// Takes note of what an event says of the offer that it names.
    pub(super) fn heard(
        &mut self,
        product: &ProductId,
        event: &Event,
        outcome: GuideOutcome,
    ) -> Option<Fared> {
        let named = event.payload.member(DECISION).and_then(|id| id.as_text());
        let id = named.and_then(DecisionId::parse)?;
        let watched = self.offers.get_mut(&id).filter(|watched| watched.product == *product)?;
        let command = match outcome {
            GuideOutcome::Shown => {
                watched.seen = Some(watched.seen.unwrap_or(event.at));
                return None;
            }
            GuideOutcome::Clicked => Command::Borne,
            GuideOutcome::Dismissed => Command::Dismissed,
        };
        let Watched { product, guide, .. } = self.offers.remove(&id)?;
        Some(Fared { product, guide, command })
    }

    /// Those that were seen so long ago that nobody dismisses them any more.
    pub(super) fn borne(&mut self, now: Timestamp) -> Vec<Fared> {
        let is_borne =
            |watched: &Watched| watched.seen.is_some_and(|seen| now.since(seen) >= BORNE_AFTER);
        let borne: Vec<DecisionId> = self
            .offers
            .iter()
            .filter(|(_, watched)| is_borne(watched))
            .map(|(id, _)| *id)
            .collect();
        let fared = |Watched { product, guide, .. }: Watched| Fared {
            product,
            guide,
            command: Command::Borne,
        };
        borne.iter().filter_map(|id| self.offers.remove(id)).map(fared).collect()
    }
}
