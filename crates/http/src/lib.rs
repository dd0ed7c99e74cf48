//! The HTTP API: routes, keys, limits, problems. The only room that knows status codes; must not decide or store anything.

mod access;
mod app;
mod assets;
mod body;
mod cors;
mod demo;
mod edge;
mod keys;
mod metrics;
mod openapi;
mod problem;
mod rate;
mod request_id;
mod routes;
mod serve;

pub use app::{App, Settings, SetupFault, check};
pub use demo::site_with_demo;
pub use keys::{KeyFault, KeyKind, KeySpec, Keys};
pub use metrics::{Name as MetricName, install as install_metrics};
pub use openapi::document as openapi_document;
pub use rate::Rate;
pub use routes::{Part, Site, site, site_of};
pub use serve::{ServeError, serve};
