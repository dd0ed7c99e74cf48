//! Each user twice: as recorded, and as it would have gone. Must decide by the domain alone.
//!
//! What users did stands. So of guides that were not offered as they are now, only this is taken for granted: one that takes a
//! recorded guide's place is seen where that one was seen, one that comes where there was none is seen at once, and neither is
//! clicked or dismissed.

use std::collections::{BTreeMap, BTreeSet};

use pilotage_domain::decide::{Chooser, Decision, Outcome, Request, Surface, decide};
use pilotage_domain::definition::{Definition, EventRole};
use pilotage_domain::event::{Event, EventContext, Position};
use pilotage_domain::id::{DecisionId, EventId, UserId};
use pilotage_domain::kin::{Kin, Merged, fold_carried};
use pilotage_domain::learn::{Arm, Track};
use pilotage_domain::policy::Policy;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::{fold_decision, fold_event};
use pilotage_domain::value::Value;
use pilotage_wire::record::decision::StoredDecision;
use pilotage_wire::record::merge::Carried;

use super::Replay;
use super::learning::Learning;
use super::rows::action;
use super::told::{Replayed, Telling};

/// One user.
#[derive(Default)]
struct Life {
    /// As recorded.
    real: Profile,
    /// As it would have gone.
    other: Profile,
    /// Records that the profiles hold, one count for both.
    steps: u64,
    track: Track,
    /// What each decision offers in either.
    offers: BTreeMap<DecisionId, Offers>,
    /// With whom the user is one person.
    kin: Kin,
}

/// What a decision offers as recorded, and as it would have gone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Offers {
    real: Option<Arm>,
    other: Option<Arm>,
}

impl Life {
    /// What is on record of a user who was not met.
    fn on_record(carried: &Carried) -> Self {
        let profile = &carried.profile;
        Self { real: profile.clone(), other: profile.clone(), ..Self::default() }
    }

    fn step(&mut self) -> Position {
        self.steps += 1;
        Position(self.steps)
    }
}

/// All users.
pub(super) struct Lives<'a> {
    asked: Replay<'a>,
    learning: Option<Learning>,
    users: BTreeMap<UserId, Life>,
    /// Users who were carried over before they were met: partitions are walked one after another.
    awaited: BTreeSet<UserId>,
    telling: Telling,
}

impl<'a> Lives<'a> {
    pub(super) fn new(asked: &Replay<'a>) -> Self {
        let learns = asked.policy == Policy::Learner;
        Self {
            asked: *asked,
            learning: learns.then(|| Learning::new(asked.definition)),
            users: BTreeMap::new(),
            awaited: BTreeSet::new(),
            telling: Telling::default(),
        }
    }

    /// The record at that position of the log comes next.
    pub(super) fn reach(&mut self, position: Position) {
        if let Some(learning) = &mut self.learning {
            learning.reach(position);
        }
    }

    pub(super) fn event(&mut self, user: &UserId, event: &Event) {
        let definition = self.asked.definition;
        let life = self.users.entry(user.clone()).or_default();
        if life.kin.is_merged() {
            return;
        }
        let at = life.step();
        let folded = fold_event(&mut life.real, definition, event, at);
        if let Some(learning) = &mut self.learning {
            learning.event(&mut life.track, definition, event, &folded);
        }
        if happens(definition, event, &life.offers) {
            fold_event(&mut life.other, definition, event, at);
        }
    }

    /// The user is one person with a known one, who has from here on what is said of this one.
    pub(super) fn named(&mut self, user: &UserId, into: &UserId) {
        let life = self.users.entry(user.clone()).or_default();
        if life.kin.is_merged() {
            return;
        }
        life.kin.merged = Some(Merged { into: into.clone(), at: life.step() });
        // What is taught by whoever was carried over before, nobody else teaches.
        let learning = self.learning.as_mut().filter(|_| !self.awaited.contains(user));
        learning.into_iter().for_each(|learning| learning.forget(&life.track));
    }

    /// The user takes over what is known of an anonymous one, once: as this definition sees it, where that one was met, else as
    /// it is on record.
    pub(super) fn carried(&mut self, user: &UserId, carried: &Carried) {
        let (definition, from) = (self.asked.definition, &carried.from);
        let met = self.users.get_mut(from).filter(|life| life.kin.is_merged());
        let theirs = match met {
            Some(met) => {
                let left = Life { kin: met.kin.clone(), ..Life::default() };
                std::mem::replace(met, left)
            }
            None if self.awaited.insert(from.clone()) => Life::on_record(carried),
            None => return,
        };
        let life = self.users.entry(user.clone()).or_default();
        let at = life.step();
        fold_carried(&mut life.other, &mut Kin::default(), definition, (from, theirs.other), at);
        let Life { real, kin, .. } = life;
        fold_carried(real, kin, definition, (from, theirs.real), at);
        life.offers.extend(theirs.offers);
        if let Some(learning) = &mut self.learning {
            learning.join(&mut life.track, (definition, &life.real), theirs.track);
        }
    }

    /// Decides it again, twice: on the facts of record, whose law is given back, and as it would have gone.
    pub(super) fn decision(&mut self, stored: &StoredDecision) -> Vec<(String, f64)> {
        let definition = self.asked.definition;
        let life = self.users.entry(stored.user_id.clone()).or_default();
        let beliefs = self.learning.as_ref().map(|learning| learning.beliefs(stored));
        let chooser = Chooser { policy: self.asked.policy, beliefs, counsel: None };
        let real = again(definition, chooser, (&life.real, &life.kin), stored);
        let other = again(definition, chooser, (&life.other, &life.kin), stored);
        let offer = Offer::of(&other, &stored.session_id);
        let recorded = recorded(stored);
        let offers =
            Offers { real: recorded.as_ref().map(arm_of), other: offer.as_ref().map(arm_of) };
        self.telling.decision(stored, &other);
        let at = life.step();
        fold_decision(&mut life.real, recorded.clone(), at);
        fold_decision(&mut life.other, offer, at);
        if offers.real.is_none() && offers.other.is_some() {
            let at = life.step();
            let seen = seen(definition, stored);
            seen.iter().for_each(|seen| drop(fold_event(&mut life.other, definition, seen, at)));
        }
        life.offers.insert(stored.decision_id, offers);
        if let Some(learning) = &mut self.learning {
            let (known, drawn) = ((definition, &life.real), (stored, recorded.as_ref()));
            learning.draw(&mut life.track, known, drawn, &real);
        }
        law(&real)
    }

    pub(super) fn finish(self) -> Replayed {
        let Self { asked, users, telling, .. } = self;
        let lives = users.into_values().filter(|life| !life.kin.is_merged());
        let profiles = lives.map(|life| life.other);
        telling.finish(&asked, profiles)
    }
}

/// The same call, by that definition and chooser, on that profile.
fn again(
    definition: &Definition,
    chooser: Chooser<'_>,
    (profile, kin): (&Profile, &Kin),
    stored: &StoredDecision,
) -> Decision {
    let surface = &stored.context;
    let request = Request {
        id: stored.decision_id,
        user: &stored.user_id,
        session: &stored.session_id,
        at: stored.at,
        surface: Surface {
            path: surface.path.as_deref(),
            app_version: surface.app_version.as_deref(),
            locale: surface.locale.as_deref(),
            components: surface.components.as_deref(),
        },
        paused: &[],
        pending: &[],
        kin,
    };
    decide(definition, chooser, profile, &request)
}

/// The offer of record.
fn recorded(stored: &StoredDecision) -> Option<Offer> {
    let guide = stored.guide.as_ref()?;
    let arm = (guide.id.clone(), guide.variant.clone());
    let milestone = guide.milestone.clone();
    Some(Offer::new(stored.decision_id, arm, milestone, &stored.session_id, stored.at))
}

fn arm_of(offer: &Offer) -> Arm {
    Arm { guide: offer.guide.clone(), variant: offer.variant.clone() }
}

/// Whether what the event tells would have happened, too: all that is not about a guide which was not offered so.
fn happens(definition: &Definition, event: &Event, offers: &BTreeMap<DecisionId, Offers>) -> bool {
    let kind = definition.events.find(|known| known.name == event.kind);
    let role = kind.map_or(EventRole::Fact, |kind| definition.events[kind].role);
    let named = event.payload.member("decisionId").and_then(Value::as_text);
    let Some(offers) = named.and_then(DecisionId::parse).and_then(|id| offers.get(&id)) else {
        return true;
    };
    match role {
        EventRole::Fact => true,
        EventRole::Shown => offers.other.is_some(),
        EventRole::Clicked | EventRole::Dismissed => offers.real == offers.other,
    }
}

/// The page says that the guide was seen, at the moment of the decision.
fn seen(definition: &Definition, stored: &StoredDecision) -> Option<Event> {
    let mut events = definition.events.iter();
    let kind = events.find(|kind| kind.role == EventRole::Shown)?.name.clone();
    let decision = stored.decision_id.to_string();
    Some(Event {
        id: EventId::new(&format!("replay {decision}")).ok()?,
        user: stored.user_id.clone(),
        session: stored.session_id.clone(),
        kind,
        at: stored.at,
        received_at: stored.at,
        attributes: Vec::new(),
        context: EventContext::default(),
        payload: Value::Map(vec![("decisionId".into(), Value::Text(decision.into()))]),
    })
}

/// What the decision was drawn from; where nothing was drawn, no guide for sure.
fn law(decision: &Decision) -> Vec<(String, f64)> {
    let guides = decision.trace.guides.iter();
    let arms = guides.flat_map(|guide| guide.arms.iter().map(move |(v, p)| (&guide.id, v, p)));
    let mut law: Vec<(String, f64)> = arms
        .filter_map(|(guide, variant, share)| Some((action(guide, variant), share.as_ref()?.get())))
        .collect();
    let nothing = pilotage_wire::decision_log::NO_GUIDE.to_owned();
    let is_drawn = match &decision.outcome {
        Outcome::Show { .. } => true,
        Outcome::Withhold { propensity, .. } => propensity.is_some(),
    };
    if is_drawn {
        law.extend(decision.trace.no_guide.map(|share| (nothing, share.get())));
        return law;
    }
    vec![(nothing, 1.0)]
}
