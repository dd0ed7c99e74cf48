//! Why an answer, or an option of it, is refused: ten rungs, each with one code and one section in `docs/model.md`. Must not
//! repeat what a provider has sent.

use std::fmt;

use thiserror::Error;

use super::brief::Pick;
use crate::decide::{Gate, Near};
use crate::rules::fact;

/// The rungs of the ladder, in the order in which they are climbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// L0: no whole, finished answer has arrived.
    Transport,
    /// L1: not the JSON that was asked for.
    Form,
    /// L2: the form of an answer, but not one to this question.
    Protocol,
    /// L3: an option that the catalogue of the request did not offer.
    Membership,
    /// L4: the state rule, `when` or `never`.
    State,
    /// L5: lifecycle, limits, contact.
    Lifecycle,
    /// L6: component, route and target in the user's app version, page.
    Surface,
    /// L7: locale and slots.
    Copy,
    /// L8: the text rules, on the copy as it would be read.
    Text,
    /// L9: from another catalogue or prompt, out of date, paused, or not approved.
    Provenance,
}

impl Rung {
    /// All of them, from L0 on.
    pub const ALL: [Self; 10] = [
        Self::Transport,
        Self::Form,
        Self::Protocol,
        Self::Membership,
        Self::State,
        Self::Lifecycle,
        Self::Surface,
        Self::Copy,
        Self::Text,
        Self::Provenance,
    ];

    /// The stable code, as metrics, records and the manual name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Form => "form",
            Self::Protocol => "protocol",
            Self::Membership => "membership",
            Self::State => "state",
            Self::Lifecycle => "lifecycle",
            Self::Surface => "surface",
            Self::Copy => "copy",
            Self::Text => "text",
            Self::Provenance => "provenance",
        }
    }

    /// Its number, 0 to 9.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The rung that a gate of the rules stands for: this is how L4 to L9 are judged in every decision. `None` for the
    /// holdout, which judges nothing.
    pub fn of_gate(gate: Gate, near: &Near) -> Option<Self> {
        let out_of_force = [fact::PAUSED, fact::EXPIRED].contains(&&*near.fact);
        Some(match gate {
            Gate::Holdout => return None,
            Gate::State | Gate::When | Gate::Never => Self::State,
            Gate::Lifecycle if out_of_force => Self::Provenance,
            Gate::Lifecycle | Gate::Limits | Gate::Contact => Self::Lifecycle,
            Gate::Surface => Self::Surface,
            Gate::Copy => Self::Copy,
            Gate::Text => Self::Text,
        })
    }

    /// Whether asking once more, with the code, may help: only where the form was wrong.
    pub const fn is_repairable(self) -> bool {
        matches!(self, Self::Form | Self::Protocol)
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{} {}", self.number(), self.code())
    }
}

/// A refusal: of an option, or of the whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The option; `None` for the whole answer, and for a name that is no option's.
    pub option: Option<Pick>,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Refusal {
    /// Of the whole answer.
    pub fn whole(fault: impl Into<Fault>) -> Self {
        Self { option: None, fault: fault.into() }
    }

    /// Of one option.
    pub fn of(option: Pick, fault: impl Into<Fault>) -> Self {
        Self { option: Some(option), fault: fault.into() }
    }

    /// Where on the ladder it was.
    pub const fn rung(&self) -> Rung {
        self.fault.rung()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.option {
            Some(option) => write!(f, "{}: {option}: {}", self.rung(), self.fault),
            None => write!(f, "{}: {}", self.rung(), self.fault),
        }
    }
}

/// What is wrong with an answer when it arrives; each belongs to one rung. What a decision refuses, a gate's near fact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// L0.
    #[error(transparent)]
    Transport(#[from] Transport),
    /// L1.
    #[error(transparent)]
    Form(#[from] Form),
    /// L2.
    #[error(transparent)]
    Protocol(#[from] Protocol),
    /// L3.
    #[error("not an option of the request")]
    Membership,
    /// L9.
    #[error(transparent)]
    Provenance(#[from] Provenance),
}

impl Fault {
    /// The rung that finds it.
    pub const fn rung(self) -> Rung {
        match self {
            Self::Transport(_) => Rung::Transport,
            Self::Form(_) => Rung::Form,
            Self::Protocol(_) => Rung::Protocol,
            Self::Membership => Rung::Membership,
            Self::Provenance(_) => Rung::Provenance,
        }
    }
}

/// L0: why there is no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Transport {
    /// No connection, or it broke.
    #[error("the provider can't be reached")]
    Unreachable,
    /// Nothing came in time.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// It points elsewhere; nobody follows.
    #[error("the provider redirects")]
    Redirected,
    /// An HTTP status that is no success.
    #[error("the provider answers {0}")]
    Status(u16),
    /// A 429 that no wait heals: the account is out of quota.
    #[error("the provider's quota is used up")]
    OutOfQuota,
    /// More bytes than an answer may have.
    #[error("the answer is too large")]
    TooLarge,
    /// Not sent as JSON.
    #[error("the answer is not sent as JSON")]
    WrongType,
    /// It ends at the limit of tokens.
    #[error("the answer is cut off")]
    CutOff,
    /// It ends for a reason that no answer ends for.
    #[error("the answer is not finished")]
    Unfinished,
    /// The model, or a filter, declines to answer.
    #[error("the model declines to answer")]
    Declined,
}

impl Transport {
    /// Whether the same call may succeed later. A 409 is among them: no call of ours changes anything, so what it is in conflict with
    /// is the provider's own, and passes.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::TimedOut | Self::Status(408 | 409 | 425 | 429 | 500..=599)
        )
    }

    /// Whether it speaks against the provider's health: what the breaker counts. A full queue or a bad request does not.
    pub const fn is_ill(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::Status(500..=599))
    }
}

/// L1: why the answer is not the JSON that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Form {
    /// No JSON text; NaN, infinities and numbers beyond a double are none.
    #[error("not JSON")]
    NotJson,
    /// A member stands twice in one object.
    #[error("a member is there twice")]
    Doubled,
    /// A member is missing, or of another type.
    #[error("not of the asked form")]
    Schema,
}

/// L2: why the answer is none to the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Protocol {
    /// An answer to another question, to more than one, or to none.
    #[error("not the one question that was asked")]
    Question,
    /// The options with a probability are not those that were asked about.
    #[error("not the options that were asked about")]
    Options,
    /// An option stands twice.
    #[error("an option is there twice")]
    Doubled,
    /// A probability is not in [0, 1].
    #[error("a probability is out of range")]
    Range,
    /// The probabilities do not sum to 1 within 0.02.
    #[error("the probabilities do not sum to 1")]
    Sum,
    /// The option that is called the best is not the most probable.
    #[error("the choice is not the most probable option")]
    Choice,
    /// Nothing is named.
    #[error("no option is named")]
    Empty,
}

/// L9: why good advice is not in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Provenance {
    /// The catalogue has changed since the question.
    #[error("from another catalogue")]
    Catalogue,
    /// The prompt has changed since the question.
    #[error("from another prompt")]
    Prompt,
    /// The advice is too old.
    #[error("out of date")]
    OutOfDate,
    /// The guide is paused by an operator.
    #[error("paused")]
    Paused,
    /// The guide's time is over.
    #[error("expired")]
    Expired,
    /// The guide is a draft, retired, or gone.
    #[error("not live")]
    NotLive,
    /// A person has to approve the advice, and has not.
    #[error("not approved")]
    NotApproved,
    /// A person has rejected the advice.
    #[error("rejected")]
    Rejected,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_has_a_code_of_its_own_and_its_place() {
        let codes: std::collections::BTreeSet<_> = Rung::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Rung::ALL.len());
        for (place, rung) in Rung::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(rung.number()), place);
        }
        assert_eq!(Rung::Provenance.to_string(), "L9 provenance");
    }

    #[test]
    fn each_gate_stands_for_one_rung() {
        let near = |fact: &'static str| Near {
            fact: fact.into(),
            subject: None,
            needed: None,
            actual: None,
            missing: None,
            at: None,
        };
        let table = [
            (Gate::State, fact::MILESTONE_STATUS, Some(Rung::State)),
            (Gate::When, fact::ATTRIBUTE, Some(Rung::State)),
            (Gate::Never, fact::EVENT_COUNT, Some(Rung::State)),
            (Gate::Lifecycle, fact::LIFECYCLE, Some(Rung::Lifecycle)),
            (Gate::Lifecycle, fact::VARIANTS, Some(Rung::Lifecycle)),
            (Gate::Lifecycle, fact::PAUSED, Some(Rung::Provenance)),
            (Gate::Lifecycle, fact::EXPIRED, Some(Rung::Provenance)),
            (Gate::Surface, fact::PATH, Some(Rung::Surface)),
            (Gate::Copy, fact::COPY_SLOT, Some(Rung::Copy)),
            (Gate::Text, fact::TEXT_RULE, Some(Rung::Text)),
            (Gate::Limits, fact::GUIDE_SHOWS, Some(Rung::Lifecycle)),
            (Gate::Contact, fact::DISMISSED, Some(Rung::Lifecycle)),
            (Gate::Holdout, fact::PAUSED, None),
        ];
        for (gate, fact, rung) in table {
            assert_eq!(Rung::of_gate(gate, &near(fact)), rung, "{gate:?} {fact}");
        }
    }

    #[test]
    fn what_may_be_tried_again_and_what_speaks_against_a_providers_health() {
        let table = [
            (Transport::Unreachable, true, true),
            (Transport::TimedOut, true, true),
            (Transport::Status(503), true, true),
            (Transport::Status(529), true, true),
            (Transport::Status(408), true, false),
            (Transport::Status(429), true, false),
            (Transport::Status(400), false, false),
            (Transport::Status(409), true, false),
            (Transport::Status(401), false, false),
            (Transport::Status(422), false, false),
            (Transport::OutOfQuota, false, false),
            (Transport::Redirected, false, false),
            (Transport::CutOff, false, false),
            (Transport::Declined, false, false),
        ];
        for (fault, again, ill) in table {
            assert_eq!((fault.is_retryable(), fault.is_ill()), (again, ill), "{fault:?}");
        }
    }
}
