//! One user's way as the learner needs it, and whose merit an activation is. Must not learn: it gives lessons.
//!
//! A track is a set of facts, each with the earliest time it was told with. Facts can come late, doubled and in any order: the
//! set is the same. Its lessons are a function of the set alone. So who keeps `Learner::revise(before, after)` around each
//! change of a track has, in the end, a learner that has learnt from the facts and from nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::features::Features;
use super::key::Arm;
use super::lesson::{Goal, Lesson, Windows};
use crate::id::{DecisionId, MilestoneId};
use crate::number::Propensity;
use crate::time::{Millis, Timestamp};

/// Which exposures are credited with an activation inside their window, of those that serve the same milestone: guides of
/// different milestones are steps of one way, and none takes the merit from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Credit {
    /// The last one before it.
    #[default]
    Last,
    /// The first one whose window holds it.
    First,
    /// Every one whose window holds it.
    All,
}

/// What a learner needs of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Track {
    /// Draws of the learner, and what was told of them.
    pub touches: BTreeMap<DecisionId, Touch>,
    /// When milestones were reached.
    pub reached: BTreeMap<MilestoneId, Timestamp>,
    /// When activation was reached.
    pub activated: Option<Timestamp>,
}

/// One draw: a guide that was offered, or silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// What was offered; `None` for silence.
    pub arm: Option<Arm>,
    /// The milestone that the guide serves, where that is not activation itself.
    pub milestone: Option<MilestoneId>,
    /// Context and arm at the draw.
    pub features: Features,
    /// With which probability it was drawn.
    pub propensity: Propensity,
    /// The number that decided the draw: the same for as long as a page asks again.
    pub number: u32,
    /// The moment of the draw.
    pub at: Timestamp,
    /// When it was seen.
    pub shown: Option<Timestamp>,
    /// When it was clicked.
    pub clicked: Option<Timestamp>,
    /// When it was dismissed.
    pub dismissed: Option<Timestamp>,
}

/// What is told of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It was seen.
    Shown,
    /// It was clicked.
    Clicked,
    /// It was dismissed.
    Dismissed,
}

impl Track {
    /// Notes a draw. An offer stands in the log before anything that names it. Of silence that was drawn again by the same
    /// number the first one counts: a page asked again.
    pub fn drawn(&mut self, decision: DecisionId, touch: Touch) {
        if touch.arm.is_none() {
            let same = |(_, known): &(&DecisionId, &Touch)| {
                known.arm.is_none() && known.number == touch.number
            };
            match self.touches.iter().find(same).map(|(id, known)| (known.at, *id)) {
                Some(known) if known <= (touch.at, decision) => return,
                Some((_, later)) => drop(self.touches.remove(&later)),
                None => {}
            }
        }
        self.touches.entry(decision).or_insert(touch);
    }

    /// Notes what is told of an offer; nothing where the decision is not known.
    pub fn mark(&mut self, decision: DecisionId, mark: Mark, at: Timestamp) {
        if let Some(touch) = self.touches.get_mut(&decision) {
            let slot = match mark {
                Mark::Shown => &mut touch.shown,
                Mark::Clicked => &mut touch.clicked,
                Mark::Dismissed => &mut touch.dismissed,
            };
            earliest(slot, Some(at));
        }
    }

    /// Notes that a milestone was reached.
    pub fn reach(&mut self, milestone: MilestoneId, at: Timestamp) {
        let known = self.reached.entry(milestone).or_insert(at);
        *known = at.min(*known);
    }

    /// Notes the activation.
    pub fn activate(&mut self, at: Timestamp) {
        earliest(&mut self.activated, Some(at));
    }

    /// Takes over another user's facts: the two are one person.
    pub fn merge(&mut self, other: Self) {
        for (decision, touch) in other.touches {
            let known = self.touches.entry(decision).or_insert_with(|| touch.clone());
            earliest(&mut known.shown, touch.shown);
            earliest(&mut known.clicked, touch.clicked);
            earliest(&mut known.dismissed, touch.dismissed);
        }
        other.reached.into_iter().for_each(|(milestone, at)| self.reach(milestone, at));
        earliest(&mut self.activated, other.activated);
    }

    /// Lets go of the oldest draws beyond so many: they teach nothing more.
    pub(super) fn keep_newest(&mut self, most: usize) {
        while self.touches.len() > most {
            let oldest = self.touches.iter().min_by_key(|(id, touch)| (touch.at, **id));
            let Some(oldest) = oldest.map(|(id, _)| *id) else { return };
            self.touches.remove(&oldest);
        }
    }

    /// Lets go of draws from before then. What they taught stays learnt; what comes in later about them teaches nothing.
    ///
    /// Draws that shared an activation's window stay together, so that those that are left teach what they taught.
    pub fn let_go(&mut self, before: Timestamp, window: Millis) {
        let before = match self.activated {
            Some(activated) if before <= activated => before.min(activated - window),
            _ => before,
        };
        let counts = |touch: &Touch| touch.begun().unwrap_or(touch.at).max(touch.at) >= before;
        self.touches.retain(|_, touch| counts(touch));
    }

    /// What the user's way teaches: one lesson for each exposure and each silence, in the order of their decisions' ids.
    pub fn lessons(&self, windows: &Windows, credit: Credit) -> Vec<Lesson> {
        let touches = self.touches.iter();
        let all: Vec<Begun<'_>> = touches
            .filter_map(|(id, touch)| Some(Begun { at: touch.begun()?, id: *id, touch }))
            .collect();
        all.iter().map(|one| self.lesson(one, &all, windows, credit)).collect()
    }

    fn lesson(
        &self,
        one: &Begun<'_>,
        all: &[Begun<'_>],
        windows: &Windows,
        credit: Credit,
    ) -> Lesson {
        let Begun { at, touch, .. } = *one;
        let step = touch.milestone.as_ref().and_then(|milestone| self.reached.get(milestone));
        Lesson {
            arm: touch.arm.clone(),
            milestone: touch.milestone.clone(),
            features: touch.features.clone(),
            at,
            propensity: touch.propensity,
            click: touch.clicked.and_then(|click| within(at, click.max(at), windows.click)),
            dismissed: touch.dismissed.is_some(),
            step: step.and_then(|step| after(at, *step, windows.goal)),
            goal: self.goal(one, all, windows.goal, credit),
            activation: self.activation(one, windows.goal),
        }
    }

    /// What became of activation within the window.
    fn activation(&self, one: &Begun<'_>, window: Millis) -> Goal {
        match self.activated {
            Some(activated) if activated <= one.at => Goal::Over,
            Some(activated) => after(one.at, activated, window).map_or(Goal::Open, Goal::Reached),
            None => Goal::Open,
        }
    }

    fn goal(&self, one: &Begun<'_>, all: &[Begun<'_>], window: Millis, credit: Credit) -> Goal {
        let reached = self.activation(one, window);
        let (Goal::Reached(_), Some(activated)) = (reached, self.activated) else { return reached };
        let mut guides = all.iter().filter(|rival| {
            one.touch.competes_with(rival.touch) && after(rival.at, activated, window).is_some()
        });
        let outdone = |rival: &Begun<'_>| match (credit, &one.touch.arm) {
            (Credit::All, _) => false,
            (Credit::First, Some(_)) => rival.place() < one.place(),
            // Silence takes no credit from a guide: it has it only where no guide came in between.
            (Credit::Last, _) | (Credit::First, None) => rival.place() > one.place(),
        };
        if guides.any(outdone) { Goal::Open } else { reached }
    }
}

/// A draw that counts, from then on.
#[derive(Clone, Copy)]
struct Begun<'a> {
    at: Timestamp,
    id: DecisionId,
    touch: &'a Touch,
}

impl Begun<'_> {
    const fn place(&self) -> (Timestamp, DecisionId) {
        (self.at, self.id)
    }
}

impl Touch {
    /// When it began to count: when the guide was seen, for silence when it was drawn. Never before the draw, whatever the
    /// caller's clock says.
    fn begun(&self) -> Option<Timestamp> {
        match &self.arm {
            Some(_) => self.shown.map(|shown| shown.max(self.at)),
            None => Some(self.at),
        }
    }

    /// Whether the other is a guide that may have the merit in this one's place: for silence any, for a guide one of the same
    /// milestone.
    fn competes_with(&self, other: &Self) -> bool {
        other.arm.is_some() && (self.arm.is_none() || self.milestone == other.milestone)
    }
}

fn earliest(known: &mut Option<Timestamp>, told: Option<Timestamp>) {
    *known = match (*known, told) {
        (Some(known), Some(told)) => Some(known.min(told)),
        (known, told) => known.or(told),
    };
}

/// The time from `at` to `then`, where that is at most the window.
fn within(at: Timestamp, then: Timestamp, window: Millis) -> Option<Millis> {
    let delay = then.since(at);
    (delay <= window).then_some(delay)
}

/// The same where `then` comes after `at`.
fn after(at: Timestamp, then: Timestamp, window: Millis) -> Option<Millis> {
    if then > at { within(at, then, window) } else { None }
}

#[cfg(test)]
mod tests;
