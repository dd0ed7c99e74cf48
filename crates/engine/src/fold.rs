//! One record into one user: the step that live folding, a rebuild and every worker share. Must not read or write
//! anything but the user.

use pilotage_domain::event::{Event, Position};
use pilotage_domain::id::DecisionId;
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::{self, FoldOutcome};
use pilotage_wire::record::decision::DecisionFact;
use pilotage_wire::record::{self, RecordError};

use crate::port::log::{RecordKind, Stored};
use crate::port::store::UserKey;
use crate::product::Product;
use crate::users::User;

/// A record, decoded.
pub(crate) enum Fact {
    Event(Event),
    Decision(DecisionId, Option<Offer>),
}

pub(crate) fn key_of(record: &Stored) -> UserKey {
    UserKey { product: record.product.clone(), user: record.user.clone() }
}

pub(crate) fn decode(record: &Stored) -> Result<Fact, RecordError> {
    match record.kind {
        RecordKind::Event => record::event::decode(&record.body).map(Fact::Event),
        RecordKind::Decision => {
            let fact = record::decision::decode_fact(&record.body)?;
            Ok(Fact::Decision(fact.decision_id, offer_of(fact)))
        }
    }
}

fn offer_of(fact: DecisionFact) -> Option<Offer> {
    let guide = fact.guide?;
    let arm = (guide.id, guide.variant);
    Some(Offer::new(fact.decision_id, arm, guide.milestone, &fact.session_id, fact.at))
}

/// Folds the record at that position; one that the profile holds already changes nothing.
pub(crate) fn apply(product: &Product, user: &mut User, fact: &Fact, at: Position) {
    let profile = &mut user.record.profile;
    let outcome = match fact {
        Fact::Event(event) => fold::fold_event(profile, &product.definition, event, at).outcome,
        Fact::Decision(_, offer) => fold::fold_decision(profile, offer.clone(), at),
    };
    if outcome == FoldOutcome::New {
        user.note_place(at);
    }
}
