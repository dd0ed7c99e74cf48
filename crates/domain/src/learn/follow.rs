//! One log record into one track: the learner's half of the fold. Must not learn, and must change nothing for a user whom no
//! draw was ever on record for.

use super::key::Arm;
use super::lesson::Windows;
use super::space::Space;
use super::track::{Mark, Touch, Track};
use super::weighing::Weighing;
use crate::definition::{Definition, EventRole};
use crate::event::Event;
use crate::id::DecisionId;
use crate::profile::Profile;
use crate::profile::contact::Offer;
use crate::profile::fold::{DECISION, FoldOutcome, Folded};
use crate::time::Timestamp;
use crate::value::Value;

/// No more draws of a user are kept at a time; further ones teach nothing. The contact rules leave a user far fewer.
pub const MOST_TOUCHES: usize = 128;

/// Whether what the event did to the profile can bear on a track.
pub fn bears(definition: &Definition, event: &Event, folded: &Folded) -> bool {
    folded.outcome == FoldOutcome::New
        && (!folded.reached.is_empty() || mark_of(definition, event).is_some())
}

/// Notes what an event tells of the user's draws and of the way to activation.
pub fn follow_event(track: &mut Track, definition: &Definition, event: &Event, folded: &Folded) {
    if let Some((decision, mark)) = mark_of(definition, event) {
        track.mark(decision, mark, event.at);
    }
    for milestone in &folded.reached {
        track.reach(definition.milestones[*milestone].id.clone(), event.at);
    }
    if folded.activated.is_some() {
        track.activate(event.at);
    }
}

/// Notes a draw of that moment. The first one takes over what the profile knows of the way so far.
pub fn follow_draw(
    track: &mut Track,
    (definition, space): (&Definition, &Space),
    profile: &Profile,
    (decision, offer): (DecisionId, Option<&Offer>),
    (weighing, at): (&Weighing, Timestamp),
) {
    let Some(propensity) = weighing.propensity else { return };
    if track.touches.is_empty() {
        take_over(track, definition, profile);
    }
    if track.touches.len() >= MOST_TOUCHES {
        return;
    }
    let activation = &definition.milestones[definition.activation].id;
    let step = offer.map(|offer| &offer.milestone).filter(|milestone| *milestone != activation);
    let arm = offer.map(|o| Arm { guide: o.guide.clone(), variant: o.variant.clone() });
    let touch = Touch {
        arm,
        milestone: step.cloned(),
        features: weighing.features(space),
        propensity,
        number: weighing.number,
        at,
        shown: None,
        clicked: None,
        dismissed: None,
    };
    track.drawn(decision, touch);
}

/// Takes over the draws of another user who is the same person, and what the profile knows now that it has taken over the
/// other's.
pub fn follow_carried(
    track: &mut Track,
    definition: &Definition,
    profile: &Profile,
    carried: Option<Track>,
) {
    track.merge(carried.unwrap_or_default());
    track.keep_newest(MOST_TOUCHES);
    if !track.touches.is_empty() {
        take_over(track, definition, profile);
    }
}

/// Before then, a draw can gain nothing more: both windows of it are over.
pub fn settled_before(windows: &Windows, at: Timestamp) -> Timestamp {
    at - windows.goal - windows.goal - windows.click
}

fn take_over(track: &mut Track, definition: &Definition, profile: &Profile) {
    for (milestone, at) in &profile.reached {
        track.reach(milestone.clone(), *at);
    }
    if let Some(at) = profile.reached_at(&definition.milestones[definition.activation].id) {
        track.activate(at);
    }
}

/// What a guide's own event says, and of which decision.
fn mark_of(definition: &Definition, event: &Event) -> Option<(DecisionId, Mark)> {
    let kind = definition.events.find(|known| known.name == event.kind)?;
    let mark = match definition.events[kind].role {
        EventRole::Fact => return None,
        EventRole::Shown => Mark::Shown,
        EventRole::Clicked => Mark::Clicked,
        EventRole::Dismissed => Mark::Dismissed,
    };
    let named = event.payload.member(DECISION).and_then(Value::as_text)?;
    Some((DecisionId::parse(named)?, mark))
}

#[cfg(test)]
mod tests;
