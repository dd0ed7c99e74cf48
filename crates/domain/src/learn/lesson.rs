//! What one exposure, or one silence, teaches. Must not decide whose merit an activation is: `track` does.

use serde::{Deserialize, Serialize};

use super::features::Features;
use super::key::{Arm, Key};
use crate::id::MilestoneId;
use crate::number::Propensity;
use crate::time::{Millis, Timestamp};

/// By which rules users' ways become lessons. Sums of lessons of other rules mean something else: a change of what lessons say has
/// another number, and the log is folded again.
pub const RULES: u8 = 2;

/// One exposure with what became of it; or one draw that came to no guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// What was shown; `None` for silence.
    pub arm: Option<Arm>,
    /// The milestone that the guide serves, where that is not activation itself.
    pub milestone: Option<MilestoneId>,
    /// Context and arm at the draw.
    pub features: Features,
    /// When the user saw it; for silence the moment of the draw.
    pub at: Timestamp,
    /// With which probability it was drawn.
    pub propensity: Propensity,
    /// How long until the click, where one came in time.
    pub click: Option<Millis>,
    /// Whether it was dismissed.
    pub dismissed: bool,
    /// How long until the milestone was reached, where it was in time.
    pub step: Option<Millis>,
    /// What became of activation, as far as it is this exposure's merit.
    pub goal: Goal,
    /// What became of it, whoever's merit it is: what milestones lead to does not depend on who is credited.
    pub activation: Goal,
}

/// Those of `all` that are not in `others`, as often as they are more there.
pub fn beyond<'a>(all: &'a [Lesson], others: &[Lesson]) -> impl Iterator<Item = &'a Lesson> {
    let mut left: Vec<&Lesson> = others.iter().collect();
    all.iter().filter(move |lesson| {
        let twin = left.iter().position(|other| other == lesson);
        twin.map(|place| left.swap_remove(place)).is_none()
    })
}

/// What became of activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// It was reached before: there was nothing left to win.
    Over,
    /// Not reached in time, or not credited with it.
    Open,
    /// Reached (and credited with it), so long after.
    Reached(Millis),
}

impl Goal {
    /// Whether and when it came; `None` where it could not.
    const fn came(self) -> Option<Option<Millis>> {
        match self {
            Self::Over => None,
            Self::Open => Some(None),
            Self::Reached(after) => Some(Some(after)),
        }
    }
}

/// The regressions that a guide's way to activation goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Click, given an exposure.
    Click,
    /// The guide's milestone, given a click.
    Step,
    /// Activation, given a click.
    Goal,
    /// Activation without a click: after an exposure, or after silence.
    Base,
    /// Activation by whether the guide's milestone is reached, whatever the guide.
    Onward,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Click, Self::Step, Self::Goal, Self::Base, Self::Onward];
}

/// Within which times outcomes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// For activation and milestones: the definition's `goal.window`.
    pub goal: Millis,
    /// For clicks.
    pub click: Millis,
}

impl Windows {
    /// Within which time the stage's outcome comes.
    pub const fn of(&self, stage: Stage) -> Millis {
        match stage {
            Stage::Click => self.click,
            Stage::Step | Stage::Goal | Stage::Base | Stage::Onward => self.goal,
        }
    }
}

/// What a lesson says in one stage: whose effect it bears on, and when the outcome came.
pub type Said = (Key, Option<Millis>);

impl Lesson {
    /// What it says in that stage; `None` where the user's way did not go through it.
    pub fn said(&self, stage: Stage) -> Option<Said> {
        match stage {
            Stage::Click => Some((self.arm_key()?, self.click)),
            Stage::Step => {
                self.click?;
                Some((Key::Step(self.arm.clone()?, self.milestone.clone()?), self.step))
            }
            Stage::Goal => {
                self.click?;
                Some((self.arm_key()?, self.goal.came()?))
            }
            Stage::Base if self.click.is_some() => None,
            Stage::Base => Some((self.arm_key().unwrap_or(Key::Silence), self.goal.came()?)),
            Stage::Onward => {
                let milestone = self.milestone.clone()?;
                let reached = self.step.is_some();
                let key = if reached { Key::Reached(milestone) } else { Key::Ahead(milestone) };
                Some((key, self.activation.came()?))
            }
        }
    }

    fn arm_key(&self) -> Option<Key> {
        self.arm.clone().map(Key::Arm)
    }
}
