//! The name of a request: the caller's `x-request-id` where it is fit to be logged, else one of ours. Must not be a secret.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use pilotage_domain::hash::tagged;

/// The header that names a request, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const LONGEST: usize = 64;

/// The request's name as a header value: only letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).filter(|value| is_fit(value.as_bytes()));
        Self(given.cloned().unwrap_or_else(fresh))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn into_value(self) -> HeaderValue {
        self.0
    }
}

fn is_fit(id: &[u8]) -> bool {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&id.len()) && id.iter().all(fits)
}

/// Eight digits that differ from process to process, eight that count.
fn fresh() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0) << 32);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = *PROCESS | (COUNT.fetch_add(1, Ordering::Relaxed) & u64::from(u32::MAX));
    let text = tagged::<20>(*b"req_", number.into());
    // Twenty visible characters are always a header value.
    HeaderValue::from_bytes(&text).expect("a fresh id is well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_names_are_kept_and_others_replaced_by_distinct_ones() {
        let of = |value: &'static str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(value))]);
            RequestId::of(&headers).as_str().to_owned()
        };
        assert_eq!(of("abc-1.2_Z"), "abc-1.2_Z");
        let replaced = [of(""), of("a b"), of("x<script>"), of("a"), of("b\u{7e}")];
        assert_eq!(replaced[3], "a");
        assert!(replaced[0].starts_with("req_") && replaced[0].len() == 20);
        assert_ne!(replaced[0], replaced[1]);
        assert!(replaced[2].starts_with("req_"));
    }
}
