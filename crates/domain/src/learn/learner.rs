//! What was learnt: sums for each stage and counts for each arm. Must not weigh, solve or choose: `posterior` does.
//!
//! All of it is sums of whole numbers over lessons. So lessons can come in any order and be taken back, two states
//! add up to the one that has seen both, and the same lessons give the same bits on every machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::calendar::Calendar;
use super::key::Arm;
use super::lesson::{self, Lesson, Stage, Windows};
use super::space::Space;
use super::sums::{Row, Sign, Sums};
use super::tally::Tally;
use super::track::Credit;
use crate::time::Timestamp;

/// What the numbers of a state mean. States with different frames can't be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The coordinates.
    pub space: Space,
    /// Within which times outcomes count.
    pub windows: Windows,
    /// Whose merit an activation is.
    pub credit: Credit,
    /// By which rules its lessons came about (`lesson::RULES`); the stored form says it by its version.
    #[serde(skip, default = "rules")]
    pub rules: u8,
}

const fn rules() -> u8 {
    lesson::RULES
}

impl Frame {
    /// Of lessons by today's rules, with the merit for the last.
    pub const fn new(space: Space, windows: Windows) -> Self {
        Self { space, windows, credit: Credit::Last, rules: lesson::RULES }
    }
}

/// The state of a learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learner {
    /// What its numbers mean.
    pub frame: Frame,
    /// The newest moment that it was told of.
    pub newest: Timestamp,
    /// The sums of each stage, in the order of `Stage::ALL`.
    pub stages: [Sums; 5],
    /// Counts by arm, for ever.
    pub arms: BTreeMap<Arm, Tally>,
}

/// Two states that don't mean the same by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the two states have different coordinates, windows, credit or rules")]
pub struct FrameMismatch;

impl Learner {
    /// Has learnt nothing.
    pub fn new(frame: Frame) -> Self {
        Self {
            frame,
            newest: Timestamp::from_millis(0),
            stages: std::array::from_fn(|_| Sums::default()),
            arms: BTreeMap::new(),
        }
    }

    /// The sums of a stage.
    pub fn sums(&self, stage: Stage) -> &Sums {
        let [click, step, goal, base, onward] = &self.stages;
        match stage {
            Stage::Click => click,
            Stage::Step => step,
            Stage::Goal => goal,
            Stage::Base => base,
            Stage::Onward => onward,
        }
    }

    /// Is told how late it is: rows grow old and flow together. An earlier moment changes nothing.
    ///
    /// Tell it the newest event time of the log, so that it does not depend on when lessons come in.
    pub fn advance(&mut self, to: Timestamp) {
        let calendar = self.calendar();
        let before = calendar.marks(self.newest);
        self.newest = self.newest.max(to);
        if calendar.marks(self.newest) != before {
            self.stages.iter_mut().for_each(|sums| sums.settle(&calendar, self.newest));
        }
    }

    /// Learns the lesson.
    pub fn learn(&mut self, lesson: &Lesson) {
        self.put(lesson, Sign::Plus);
    }

    /// Takes the lesson back: as if it had never been learnt.
    pub fn unlearn(&mut self, lesson: &Lesson) {
        self.put(lesson, Sign::Minus);
    }

    /// Puts a user's lessons in the place of those that the same user gave before.
    pub fn revise(&mut self, before: &[Lesson], after: &[Lesson]) {
        lesson::beyond(before, after).for_each(|old| self.unlearn(old));
        lesson::beyond(after, before).for_each(|new| self.learn(new));
    }

    /// Whether nothing is learnt.
    pub fn is_empty(&self) -> bool {
        self.arms.is_empty() && self.stages.iter().all(|sums| sums.slots.is_empty())
    }

    /// Adds all that the other has learnt.
    pub fn merge(&mut self, other: &Self) -> Result<(), FrameMismatch> {
        if self.frame != other.frame {
            return Err(FrameMismatch);
        }
        let mut other = other.clone();
        self.advance(other.newest);
        other.advance(self.newest);
        self.stages.iter_mut().zip(&other.stages).for_each(|(sums, more)| sums.merge(more));
        for (arm, tally) in &other.arms {
            let known = self.arms.entry(arm.clone()).or_default();
            known.merge(tally);
            if *known == Tally::default() {
                self.arms.remove(arm);
            }
        }
        Ok(())
    }

    /// The same under another definition's coordinates: each keeps what rows had of its name. Coordinates whose name is gone
    /// are dropped, new ones start without rows. Other windows need another state, learnt from the log.
    pub fn renumbered(&self, space: &Space) -> Self {
        let places = self.frame.space.renumbering(space);
        let mut learner = self.clone();
        for (stage, sums) in Stage::ALL.into_iter().zip(&mut learner.stages) {
            let (from, to) = (self.frame.space.shape(stage), space.shape(stage));
            *sums = sums.renumbered(&from, &to, &places);
        }
        learner.frame.space = space.clone();
        learner
    }

    fn calendar(&self) -> Calendar {
        Calendar::new(self.frame.windows.goal)
    }

    fn put(&mut self, lesson: &Lesson, sign: Sign) {
        if let Some(slot) = self.calendar().slot(lesson.at, self.newest) {
            let features = self.frame.space.crossings.crossed(&lesson.features);
            for (stage, sums) in Stage::ALL.into_iter().zip(&mut self.stages) {
                let Some((key, outcome)) = lesson.said(stage) else { continue };
                let row = Row {
                    key: key.as_ref(),
                    features: &features,
                    at: lesson.at,
                    outcome,
                    horizon: self.frame.windows.of(stage),
                };
                sums.put(&self.frame.space.shape(stage), slot, &row, sign);
            }
        }
        let Some(arm) = &lesson.arm else { return };
        let tally = self.arms.entry(arm.clone()).or_default();
        tally.put(lesson, sign);
        if *tally == Tally::default() {
            self.arms.remove(arm);
        }
    }
}
