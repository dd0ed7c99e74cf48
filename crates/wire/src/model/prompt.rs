//! The words that models are asked with: files that never change, each with an id that depends on its content. Must not hold
//! anything about a situation.

use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::PromptId;

/// The version of everything around the words: the order of a brief's parts, the schema, the labels. It is part of every
/// id, so that another way of asking makes other situations.
const FORM: &str = "1";

/// The files, by the names that settings use; the newest last.
const FILES: [(&str, &str); 1] = [("choose-1", include_str!("../../../../prompts/choose-1.txt"))];

/// The files for drafts of copy, which are written for a person and never while anybody is served.
const DRAFTS: [(&str, &str); 1] = [("draft-1", include_str!("../../../../prompts/draft-1.txt"))];

/// A task in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    id: PromptId,
    task: &'static str,
}

impl Prompt {
    /// The prompt of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = FILES.iter().chain(&DRAFTS);
        let (name, task) = all.into_iter().find(|(known, _)| *known == name)?;
        let hash = ContentHash::of(&[FORM.as_bytes(), task.as_bytes()]).to_string();
        let id = PromptId::new(&format!("{name}-{}", hash.get(..16)?)).ok()?;
        Some(Self { id, task: task.trim_end() })
    }

    /// The prompt that is used where no other is named.
    pub fn newest() -> Self {
        let newest = FILES.last().and_then(|(name, _)| Self::named(name));
        newest.expect("the list is not empty, and its names are identifiers")
    }

    /// The prompt that copy is drafted with.
    pub fn drafting() -> Self {
        let newest = DRAFTS.last().and_then(|(name, _)| Self::named(name));
        newest.expect("the list is not empty, and its names are identifiers")
    }

    /// Its name, with sixteen digits of its content's hash.
    pub const fn id(&self) -> &PromptId {
        &self.id
    }

    /// What a model is told to do.
    pub const fn task(&self) -> &'static str {
        self.task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_never_changes() {
        // A new file gets a new name and a new line here; an old line stays.
        let ids: Vec<String> = FILES
            .iter()
            .chain(&DRAFTS)
            .map(|(name, _)| Prompt::named(name).expect("in the list").id().to_string())
            .collect();
        assert_eq!(ids, ["choose-1-b7b7f53dd6a8ac43", "draft-1-002407f4f0ceba2f"]);
        assert_eq!(Prompt::newest().id().as_str(), ids[0]);
        assert_eq!(Prompt::named("choose-0"), None);
    }
}
