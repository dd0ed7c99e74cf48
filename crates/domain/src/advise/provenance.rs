//! L9: whether what was asked about is still in force. Must not look at a user.

use super::refusal::Provenance;
use crate::definition::{Definition, Lifecycle};
use crate::hash::ContentHash;
use crate::id::{GuideId, PromptId};
use crate::time::Timestamp;

/// What is in force at a moment.
#[derive(Debug, Clone, Copy)]
pub struct InForce<'a> {
    /// The definition.
    pub definition: &'a Definition,
    /// The prompt.
    pub prompt: &'a PromptId,
    /// Guides paused by an operator.
    pub paused: &'a [GuideId],
    /// The moment.
    pub at: Timestamp,
}

impl InForce<'_> {
    /// The same catalogue and prompt as when the question was put.
    pub(super) fn holds(
        &self,
        catalogue: ContentHash,
        prompt: &PromptId,
    ) -> Result<(), Provenance> {
        if catalogue != self.definition.hash {
            return Err(Provenance::Catalogue);
        }
        if prompt != self.prompt {
            return Err(Provenance::Prompt);
        }
        Ok(())
    }

    /// The guide is live, not paused, and in its time.
    pub(super) fn holds_guide(&self, id: &GuideId) -> Result<(), Provenance> {
        let guide = self.definition.guides.iter().find(|guide| guide.id == *id);
        let live = guide.filter(|guide| guide.lifecycle == Lifecycle::Live);
        let Some(guide) = live else { return Err(Provenance::NotLive) };
        if self.paused.contains(id) {
            return Err(Provenance::Paused);
        }
        if guide.expires.is_some_and(|end| self.at >= end) {
            return Err(Provenance::Expired);
        }
        Ok(())
    }
}
