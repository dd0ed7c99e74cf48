//! What a decision may hear of a model: the situation's name under the prompt in force, and advice about it. Must not make a
//! decision wait: whoever answers does so from memory.

use serde::{Deserialize, Serialize};

use crate::advise::Prior;
use crate::advise::history::Source;
use crate::hash::ContentHash;
use crate::id::{GuideId, UserId};
use crate::rules::Situation;

/// What is decided about, as a model would see it.
#[derive(Debug, Clone, Copy)]
pub struct Matter<'a> {
    /// The situation.
    pub situation: &'a Situation<'a>,
    /// The guides that fit it.
    pub guides: &'a [&'a GuideId],
    /// Its name, as `Counsel::name` gave it.
    pub signature: ContentHash,
    /// For whom is decided: some advice is for a share of users.
    pub user: &'a UserId,
}

/// Who knows what models have advised.
pub trait Counsel {
    /// The situation's name, with the prompt in force.
    fn name(&self, situation: &Situation<'_>, guides: &[&GuideId]) -> ContentHash;

    /// What is advised about it, where something is in force that may enter this user's decision.
    fn advise(&self, matter: &Matter<'_>) -> Option<(Prior, Advised)>;
}

/// Which advice a decision took, and how much was left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advised {
    /// The answer of record that gave it.
    pub answer: u64,
    /// Whose advice it is.
    pub source: Source,
    /// What was left of it, in thousandths: 1000 while it is fresh and nothing speaks against it.
    pub thousandths: u16,
}
