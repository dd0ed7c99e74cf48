//! One record into one user: the step that live folding, a rebuild and every worker share. Must not read or write
//! anything but the user.

use pilotage_domain::event::{Event, Position};
use pilotage_domain::id::DecisionId;
use pilotage_domain::learn::{Weighing, follow};
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::{self, FoldOutcome};
use pilotage_domain::time::Timestamp;
use pilotage_wire::record::decision::DecisionFact;
use pilotage_wire::record::{self, RecordError};

use crate::learn::Revision;
use crate::port::log::{RecordKind, Stored};
use crate::port::store::UserKey;
use crate::product::Product;
use crate::users::User;

/// A record, decoded.
pub(crate) enum Fact {
    Event(Event),
    Decision(DecisionId, Option<Offer>, Option<Drawn>),
}

/// A draw of which the learner may learn, and when it was made.
pub(crate) type Drawn = (Box<Weighing>, Timestamp);

pub(crate) fn key_of(record: &Stored) -> UserKey {
    UserKey { product: record.product.clone(), user: record.user.clone() }
}

pub(crate) fn decode(record: &Stored) -> Result<Fact, RecordError> {
    match record.kind {
        RecordKind::Event => record::event::decode(&record.body).map(Fact::Event),
        RecordKind::Decision => {
            let mut fact = record::decision::decode_fact(&record.body)?;
            let drawn = fact.weighing.take().map(|weighing| (weighing, fact.at));
            Ok(Fact::Decision(fact.decision_id, offer_of(fact), drawn))
        }
    }
}

fn offer_of(fact: DecisionFact) -> Option<Offer> {
    let guide = fact.guide?;
    let arm = (guide.id, guide.variant);
    Some(Offer::new(fact.decision_id, arm, guide.milestone, &fact.session_id, fact.at))
}

/// Folds the record at that position; one that the profile holds already changes nothing. What the user teaches from here on,
/// where that is something else than before.
pub(crate) fn apply(
    product: &Product,
    user: &mut User,
    fact: &Fact,
    at: Position,
) -> Option<Revision> {
    let profile = &mut user.record.profile;
    let definition = &product.definition;
    let (outcome, revision) = match fact {
        Fact::Event(event) => {
            let folded = fold::fold_event(profile, definition, event, at);
            let bears = user.record.track.is_some() && follow::bears(definition, event, &folded);
            let follow = |user: &mut User| {
                user.relearn(definition, |track, _| {
                    follow::follow_event(track, definition, event, &folded);
                })
            };
            (folded.outcome, bears.then(|| follow(user)))
        }
        Fact::Decision(id, offer, drawn) => {
            let outcome = fold::fold_decision(profile, offer.clone(), at);
            let drawn = drawn.as_ref().filter(|_| outcome == FoldOutcome::New);
            let follow = |drawn| follow_draw(product, user, (*id, offer.as_ref()), drawn);
            (outcome, drawn.map(follow))
        }
    };
    if outcome == FoldOutcome::New {
        user.note_place(at);
    }
    revision
}

fn follow_draw(
    product: &Product,
    user: &mut User,
    named: (DecisionId, Option<&Offer>),
    (weighing, at): &Drawn,
) -> Revision {
    let (definition, frame) = (&product.definition, &product.learning.ground.frame);
    let revision = user.relearn(definition, |track, profile| {
        let drawn = (&**weighing, *at);
        follow::follow_draw(track, (definition, &frame.space), profile, named, drawn);
    });
    user.let_go(definition, follow::settled_before(&frame.windows, *at));
    revision
}
