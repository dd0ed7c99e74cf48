//! The sample product's pages beside the API, for `pilotage demo`. Must be served in development only.

use axum::Router;
use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::Response;

use crate::app::App;
use crate::assets::{self, Asset};
use crate::edge::page;
use crate::routes::{Site, site};

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

/// Where its files are.
const FILES: &str = "/demo/";

/// No inline script or style, nothing from elsewhere: what a careful product of today allows.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Everything that `site` serves, and the sample product under `/`.
pub fn site_with_demo(app: &App) -> Site {
    let product = app.engine.products().first().map(ToString::to_string).unwrap_or_default();
    let config = serde_json::json!({ "product": product, "appVersion": "2.1.0" }).to_string();
    let config = page(app, move |_| Some(answer("application/json", config.clone())));
    let document = page(app, |_| file("index.html"));
    let files = page(app, |request| file(request.uri().path().strip_prefix(FILES)?));
    let pages = PAGES
        .iter()
        .fold(Router::new(), |router, page| router.route(page, document.clone()))
        .route("/demo/config.json", config)
        .route("/demo/{file}", files);
    site(app).with(pages)
}

fn file(name: &str) -> Option<Response> {
    assets::find_demo(name).map(|asset| answer(Asset::media(asset), asset.text))
}

fn answer(media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
