//! The sample product's pages beside the API, for `pilotage demo`. Must be served in development only.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;

use crate::app::App;
use crate::assets::{self, Asset};
use crate::routes::router;

/// The pages of the sample product; one document serves them all.
const PAGES: [&str; 7] = [
    "/",
    "/projects",
    "/import",
    "/reports",
    "/settings/billing",
    "/settings/billing/retry",
    "/support",
];

/// No inline script or style, nothing from elsewhere: what a careful product of today allows.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Everything that `router` serves, and the sample product under `/`.
pub fn router_with_demo(app: &App) -> Router {
    let product = app.engine.products().first().map(ToString::to_string).unwrap_or_default();
    let config = serde_json::json!({ "product": product, "appVersion": "2.1.0" }).to_string();
    PAGES
        .iter()
        .fold(router(app), |router, page| router.route(page, get(|| async { file("index.html") })))
        .route("/demo/config.json", get(|| async move { answer("application/json", config) }))
        .route("/demo/{file}", get(|Path(name): Path<String>| async move { file(&name) }))
}

fn file(name: &str) -> Response {
    match assets::find_demo(name) {
        Some(asset) => answer(Asset::media(asset), asset.text),
        None => {
            let mut missing =
                answer("text/plain; charset=utf-8", "the sample product has no such file\n");
            *missing.status_mut() = StatusCode::NOT_FOUND;
            missing
        }
    }
}

fn answer(media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
