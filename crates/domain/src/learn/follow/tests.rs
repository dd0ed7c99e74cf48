//! Records of a small product, folded into a track beside the profile.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::decide::{Chooser, Decision, Outcome, decide};
use crate::event::{EventContext, Position};
use crate::id::EventId;
use crate::learn::lesson::{Goal, Lesson};
use crate::learn::{Beliefs, Credit, Ground};
use crate::policy::Policy;
use crate::profile::fold::{fold_decision, fold_event};
use crate::rules::fixture::{Ask, HOUR, Product, User, session, t};
use crate::time::Millis;

struct Life {
    definition: Definition,
    ground: Arc<Ground>,
    user: User,
    track: Track,
    position: u64,
}

impl Life {
    fn new() -> Self {
        let definition = Product::small().definition();
        let ground = Arc::new(Ground::of(&definition));
        let user = User::signed_up(&definition);
        Self { definition, ground, user, track: Track::default(), position: 1_000 }
    }

    /// A decision of the learner, in a session of its own until it comes to what is asked for.
    fn drawn(&mut self, guide: bool, ms: u64) -> Decision {
        let beliefs = Beliefs::prior(Arc::clone(&self.ground));
        let chooser = Chooser { policy: Policy::Learner, beliefs: Some(&beliefs), counsel: None };
        let ask = |n: u128| {
            let ask = Ask { n, session: session(&format!("s{n}")), ..Ask::default() };
            decide(&self.definition, chooser, &self.user.profile, &ask.request(&self.user, ms))
        };
        let fits = |d: &Decision| matches!(d.outcome, Outcome::Show { .. }) == guide;
        let found = (u128::from(ms) * 1_000..).take(1_000).map(ask).find(fits);
        let decision = found.expect("neither is less likely than one in a hundred");
        self.note(&decision);
        decision
    }

    fn note(&mut self, decision: &Decision) {
        self.position += 1;
        let offer = Offer::of(decision, &session("s"));
        let weighing = decision.weighing.as_deref().expect("weighed").clone();
        let grounds = (&self.definition, &self.ground.frame.space);
        let named = (decision.id, offer.as_ref());
        let drawn = (&weighing, decision.at);
        follow_draw(&mut self.track, grounds, &self.user.profile, named, drawn);
        fold_decision(&mut self.user.profile, offer, Position(self.position));
    }

    fn happens(&mut self, kind: &str, payload: &Json, ms: u64) -> bool {
        self.position += 1;
        let event = Event {
            id: EventId::new(&format!("e{}", self.position)).expect("an id"),
            user: self.user.id.clone(),
            session: session("s"),
            kind: kind.into(),
            at: t(ms),
            received_at: t(ms),
            attributes: Vec::new(),
            context: EventContext::default(),
            payload: serde_json::from_value(payload.clone()).expect("a value"),
        };
        let at = Position(self.position);
        let folded = fold_event(&mut self.user.profile, &self.definition, &event, at);
        let bears = bears(&self.definition, &event, &folded);
        if bears {
            follow_event(&mut self.track, &self.definition, &event, &folded);
        }
        bears
    }

    fn tells(&mut self, kind: &str, decision: &Decision, ms: u64) {
        assert!(self.happens(kind, &json!({ "decisionId": decision.id.to_string() }), ms));
    }

    fn activates(&mut self, ms: u64) {
        self.happens("form_submit", &json!({ "form": "project" }), ms);
        self.happens("imported", &json!({}), ms);
        self.happens("page_view", &json!({ "page": "report" }), ms);
    }

    /// Takes over another user, who is the same person.
    fn absorb(&mut self, other: Self) {
        // What comes later is called otherwise than what the other did.
        self.position += 1_000;
        let (own, at) = (&mut self.user.profile, Position(self.position));
        own.absorb(&self.definition, other.user.profile, at);
        follow_carried(&mut self.track, &self.definition, own, Some(other.track));
    }

    fn lessons(&self) -> Vec<Lesson> {
        self.track.lessons(&self.ground.frame.windows, Credit::Last)
    }
}

#[test]
fn from_the_exposure_over_the_milestone_to_activation() {
    let mut life = Life::new();
    let decision = life.drawn(true, 0);
    assert_eq!(life.lessons(), [], "an offer that nobody saw teaches nothing");
    life.tells("guide_clicked", &decision, 20);
    life.tells("guide_shown", &decision, 10);
    life.tells("guide_shown", &decision, 15);
    assert!(!life.happens("clicked", &json!({}), 30), "an event of no bearing");
    life.activates(HOUR);
    let [lesson] = &life.lessons()[..] else { panic!("one exposure") };
    assert_eq!(lesson.arm.as_ref().map(|arm| arm.guide.as_str()), Some("start"));
    assert_eq!(lesson.milestone.as_ref().map(|m| m.as_str()), Some("project"));
    assert_eq!((lesson.at, lesson.click), (t(10), Some(Millis::new(10))));
    assert_eq!(lesson.step, Some(Millis::new(HOUR - 10)));
    assert_eq!(lesson.goal, Goal::Reached(Millis::new(HOUR - 10)));
    let names = life.ground.frame.space.names();
    let seen = lesson.features.parts().iter().map(|(at, _)| &*names[usize::from(*at)]);
    let seen: Vec<&str> = seen.collect();
    for name in ["1", "tier=free", "daysSinceSignup=d0", "@intent=activate", "@serves=project"] {
        assert!(seen.contains(&name), "{name} in {seen:?}");
    }
}

#[test]
fn activation_without_a_guide_is_silences() {
    let mut life = Life::new();
    life.drawn(false, 0);
    life.activates(HOUR);
    let [lesson] = &life.lessons()[..] else { panic!("one silence") };
    assert_eq!((lesson.arm.as_ref(), lesson.goal), (None, Goal::Reached(Millis::new(HOUR))));
}

#[test]
fn what_was_reached_before_the_first_draw_has_nothing_left_to_win() {
    let mut late = Life::new();
    late.user = late.user.did(&late.definition, "form_submit", 5, json!({ "form": "project" }));
    late.user = late.user.did(&late.definition, "imported", 6, json!({}));
    late.user = late.user.did(&late.definition, "page_view", 7, json!({ "page": "report" }));
    let mut fresh = Life::new();
    let decision = fresh.drawn(true, 60);
    late.note(&decision);
    late.tells("guide_shown", &decision, 70);
    assert_eq!(late.lessons().iter().map(|l| l.goal).collect::<Vec<_>>(), [Goal::Over]);
}

#[test]
fn draws_beyond_the_bound_teach_nothing() {
    let mut life = Life::new();
    for n in 0..MOST_TOUCHES as u64 + 20 {
        life.drawn(false, n * 1_000);
    }
    assert_eq!(life.track.touches.len(), MOST_TOUCHES);
}

#[test]
fn a_draw_that_is_carried_over_teaches_under_the_new_name() {
    let mut anonymous = Life::new();
    let decision = anonymous.drawn(true, 0);
    anonymous.tells("guide_shown", &decision, 10);
    let mut known = Life::new();
    known.user = known.user.did(&known.definition, "clicked", 40, json!({}));
    let before = anonymous.lessons();
    known.absorb(anonymous);
    assert_eq!(known.lessons(), before, "as it was taught before");
    known.tells("guide_clicked", &decision, 50);
    known.activates(HOUR);
    let [lesson] = &known.lessons()[..] else { panic!("one exposure") };
    assert_eq!(
        (lesson.click, lesson.goal),
        (Some(Millis::new(40)), Goal::Reached(Millis::new(HOUR - 10)))
    );
}

#[test]
fn what_either_had_reached_is_reached() {
    let mut anonymous = Life::new();
    anonymous.activates(5);
    let mut known = Life::new();
    let decision = known.drawn(true, 60);
    known.tells("guide_shown", &decision, 70);
    assert_eq!(known.lessons().iter().map(|l| l.goal).collect::<Vec<_>>(), [Goal::Open]);
    known.absorb(anonymous);
    assert_eq!(known.lessons().iter().map(|l| l.goal).collect::<Vec<_>>(), [Goal::Over]);
}

#[test]
fn of_two_users_draws_the_newest_are_kept() {
    let (mut anonymous, mut known) = (Life::new(), Life::new());
    for n in 0..MOST_TOUCHES as u64 - 8 {
        anonymous.drawn(false, n * 2_000);
        known.drawn(false, n * 2_000 + 1_000);
    }
    let oldest = known.track.touches.values().map(|touch| touch.at).min();
    known.absorb(anonymous);
    assert_eq!(known.track.touches.len(), MOST_TOUCHES);
    let left = known.track.touches.values().map(|touch| touch.at).min();
    assert!(left > oldest, "{left:?}");
}

#[test]
fn where_nothing_was_drawn_nothing_is_noted() {
    let mut anonymous = Life::new();
    anonymous.activates(5);
    anonymous.track = Track::default();
    let mut known = Life::new();
    known.absorb(anonymous);
    assert_eq!(known.track, Track::default());
}
