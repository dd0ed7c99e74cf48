//! How much say a model's advice has, for the product and for each guide, and how it loses it. Must not give it more say by
//! itself: only a person does.

use serde::{Deserialize, Serialize};

use super::history::Approval;
use super::rise::{Rates, Score, Seen};
use crate::hash::uniform_unit;
use crate::id::{ProductId, UserId};
use crate::number::Probability;

/// What the model's advice may do, from nothing to everything that the rules allow.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No model is asked.
    #[default]
    Off,
    /// It is asked, judged and kept, and enters no decision.
    Shadow,
    /// It enters decisions once a person has approved the situation's advice.
    Review,
    /// It enters the decisions of a share of users.
    Canary,
    /// It enters the decisions of all guided users.
    Live,
}

impl Mode {
    /// All of them, from the least say on.
    pub const ALL: [Self; 5] = [Self::Off, Self::Shadow, Self::Review, Self::Canary, Self::Live];

    /// As settings and answers name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::Review => "review",
            Self::Canary => "canary",
            Self::Live => "live",
        }
    }

    /// The mode of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether a model is asked at all.
    pub const fn asks(self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Whether the advice may enter a decision about this user, on the terms that `approval` gives.
    pub fn admits(self, canary: Probability, product: &ProductId, user: &UserId) -> bool {
        match self {
            Self::Off | Self::Shadow => false,
            Self::Review | Self::Live => true,
            Self::Canary => in_canary(canary, product, user),
        }
    }

    /// Whether a person has to approve the advice first.
    pub const fn approval(self) -> Approval {
        match self {
            Self::Review => Approval::Needed,
            _ => Approval::NotNeeded,
        }
    }

    /// A guide's mode under the product's: the lesser of both.
    #[must_use]
    pub fn under(self, product: Self) -> Self {
        self.min(product)
    }
}

/// Whether the user is in the canary share, by a stable hash of product and user: a share that grows keeps its users.
fn in_canary(share: Probability, product: &ProductId, user: &UserId) -> bool {
    let parts = [product.as_str().as_bytes(), user.as_str().as_bytes()];
    uniform_unit("canary", &parts) < share.get()
}

/// A mode and what speaks for taking it back. Of a guide, or of the product as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Say {
    mode: Mode,
    refusals: Score,
    harm: Score,
}

impl Say {
    /// The mode in force.
    pub const fn mode(&self) -> Mode {
        self.mode
    }
}

/// What happens to a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// A person sets the mode.
    Set(Mode),
    /// An answer that names the guide (or any answer, for the product) passed the ladder.
    Passed,
    /// It was refused at L1, L2, L3 or L9: the model's own doing, or nobody's.
    Refused,
    /// A guide that was chosen with advice was seen, and not dismissed.
    Borne,
    /// It was dismissed.
    Dismissed,
}

/// What somebody has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The advice has lost its say, and is in shadow from now on.
    Demoted {
        /// The mode until now.
        from: Mode,
        /// What has risen.
        cause: Cause,
    },
}

/// Why advice has lost its say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Answers are refused too often.
    Refusals,
    /// Guides that it helped to choose are dismissed too often.
    Harm,
}

/// Answers of a sound model are refused this often, and of an unsound one this often.
const REFUSALS: Rates = Rates::new(0.05, 0.2);
/// Guides are dismissed this often, and too often.
const HARM: Rates = Rates::new(0.2, 0.4);

/// The next say. From review, canary and live, an alarm leads back to shadow: answers are still judged and kept, so that a
/// person can see whether it may rise again. Setting a mode begins to count afresh.
pub fn step(say: Say, command: Command) -> (Say, Vec<Effect>) {
    let mut say = say;
    match command {
        Command::Set(mode) => return (Say { mode, ..Say::default() }, Vec::new()),
        Command::Passed => say.refusals = say.refusals.see(Seen::No, REFUSALS),
        Command::Refused => say.refusals = say.refusals.see(Seen::Yes, REFUSALS),
        Command::Borne => say.harm = say.harm.see(Seen::No, HARM),
        Command::Dismissed => say.harm = say.harm.see(Seen::Yes, HARM),
    }
    let cause = match (say.refusals.is_alarm(), say.harm.is_alarm()) {
        (true, _) => Cause::Refusals,
        (false, true) => Cause::Harm,
        (false, false) => return (say, Vec::new()),
    };
    if say.mode <= Mode::Shadow {
        return (say, Vec::new());
    }
    let demoted = Say { mode: Mode::Shadow, ..Say::default() };
    (demoted, vec![Effect::Demoted { from: say.mode, cause }])
}

#[cfg(test)]
mod tests;
