//! What the learner would have learnt of recorded draws by each moment. Must not learn of draws that were never made.

use std::collections::VecDeque;
use std::sync::Arc;

use pilotage_domain::decide::Decision;
use pilotage_domain::definition::Definition;
use pilotage_domain::event::{Event, Position};
use pilotage_domain::learn::follow::{
    bears, follow_carried, follow_draw, follow_event, settled_before,
};
use pilotage_domain::learn::{Beliefs, Ground, Learner, Track, Weighing};
use pilotage_domain::policy::{Policy, draw_number};
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::contact::Offer;
use pilotage_domain::profile::fold::Folded;
use pilotage_domain::time::Timestamp;
use pilotage_engine::replay::published_up_to;
use pilotage_wire::record::decision::StoredDecision;

/// So many of the newest beliefs are at hand: live decisions may have been made by ones that were just about to be replaced.
const KEPT: usize = 4;

/// The learner beside the replay.
pub(super) struct Learning {
    ground: Arc<Ground>,
    learner: Learner,
    /// What was published last; there is always one.
    beliefs: Beliefs,
    /// Those before it, oldest first.
    earlier: VecDeque<Beliefs>,
    newest: Option<Timestamp>,
}

impl Learning {
    pub(super) fn new(definition: &Definition) -> Self {
        let ground = Arc::new(Ground::of(definition));
        let learner = Learner::new(ground.frame.clone());
        let beliefs = Beliefs::prior(Arc::clone(&ground));
        Self { beliefs, earlier: VecDeque::new(), ground, learner, newest: None }
    }

    /// What to decide by: the beliefs that the decision of record went by, where it says so and they are at hand; else the
    /// newest.
    pub(super) fn beliefs(&self, stored: &StoredDecision) -> &Beliefs {
        let version = stored.weighing.as_ref().map(|weighing| weighing.posterior);
        let known = self.earlier.iter().find(|beliefs| Some(beliefs.version()) == version);
        known.unwrap_or(&self.beliefs)
    }

    /// Publishes what is learnt where that was due before this record: at the same places as live.
    pub(super) fn reach(&mut self, position: Position) {
        let due = published_up_to(Position(position.0.saturating_sub(1)));
        let Some(newest) = self.newest.filter(|_| due.0 > self.beliefs.version()) else { return };
        if !self.learner.is_empty() {
            self.learner.advance(newest);
            let fresh = Beliefs::new(Arc::clone(&self.ground), &self.learner, newest, due.0);
            self.earlier.push_back(std::mem::replace(&mut self.beliefs, fresh));
            if self.earlier.len() >= KEPT {
                self.earlier.pop_front();
            }
        }
    }

    /// Learns what an event tells of earlier draws.
    pub(super) fn event(
        &mut self,
        track: &mut Track,
        definition: &Definition,
        event: &Event,
        folded: &Folded,
    ) {
        self.newest = self.newest.max(Some(event.at));
        if !track.touches.is_empty() && bears(definition, event, folded) {
            self.relearn(track, |track| follow_event(track, definition, event, folded));
        }
    }

    /// Learns of a draw of record; `real` is what would be decided on the same facts, which knows what the arms look like.
    pub(super) fn draw(
        &mut self,
        track: &mut Track,
        (definition, profile): (&Definition, &Profile),
        (stored, offer): (&StoredDecision, Option<&Offer>),
        real: &Decision,
    ) {
        let own = stored.weighing.as_deref().cloned();
        let Some(weighing) = own.or_else(|| weighed(stored, real)) else { return };
        let ground = Arc::clone(&self.ground);
        let named = (stored.decision_id, offer);
        self.relearn(track, |track| {
            let known = (definition, &ground.frame.space);
            follow_draw(track, known, profile, named, (&weighing, stored.at));
        });
        // What it taught stays learnt.
        let windows = &self.ground.frame.windows;
        track.let_go(settled_before(windows, stored.at), windows.goal);
    }

    /// Another user has from here on what this one taught.
    pub(super) fn forget(&mut self, track: &Track) {
        let settings = &self.ground.settings;
        self.learner.revise(&track.lessons(&settings.windows, settings.credit), &[]);
    }

    /// Learns what the user takes over, who was another one before: that one teaches no more.
    pub(super) fn join(
        &mut self,
        track: &mut Track,
        (definition, profile): (&Definition, &Profile),
        other: Track,
    ) {
        self.relearn(track, |track| follow_carried(track, definition, profile, Some(other)));
    }

    fn relearn(&mut self, track: &mut Track, change: impl FnOnce(&mut Track)) {
        let settings = &self.ground.settings;
        let before = track.lessons(&settings.windows, settings.credit);
        change(track);
        let after = track.lessons(&settings.windows, settings.credit);
        self.learner.revise(&before, &after);
    }
}

/// A draw of record that noted no weighing, seen as the learner would have: what the arms look like from the decision on the
/// same facts, what was drawn and how likely from the record. `None` where it was no draw, or of something that can't be drawn
/// now.
fn weighed(stored: &StoredDecision, real: &Decision) -> Option<Weighing> {
    let weighing = real.weighing.as_deref()?;
    let propensity = stored.propensity?;
    if stored.policy.as_ref() == Policy::Static.name() {
        return None;
    }
    let chosen = match &stored.guide {
        None => None,
        Some(guide) => {
            let guides = real.trace.guides.iter();
            let mut arms = guides.flat_map(|g| g.arms.iter().map(|(variant, _)| (&g.id, variant)));
            let place = arms.position(|arm| arm == (&guide.id, &guide.variant))?;
            Some(u16::try_from(place).ok()?)
        }
    };
    let number = draw_number(stored.decision_id, Policy::Random);
    Some(Weighing { number, chosen, propensity: Some(propensity), ..weighing.clone() })
}
