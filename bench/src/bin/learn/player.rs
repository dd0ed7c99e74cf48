//! The learner on data that is no product's: somebody has to choose one of some arms, and the reward comes at once. Must
//! tell the learner nothing but what was chosen and what it brought.

use pilotage_domain::learn::{
    Arm, Eligible, Features, Frame, Goal, Learner, Lesson, Posterior, Settings, Space,
};
use pilotage_domain::number::Propensity;
use pilotage_domain::policy::Choice;
use pilotage_domain::time::{Millis, Timestamp};

use crate::common::{AT_ONCE, Dice, START};

/// Beliefs are solved afresh after each round at first, and whenever there are so many parts more rows later.
const CADENCE: u64 = 64;

/// A learner that plays. A round is a minute; a reward is a click and activation at once.
pub(crate) struct Player {
    learner: Learner,
    settings: Settings,
    posterior: Posterior,
    rounds: u64,
    next: u64,
}

/// What was drawn.
pub(crate) struct Drawn {
    /// Its place among the arms.
    pub(crate) place: usize,
    /// With which probability.
    pub(crate) propensity: Propensity,
}

impl Player {
    pub(crate) fn new(space: Space, settings: Settings) -> Self {
        let learner = Learner::new(Frame::new(space, AT_ONCE));
        let posterior = Posterior::new(&learner, &settings, START);
        Self { learner, settings, posterior, rounds: 0, next: 1 }
    }

    /// Draws one of the arms. "No guide" is none of them in these tasks, so it is drawn again where it comes to that.
    pub(crate) fn draw(
        &self,
        context: &Features,
        arms: &[(&Arm, &Features)],
        dice: &mut Dice,
    ) -> Drawn {
        let eligible: Vec<Eligible<'_>> = arms
            .iter()
            .map(|(arm, features)| Eligible { arm: arm.view(), milestone: None, features })
            .collect();
        let law = self.posterior.law(context, &eligible).distribution;
        let silence = law.propensity(Choice::NoGuide).map_or(0, Propensity::parts);
        let rest = (Propensity::SCALE - silence) as f64;
        loop {
            let choice = law.draw(dice.number());
            let Choice::Arm(place) = choice else { continue };
            let parts = law.propensity(choice).map_or(0, Propensity::parts) as f64;
            let parts = (parts / rest * Propensity::SCALE as f64) as u64;
            let propensity = Propensity::from_parts(parts.max(1)).expect("no more than all");
            return Drawn { place, propensity };
        }
    }

    /// Learns what came of a round.
    pub(crate) fn learn(
        &mut self,
        arm: &Arm,
        features: Features,
        propensity: Propensity,
        reward: bool,
    ) {
        let at = self.now();
        self.learner.advance(at);
        self.learner.learn(&lesson(arm, features, propensity, (at, reward)));
        self.rounds += 1;
        if self.rounds >= self.next {
            self.posterior = Posterior::new(&self.learner, &self.settings, self.now());
            self.next = self.rounds + (self.rounds / CADENCE).max(1);
        }
    }

    fn now(&self) -> Timestamp {
        START + Millis::minutes(self.rounds)
    }
}

/// An exposure with a reward at once, or none.
pub(crate) fn lesson(
    arm: &Arm,
    features: Features,
    propensity: Propensity,
    (at, reward): (Timestamp, bool),
) -> Lesson {
    let came = reward.then_some(Millis::seconds(1));
    Lesson {
        arm: Some(arm.clone()),
        milestone: None,
        features,
        at,
        propensity,
        click: came,
        dismissed: false,
        step: None,
        goal: came.map_or(Goal::Open, Goal::Reached),
        activation: came.map_or(Goal::Open, Goal::Reached),
    }
}
