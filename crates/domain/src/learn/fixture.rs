//! Arms, situations and lessons without a product, for the learner's tests. Must not be compiled into anything but tests.

use super::features::Features;
use super::key::Arm;
use super::learner::{Frame, Learner};
use super::lesson::{Goal, Lesson, Windows};
use super::posterior::{Eligible, Posterior};
use super::settings::{CLICK_WINDOW, Settings};
use super::space::Space;
use crate::hash::uniform_unit;
use crate::id::{GuideId, MilestoneId, VariantId};
use crate::number::Propensity;
use crate::policy::Choice;
use crate::time::{Millis, Timestamp};

pub(super) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(super) const WINDOWS: Windows = Windows { goal: Millis::days(7), click: CLICK_WINDOW };

/// Situations have the coordinates 0 to 3, arms 4 (advice), 5 and 6; arms differ by 0 and 1.
pub(super) fn frame() -> Frame {
    Frame::new(Space::plain(4, 2, vec![0, 1]), WINDOWS)
}

pub(super) fn arm(n: usize) -> Arm {
    let guide = GuideId::new(&format!("g{n:02}")).expect("an identifier");
    Arm { guide, variant: VariantId::new("v").expect("an identifier") }
}

pub(super) fn milestone(id: &str) -> MilestoneId {
    MilestoneId::new(id).expect("an identifier")
}

/// The situation with these coordinates beside 0.
pub(super) fn situation(places: &[u16]) -> Features {
    Features::indicators(places.iter().copied().chain([0]))
}

/// After so many hours.
pub(super) fn hours(n: u64) -> Timestamp {
    START + Millis::hours(n)
}

/// An exposure of that arm in situation 0 that came to nothing.
pub(super) fn exposure(n: usize, at: Timestamp) -> Lesson {
    Lesson {
        arm: Some(arm(n)),
        milestone: None,
        features: situation(&[]),
        at,
        propensity: Propensity::from_parts(Propensity::SCALE / 4).expect("a propensity"),
        click: None,
        dismissed: false,
        step: None,
        goal: Goal::Open,
        activation: Goal::Open,
    }
}

/// Silence that came to nothing.
pub(super) fn silence(at: Timestamp) -> Lesson {
    Lesson { arm: None, ..exposure(0, at) }
}

/// A clicked exposure after which activation came.
pub(super) fn success(n: usize, at: Timestamp) -> Lesson {
    let goal = Goal::Reached(Millis::hours(3));
    Lesson { click: Some(Millis::minutes(1)), goal, activation: goal, ..exposure(n, at) }
}

pub(super) fn settings() -> Settings {
    Settings { budget: None, ..Settings::new(WINDOWS, None) }
}

pub(super) fn learner(lessons: &[Lesson]) -> Learner {
    let mut learner = Learner::new(frame());
    learner.advance(START + Millis::days(30));
    lessons.iter().for_each(|lesson| learner.learn(lesson));
    learner
}

/// How likely each of these arms is, and silence last, in that situation.
pub(super) fn chances(posterior: &Posterior, context: &Features, arms: &[Arm]) -> Vec<f64> {
    let none = Features::default();
    let eligible: Vec<Eligible<'_>> = arms
        .iter()
        .map(|arm| Eligible { arm: arm.view(), milestone: None, features: &none })
        .collect();
    let law = posterior.law(context, &eligible).distribution;
    let choices = (0..arms.len()).map(Choice::Arm).chain([Choice::NoGuide]);
    choices.map(|choice| law.propensity(choice).map_or(0.0, Propensity::get)).collect()
}

/// Numbers in [0, 1) that are the same for ever.
pub(super) struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, thrown: 0 }
    }

    pub(super) fn throw(&mut self) -> f64 {
        self.thrown += 1;
        uniform_unit("dice", &[&self.seed.to_be_bytes(), &self.thrown.to_be_bytes()])
    }

    pub(super) fn hits(&mut self, chance: f64) -> bool {
        self.throw() < chance
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.throw() * count as f64) as usize
    }
}
