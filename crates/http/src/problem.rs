//! Why a request is refused, and how that is said: status, headers, problem body. Must not repeat what the caller sent.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use pilotage_wire::problem::{ErrorCode, Fault, ProblemBody};

/// A refusal on its way to the caller.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: ErrorCode,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) faults: Vec<Fault>,
    /// Seconds.
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    /// A refusal with the words that say what is wrong this time.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = match code {
            ErrorCode::Overloaded | ErrorCode::NotReady => Some(1),
            ErrorCode::Unavailable => Some(5),
            _ => None,
        };
        Self { code, detail: detail.into(), faults: Vec::new(), retry_after }
    }

    /// A request that is wrong in these places.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            1 => Cow::Borrowed("1 fault, listed in details"),
            n => Cow::Owned(format!("{n} faults, listed in details")),
        };
        Self { faults, ..Self::new(ErrorCode::ValidationFailed, detail) }
    }

    /// A request that is wrong in one place.
    pub(crate) fn fault(
        path: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::invalid(vec![Fault::new(path, message)])
    }

    /// A fault of ours. What it is goes to the log, never to the caller.
    pub(crate) fn internal() -> Self {
        Self::new(ErrorCode::Internal, "the fault is in the server's log under this request id")
    }

    /// The answer that says so.
    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let status = status_of(self.code);
        let body = ProblemBody {
            kind: page_of(self.code).into(),
            title: self.code.title().into(),
            status: status.as_u16(),
            detail: self.detail,
            code: self.code,
            request_id: request_id.into(),
            error: match status {
                StatusCode::BAD_REQUEST => Some("Validation failed".into()),
                StatusCode::SERVICE_UNAVAILABLE => Some("Service temporarily unavailable".into()),
                _ => None,
            },
            details: (status == StatusCode::BAD_REQUEST).then_some(self.faults),
        };
        // Text, numbers and lists: nothing in it can fail to be written to memory.
        let json = serde_json::to_vec(&body).expect("a problem is always writable");
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The status that a code is answered with.
pub(crate) const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::ValidationFailed => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized | ErrorCode::InvalidUserToken => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::WrongUser | ErrorCode::OriginNotAllowed => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::NotFound
        | ErrorCode::UnknownProduct
        | ErrorCode::UnknownUser
        | ErrorCode::UnknownDecision
        | ErrorCode::UnknownGuide
        | ErrorCode::UnknownProposal => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::ProposalRefused => StatusCode::CONFLICT,
        ErrorCode::PayloadTooLarge | ErrorCode::BatchTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Overloaded | ErrorCode::Unavailable | ErrorCode::NotReady => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

macro_rules! pages {
    ($($code:ident = $name:literal,)+) => {
        /// The path of the page that explains the code.
        const fn page_of(code: ErrorCode) -> &'static str {
            match code { $(ErrorCode::$code => concat!("/docs/errors/", $name)),+ }
        }

        /// The text of the page that explains the code.
        pub(crate) const fn page_text(code: ErrorCode) -> &'static str {
            match code {
                $(ErrorCode::$code => include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $name, ".md"
                ))),+
            }
        }
    };
}

pages! {
    ValidationFailed = "validation_failed",
    Unauthorized = "unauthorized",
    InvalidUserToken = "invalid_user_token",
    Forbidden = "forbidden",
    WrongUser = "wrong_user",
    OriginNotAllowed = "origin_not_allowed",
    NotFound = "not_found",
    UnknownProduct = "unknown_product",
    UnknownUser = "unknown_user",
    UnknownDecision = "unknown_decision",
    UnknownGuide = "unknown_guide",
    UnknownProposal = "unknown_proposal",
    ProposalRefused = "proposal_refused",
    MethodNotAllowed = "method_not_allowed",
    RequestTimeout = "request_timeout",
    PayloadTooLarge = "payload_too_large",
    BatchTooLarge = "batch_too_large",
    UnsupportedMediaType = "unsupported_media_type",
    RateLimited = "rate_limited",
    Internal = "internal",
    Overloaded = "overloaded",
    Unavailable = "unavailable",
    NotReady = "not_ready",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_pages_are_one_to_one() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the folder of pages")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
            .collect();
        let known: BTreeSet<String> =
            ErrorCode::ALL.iter().map(|code| code.as_str().to_owned()).collect();
        assert_eq!(on_disk, known);
    }

    #[test]
    fn a_page_says_its_code_its_status_and_what_to_do() {
        for code in ErrorCode::ALL {
            assert!(page_of(*code).ends_with(&format!("/{code}")), "{code} leads elsewhere");
            let text = page_text(*code);
            let heading = format!("# {code} ({})", status_of(*code).as_u16());
            assert!(text.starts_with(&heading), "the page of {code} must begin with: {heading}");
            assert!(text.contains(code.title()), "the page of {code} must hold its title");
            assert!(text.contains("## What to do"), "the page of {code} must say what to do");
        }
    }
}
