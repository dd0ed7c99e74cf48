//! What is the same for everyone: the SDK, the OpenAPI document, the pages about errors. Must not depend on a product.

use axum::body::Body;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use pilotage_wire::problem::ErrorCode;

use super::lookup::segment;
use super::typed;
use crate::assets::{self, Asset};
use crate::edge::{Answer, Call};
use crate::openapi;
use crate::problem::{Problem, page_text};

const CROSS_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `GET /sdk.js`
pub(super) async fn sdk(call: Call) -> Answer {
    script(&call, "sdk.js")
}

/// `GET /sdk/{file}`
pub(super) async fn sdk_module(mut call: Call) -> Answer {
    let file = segment(&mut call.parts).await.filter(|file| file != "sdk.js");
    script(&call, &file.unwrap_or_default())
}

/// A script that pages of any origin may load, and that browsers ask for again by its tag.
fn script(call: &Call, name: &str) -> Answer {
    let Some(Asset { text, tag, .. }) = assets::find(name) else {
        return Err(Problem::new(ErrorCode::NotFound, "the SDK has no such module"));
    };
    let known = call.parts.headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fresh = known.is_some_and(|known| {
        known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
    });
    let mut response = typed(StatusCode::OK, "text/javascript; charset=utf-8", *text);
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(tag).map_err(|_| Problem::internal())?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(CROSS_ORIGIN, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// `GET /openapi.json`
pub(super) async fn openapi(_: Call) -> Answer {
    Ok(typed(StatusCode::OK, "application/json", openapi::text()))
}

/// `GET /docs/errors/{code}`
pub(super) async fn error_page(mut call: Call) -> Answer {
    let name = segment(&mut call.parts).await.unwrap_or_default();
    let code = ErrorCode::ALL.iter().find(|code| code.as_str() == name);
    let unknown = || Problem::new(ErrorCode::NotFound, "there is no such error code");
    let text = page_text(*code.ok_or_else(unknown)?);
    // As plain text every browser shows it; Markdown is made to be read so.
    Ok(typed(StatusCode::OK, "text/plain; charset=utf-8", text))
}
