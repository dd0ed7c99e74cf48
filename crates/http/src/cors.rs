//! Which pages may call: origins by allow-list. Must not let a page of another origin use a key that is not meant for it.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST,
    ORIGIN, VARY,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};

use crate::keys::{Key, Keys};

const REQUEST_HEADERS: &str = "authorization, content-type, traceparent, x-api-version, x-pilotage-product, x-pilotage-user-token, x-request-id";
const ANSWER_HEADERS: &str = "date, retry-after, x-request-id";
/// How long a browser may keep a preflight's answer, in seconds; browsers cap it themselves.
const MAX_AGE: &str = "7200";

/// `http` or `https`, a host, perhaps a port, and nothing else: what browsers send as `Origin`.
pub(crate) fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.contains('@') && host.to_lowercase() == host && host.parse::<Authority>().is_ok()
    })
}

/// Where a request comes from, as far as a browser says so.
pub(crate) fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("null"))
}

/// Whether a page of that origin may use the key (under `--dev`, no key).
pub(crate) fn may_use(headers: &HeaderMap, key: Option<&Key>) -> bool {
    let Some(origin) = origin(headers) else { return true };
    let listed = match key {
        Some(key) => key.origins.iter().any(|allowed| **allowed == *origin),
        None => is_loopback(authority(origin)),
    };
    listed || is_own(origin, headers)
}

/// The server's own pages: the origin names the host that was called.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| authority(origin).eq_ignore_ascii_case(host))
}

fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or("", |(_, authority)| authority)
}

/// Whether the request was sent to this machine by one of its own names. A page elsewhere can make its own name lead
/// here, but then that name is what the browser sends as `Host`.
pub(crate) fn host_is_loopback(headers: &HeaderMap) -> bool {
    headers.get(HOST).is_none_or(|host| host.to_str().is_ok_and(is_loopback))
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host();
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    match plain.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Lets the page read the answer, where its origin may use any key at all.
pub(crate) fn share(answer: &mut HeaderMap, asked: &HeaderMap, keys: &Keys) {
    let Some(origin) = asked.get(ORIGIN) else { return };
    answer.append(VARY, HeaderValue::from_static("origin"));
    let listed = if keys.is_dev() {
        may_use(asked, None)
    } else {
        keys.all()
            .any(|key| key.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()))
    };
    if listed {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        // Beacons ask in the name of the user's cookies; we read none.
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    }
}

/// The answer to "may I?": what `share` says, and what may be sent.
pub(crate) fn preflight(answer: &mut HeaderMap) {
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_told_from_other_addresses() {
        for good in ["https://app.example.com", "http://localhost:5173", "http://[::1]:80"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "https://app.example.com/",
            "app.example.com",
            "https://",
            "null",
            "*",
            "https://u@example.com",
            "https://App.example.com",
            "ftp://example.com",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }

    #[test]
    fn this_machine_has_many_names() {
        for here in
            ["localhost", "localhost:8080", "127.0.0.1", "127.3.2.1:80", "[::1]:80", "a.localhost"]
        {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in
            ["example.com", "localhost.example.com", "10.0.0.1", "", "[::2]", "notlocalhost"]
        {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn under_dev_only_this_machines_pages_may_call() {
        let from = |origin: &'static str| {
            HeaderMap::from_iter([
                (ORIGIN, HeaderValue::from_static(origin)),
                (HOST, HeaderValue::from_static("127.0.0.1:7700")),
            ])
        };
        assert!(may_use(&from("http://localhost:5173"), None));
        assert!(may_use(&HeaderMap::new(), None));
        assert!(!may_use(&from("https://evil.example"), None));
        assert!(!may_use(&from("null"), None));
    }
}
