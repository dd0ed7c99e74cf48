//! One record into one user: the step that live folding, a rebuild and every worker share. Must not read or write
//! anything but the user.

use std::sync::Arc;

use pilotage_domain::event::{Event, Position};
use pilotage_domain::id::{DecisionId, UserId};
use pilotage_domain::kin::{Merged, fold_carried, fold_late, may_name};
use pilotage_domain::learn::{Weighing, follow};
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::{self, FoldOutcome};
use pilotage_domain::time::Timestamp;
use pilotage_wire::record::decision::DecisionFact;
use pilotage_wire::record::merge::{self, Carried, Named};
use pilotage_wire::record::user::UserRecord;
use pilotage_wire::record::{self, RecordError};

use crate::learn::Revision;
use crate::port::log::{Entry, EntryName, RecordKind, Stored};
use crate::port::store::UserKey;
use crate::product::Product;
use crate::users::User;

/// A record, decoded.
pub(crate) enum Fact {
    Event(Arc<Event>),
    Decision(DecisionId, Option<Offer>, Option<Drawn>),
    Named(Named),
    Carried(Box<Carried>),
}

/// A draw of which the learner may learn, and when it was made.
pub(crate) type Drawn = (Box<Weighing>, Timestamp);

/// What a record brought about beside the profile.
#[derive(Default)]
pub(crate) struct Done {
    /// What the user teaches from here on, where that is something else than before.
    pub(crate) revision: Option<Revision>,
    /// The record that follows from this one, for another user: it must be durable before any store stands for this one. The
    /// same one follows again wherever the record is folded once more.
    pub(crate) sequel: Option<Entry>,
}

pub(crate) fn key_of(record: &Stored) -> UserKey {
    UserKey { product: record.product.clone(), user: record.user.clone() }
}

/// Reads the record, unless its event is at hand; of an event's payload these members (sorted), which are what its product's
/// fold heeds.
pub(crate) fn decode(record: &Stored, heeded: &[Box<str>]) -> Result<Fact, RecordError> {
    match record.kind {
        RecordKind::Event => match &record.event {
            Some(event) => Ok(Fact::Event(Arc::clone(event))),
            None => record::event::decode_heeding(&record.body, heeded)
                .map(|event| Fact::Event(Arc::new(event))),
        },
        RecordKind::Decision => {
            let mut fact = record::decision::decode_fact(&record.body)?;
            let drawn = fact.weighing.take().map(|weighing| (weighing, fact.at));
            Ok(Fact::Decision(fact.decision_id, offer_of(fact), drawn))
        }
        RecordKind::Named => merge::decode_named(&record.body).map(Fact::Named),
        RecordKind::Carried => {
            merge::decode_carried(&record.body).map(|carried| Fact::Carried(Box::new(carried)))
        }
    }
}

fn offer_of(fact: DecisionFact) -> Option<Offer> {
    let guide = fact.guide?;
    let arm = (guide.id, guide.variant);
    Some(Offer::new(fact.decision_id, arm, guide.milestone, &fact.session_id, fact.at))
}

impl Fact {
    /// The name under which the record stands.
    pub(crate) fn name(&self) -> EntryName {
        match self {
            Self::Event(event) => EntryName::Event(event.id.clone()),
            Self::Decision(id, ..) => EntryName::Decision(*id),
            Self::Named(named) => EntryName::Named(named.into.clone()),
            Self::Carried(carried) => EntryName::Carried(carried.from.clone(), carried.fold),
        }
    }
}

/// Folds the record; one that the profile holds already changes nothing.
pub(crate) fn apply(product: &Product, user: &mut User, record: &Stored, fact: &Fact) -> Done {
    let at = record.position;
    if let Some(merged) = user.record.kin.merged.clone() {
        return apply_late(product, user, &merged, (record, fact));
    }
    let (outcome, done) = match fact {
        Fact::Event(event) => apply_event(product, user, event, at),
        Fact::Decision(id, offer, drawn) => {
            let outcome = fold::fold_decision(&mut user.record.profile, offer.clone(), at);
            let drawn = drawn.as_ref().filter(|_| outcome == FoldOutcome::New);
            let follow = |drawn| follow_draw(product, user, (*id, offer.as_ref()), drawn);
            (outcome, Done { revision: drawn.map(follow), sequel: None })
        }
        Fact::Named(named) => apply_naming(product, user, record, named),
        Fact::Carried(carried) => apply_carried(product, user, record, carried),
    };
    if outcome == FoldOutcome::New {
        user.note_place(at);
    }
    done
}

fn apply_event(
    product: &Product,
    user: &mut User,
    event: &Event,
    at: Position,
) -> (FoldOutcome, Done) {
    let definition = &product.definition;
    let folded = fold::fold_event(&mut user.record.profile, definition, event, at);
    let bears = user.record.track.is_some() && follow::bears(definition, event, &folded);
    let follow = |user: &mut User| {
        user.relearn(definition, |track, _| {
            follow::follow_event(track, definition, event, &folded);
        })
    };
    (folded.outcome, Done { revision: bears.then(|| follow(user)), sequel: None })
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

/// The user is one person with a known one, who takes over what is known up to here.
fn apply_naming(
    product: &Product,
    user: &mut User,
    record: &Stored,
    named: &Named,
) -> (FoldOutcome, Done) {
    if !may_name(&named.into, &record.user) {
        return (pass_over(user, record.position), Done::default());
    }
    let (outcome, revision) = user.be_merged(&product.definition, &named.into, record.position);
    let sequel = (outcome == FoldOutcome::New).then(|| carrying(product, user, record, named));
    (outcome, Done { revision, sequel })
}

/// What is carried over, from what the user was when it was named.
fn carrying(product: &Product, user: &User, record: &Stored, named: &Named) -> Entry {
    let from = record.user.clone();
    let carried = Carried::new(from.clone(), named, product.fold, &user.record);
    Entry {
        product: record.product.clone(),
        user: named.into.clone(),
        name: EntryName::Carried(from, product.fold),
        received_at: record.received_at,
        body: merge::encode_carried(&carried).into(),
        event: None,
    }
}

/// Takes over what is known of an anonymous user. What was folded under another definition means something else here: the
/// naming gives it again as folded under this one.
fn apply_carried(
    product: &Product,
    user: &mut User,
    record: &Stored,
    carried: &Carried,
) -> (FoldOutcome, Done) {
    if carried.fold != product.fold || !may_name(&record.user, &carried.from) {
        return (pass_over(user, record.position), Done::default());
    }
    let (definition, at) = (&product.definition, record.position);
    let UserRecord { profile, kin, .. } = &mut user.record;
    let theirs = (&carried.from, carried.profile.clone());
    let outcome = fold_carried(profile, kin, definition, theirs, at).outcome;
    if outcome != FoldOutcome::New {
        return (outcome, Done::default());
    }
    user.group = crate::users::group_in(definition, &user.record, &record.user);
    let bears = user.record.track.is_some() || carried.track.is_some();
    let follow = |user: &mut User| {
        user.relearn(definition, |track, profile| {
            let theirs = carried.track.as_deref().cloned();
            follow::follow_carried(track, definition, profile, theirs);
        })
    };
    (outcome, Done { revision: bears.then(|| follow(user)), sequel: None })
}

/// A record of no effect: only `applied` moves.
fn pass_over(user: &mut User, at: Position) -> FoldOutcome {
    match fold_late(&mut user.record.profile, at) {
        FoldOutcome::New => FoldOutcome::Redelivered,
        known => known,
    }
}

/// The event as it is told of another user.
fn readdressed(record: &Stored, event: &Event, to: &UserId) -> Entry {
    let body = record::event::readdress(&record.body, to);
    Entry {
        product: record.product.clone(),
        user: to.clone(),
        name: EntryName::Event(event.id.clone()),
        received_at: record.received_at,
        body: body.expect("what was decoded can be read").into(),
        event: None,
    }
}

/// A record of a user who is merged into another. Events are the other's.
fn apply_late(
    product: &Product,
    user: &mut User,
    merged: &Merged,
    (record, fact): (&Stored, &Fact),
) -> Done {
    let at = record.position;
    let sequel = match fact {
        Fact::Named(named) if at == merged.at => Some(carrying(product, user, record, named)),
        Fact::Event(event) if at > merged.at => Some(readdressed(record, event, &merged.into)),
        _ => None,
    };
    // Of a naming that comes too late nobody needs to hear.
    let is_told = !matches!(fact, Fact::Named(_) | Fact::Carried(_));
    if pass_over(user, at) == FoldOutcome::Redelivered && is_told {
        user.note_place(at);
    }
    Done { revision: None, sequel }
}
