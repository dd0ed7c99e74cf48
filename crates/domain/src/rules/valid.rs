//! A guide that may be shown, as the user will see it. Must not be made anywhere but in the rules.

use crate::id::{GuideId, MilestoneId, VariantId};

/// A guide that passed every gate, with its rendered copy. Only the rules can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidGuide {
    pub(super) id: GuideId,
    pub(super) variant: VariantId,
    pub(super) component: &'static str,
    pub(super) target_path: Option<Box<str>>,
    pub(super) anchor: Option<Box<str>>,
    pub(super) copy: Rendered,
    pub(super) action_path: Option<Box<str>>,
    pub(super) milestone: MilestoneId,
}

/// Copy as a user reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The headline.
    pub title: Box<str>,
    /// The sentence below.
    pub body: Option<Box<str>>,
    /// The call to action.
    pub cta: Option<Box<str>>,
    /// The locale that it is written in.
    pub locale: Box<str>,
}

impl ValidGuide {
    /// Its identifier.
    pub fn id(&self) -> &GuideId {
        &self.id
    }
    /// Its wording.
    pub fn variant(&self) -> &VariantId {
        &self.variant
    }
    /// How it is drawn, as the definition names it.
    pub fn component(&self) -> &'static str {
        self.component
    }
    /// The path pattern of its page; any page where `None`.
    pub fn target_path(&self) -> Option<&str> {
        self.target_path.as_deref()
    }
    /// The selector of its element.
    pub fn anchor(&self) -> Option<&str> {
        self.anchor.as_deref()
    }
    /// What it says.
    pub fn copy(&self) -> &Rendered {
        &self.copy
    }
    /// Where its call to action leads.
    pub fn action_path(&self) -> Option<&str> {
        self.action_path.as_deref()
    }
    /// The milestone that it serves.
    pub fn milestone(&self) -> &MilestoneId {
        &self.milestone
    }
}
