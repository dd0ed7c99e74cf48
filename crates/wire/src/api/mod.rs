//! The bodies of the HTTP API, one file per topic. Must not know routes or status codes.

pub mod decision;
pub mod ingest;
pub mod learner;
pub mod model;
pub mod operate;
pub mod report;
mod schema;
pub mod timeline;
pub mod user;
