//! What an answer says when something is wrong: the closed list of codes, the faults, the problem body. Must not know status codes.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $title:literal;)+) => {
        /// Every code that an answer may carry. Each has a page `docs/errors/CODE.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $name,)+
        }

        impl ErrorCode {
            /// All of them, in the order of their statuses.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as answers carry it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// What went wrong, in a few words that never change.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

error_codes! {
    /// Something in the request's body, path or query is not as it must be; `details` lists every fault.
    ValidationFailed = "validation_failed", "The request is not valid";
    /// No key, or one that is not known.
    Unauthorized = "unauthorized", "A key is needed";
    /// The key demands a signed user, and the token is missing, forged or out of date.
    InvalidUserToken = "invalid_user_token", "The user token is not valid";
    /// The key is publishable, the call needs a secret one.
    Forbidden = "forbidden", "The key does not allow this";
    /// The user token speaks for another user than the request.
    WrongUser = "wrong_user", "The user token is another user's";
    /// A page of this origin may not use the key.
    OriginNotAllowed = "origin_not_allowed", "The origin is not allowed";
    /// Nothing is served at this path.
    NotFound = "not_found", "Nothing is here";
    /// The server does not know the product.
    UnknownProduct = "unknown_product", "The product is not served here";
    /// There is no event and no decision of this user.
    UnknownUser = "unknown_user", "The user is not known";
    /// No decision has this id.
    UnknownDecision = "unknown_decision", "The decision is not known";
    /// The catalogue has no such guide.
    UnknownGuide = "unknown_guide", "The guide is not in the catalogue";
    /// No model has proposed this for the product.
    UnknownProposal = "unknown_proposal", "There is no such proposal";
    /// The path is served, but not with this method; `Allow` lists those that are.
    MethodNotAllowed = "method_not_allowed", "The method is not served here";
    /// The body did not arrive in time.
    RequestTimeout = "request_timeout", "The request took too long to arrive";
    /// The rules have refused the proposal: there is nothing to approve or reject.
    ProposalRefused = "proposal_refused", "The proposal was refused";
    /// The body is larger than the call allows.
    PayloadTooLarge = "payload_too_large", "The body is too large";
    /// The batch holds more events than one request may.
    BatchTooLarge = "batch_too_large", "The batch has too many events";
    /// The body is of a media type or an encoding that the call does not read.
    UnsupportedMediaType = "unsupported_media_type", "The media type is not read here";
    /// The key has sent more requests than it may; `Retry-After` says when to go on.
    RateLimited = "rate_limited", "Too many requests";
    /// A fault of ours; the request id finds it in the log.
    Internal = "internal", "Something broke on our side";
    /// A bounded queue is full; nothing was taken. `Retry-After` says when to try again.
    Overloaded = "overloaded", "The server is overloaded";
    /// A part that the call needs is away. `Retry-After` says when to try again.
    Unavailable = "unavailable", "The service is not available";
    /// The server is starting, draining, or cut off from a part that it needs.
    NotReady = "not_ready", "The server is not ready";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Where: a dotted path into the body (`context.locale`), the body itself where empty, or `query.NAME`.
    pub path: Cow<'static, str>,
    /// What is wrong, in words; never repeats the caller's data.
    pub message: Cow<'static, str>,
}

impl Fault {
    /// A fault at a path.
    pub fn new(path: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// Problem details after RFC 9457, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub struct ProblemBody {
    /// The path of the page that explains the code.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// What went wrong, the same for every problem of the code.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time.
    pub detail: Cow<'static, str>,
    /// Stable; to be told apart by programs.
    pub code: ErrorCode,
    /// The name of this request, also in the header `x-request-id`.
    pub request_id: Box<str>,
    /// Fixed words: `Validation failed` with 400, `Service temporarily unavailable` with 503.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'static, str>>,
    /// Every fault, with 400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<Fault>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_it_is_named_and_none_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ErrorCode::ALL {
            let json = serde_json::to_string(code).expect("writable");
            assert_eq!(json, format!("\"{code}\""));
            assert!(seen.insert(code.as_str()), "{code} is listed twice");
        }
    }
}
