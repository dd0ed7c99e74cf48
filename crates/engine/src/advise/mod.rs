//! Asking models: one job about one situation, from its brief to advice or none. Must not be on a request's path, choose
//! anything for a user, or know more of one than a brief holds.
//!
//! An `Advisor` stands beside the use cases: `meet` gathers situations about which nothing fresh is known, `work` takes them
//! from the store and asks, `known` is what the book of answers comes to, and `hearing` what a decision hears of it.
//!
//! `draft_once` asks for drafts of copy, which a person reads: a command calls it, and nothing that serves.
//!
//! `ask_once` performs what the domain's machines say: `asking` the tries, the repair and the next provider, `breaker` and
//! `budget` whether a call may be made. Each call that was made is told as a `Call`, with the record to be kept of it.

mod advisor;
mod ask;
mod call;
mod counts;
mod draft;
mod governor;
mod hearing;
mod known;
mod meet;
mod outcomes;
mod provider;
mod question;
mod review;
mod sample;
mod setup;
#[cfg(test)]
mod tests;
mod verify;
mod watch;
mod work;

use pilotage_domain::advise::price::PriceTable;
use pilotage_domain::advise::{Advice, Brief, Refusal};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::{GuideId, ProviderId};
use pilotage_domain::time::Timestamp;
use pilotage_wire::model::Prompt;

pub use ask::ask_once;
pub use call::{Barred, Call};
pub use counts::{Counted, OfProvider};
pub use draft::{Drafted, draft_once};
pub use provider::Provider;
pub use question::{NoQuestion, question};
pub use review::{ModelView, Proposal, ProviderView, ReviewError};
pub use sample::{NoSample, Sample, sample};
pub use setup::Setup;
pub use verify::{Audit, Broken, verify};

pub(crate) use advisor::{Advisor, BookError};
pub(crate) use hearing::Hearing;
pub(crate) use work::{Role, spawn};

use crate::port::clock::{Clock, Entropy};
use crate::port::governor::Governor;

/// What a job works with; the same for all jobs of a process.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// Whom to ask, in order: the next one where one fails.
    pub providers: &'a [Provider],
    /// What calls cost. A model that is not in it is not called.
    pub prices: &'a PriceTable,
    /// What may be spent.
    pub governor: &'a dyn Governor,
    /// The machine's clock, also where decisions go by the events': providers and budgets live in this time.
    pub clock: &'a dyn Clock,
    /// For the length of waits.
    pub entropy: &'a dyn Entropy,
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct Matter<'a> {
    /// The definition in force.
    pub definition: &'a Definition,
    /// The prompt in force.
    pub prompt: &'a Prompt,
    /// Guides paused by an operator.
    pub paused: &'a [GuideId],
    /// The question about the situation.
    pub brief: &'a Brief,
}

/// What came of a job.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// The calls that were made, in order.
    pub calls: Vec<Call>,
    /// The calls that were not, in order.
    pub barred: Vec<(ProviderId, Barred)>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Advice to be kept with the situation.
    Advised {
        /// Who gave it.
        provider: ProviderId,
        /// What.
        advice: Advice,
    },
    /// None. What stands in for it: the last good advice, else the parent's, else nothing.
    GaveUp {
        /// The last refusal; `None` where no provider could be called.
        last: Option<Refusal>,
        /// Not to be tried before, where a provider said so.
        not_before: Option<Timestamp>,
    },
}
