//! Whose own effect a row bears on. Must not say what the effect is.

use serde::{Deserialize, Serialize};

use crate::id::{GuideId, MilestoneId, VariantId};
use crate::policy::ArmView;

/// One wording of one guide, as the learner remembers it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Arm {
    /// The guide.
    pub guide: GuideId,
    /// The wording.
    pub variant: VariantId,
}

impl Arm {
    /// As a policy sees it.
    pub fn view(&self) -> ArmView<'_> {
        ArmView { guide: &self.guide, variant: &self.variant }
    }
}

impl From<ArmView<'_>> for Arm {
    fn from(arm: ArmView<'_>) -> Self {
        Self { guide: arm.guide.clone(), variant: arm.variant.clone() }
    }
}

/// Whose effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// An arm's.
    Arm(Arm),
    /// An arm's on the milestone that it serves.
    Step(Arm, MilestoneId),
    /// No guide's.
    Silence,
    /// Of a milestone that is still ahead.
    Ahead(MilestoneId),
    /// Of a milestone that is reached.
    Reached(MilestoneId),
}

/// The same without owning it; in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyRef<'a> {
    /// An arm's.
    Arm(ArmView<'a>),
    /// An arm's on the milestone that it serves.
    Step(ArmView<'a>, &'a MilestoneId),
    /// No guide's.
    Silence,
    /// Of a milestone that is still ahead.
    Ahead(&'a MilestoneId),
    /// Of a milestone that is reached.
    Reached(&'a MilestoneId),
}

impl Key {
    /// The same without owning it.
    pub fn as_ref(&self) -> KeyRef<'_> {
        match self {
            Self::Arm(arm) => KeyRef::Arm(arm.view()),
            Self::Step(arm, milestone) => KeyRef::Step(arm.view(), milestone),
            Self::Silence => KeyRef::Silence,
            Self::Ahead(milestone) => KeyRef::Ahead(milestone),
            Self::Reached(milestone) => KeyRef::Reached(milestone),
        }
    }
}

impl From<KeyRef<'_>> for Key {
    fn from(key: KeyRef<'_>) -> Self {
        match key {
            KeyRef::Arm(arm) => Self::Arm(arm.into()),
            KeyRef::Step(arm, milestone) => Self::Step(arm.into(), milestone.clone()),
            KeyRef::Silence => Self::Silence,
            KeyRef::Ahead(milestone) => Self::Ahead(milestone.clone()),
            KeyRef::Reached(milestone) => Self::Reached(milestone.clone()),
        }
    }
}
