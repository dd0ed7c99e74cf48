//! How a provider of models is asked. Must not know what is asked: a request and an answer are bytes here.

use bytes::Bytes;
use pilotage_domain::advise::refusal::Transport;
use pilotage_domain::time::Millis;
use thiserror::Error;

use super::Answer;

/// One model of one provider, as somebody who takes a request and answers it.
///
/// - One call sends one request, at most once: nobody tries again in here, and nobody follows a redirect. Trying again is
///   `domain::advise::asking`'s to decide.
/// - `ask` resolves within the time that it is given, whatever the provider does; what takes longer is `TimedOut`.
/// - Every HTTP answer is an answer, whatever its status: what it means is `wire::model`'s to say.
/// - A body is read up to one byte more than `wire::model::MAX_ANSWER`; the rest is left where it is.
/// - A future that is dropped gives up the call. The provider may bill it all the same.
/// - Neither requests, nor answers, nor keys are logged.
pub trait Model: Send + Sync + 'static {
    /// Sends this body, JSON in UTF-8, and waits for the answer.
    fn ask(&self, request: Bytes, within: Millis) -> Answer<'_, Result<Raw, ModelError>>;
}

/// What a provider has sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raw {
    /// The HTTP status.
    pub status: u16,
    /// The header `content-type`, where there is one that can be read.
    pub content_type: Option<Box<str>>,
    /// The header `retry-after`.
    pub retry_after: Option<Box<str>>,
    /// The header `retry-after-ms`.
    pub retry_after_ms: Option<Box<str>>,
    /// The body, at most one byte longer than an answer may be.
    pub body: Bytes,
}

/// Why nothing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ModelError {
    /// No connection came about, so nothing was sent.
    #[error("no connection to the provider")]
    NoConnection,
    /// The connection broke; the request may have arrived.
    #[error("the connection to the provider broke")]
    Broken,
    /// The time is over; the request may have arrived.
    #[error("the provider did not answer in time")]
    TimedOut,
}

impl ModelError {
    /// As the ladder names it (L0).
    pub const fn fault(self) -> Transport {
        match self {
            Self::NoConnection | Self::Broken => Transport::Unreachable,
            Self::TimedOut => Transport::TimedOut,
        }
    }

    /// Whether the provider may have worked on the request, and bill it.
    pub const fn may_be_billed(self) -> bool {
        !matches!(self, Self::NoConnection)
    }
}
