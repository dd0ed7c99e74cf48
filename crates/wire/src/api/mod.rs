//! The bodies of the HTTP API, one file per topic. Must not know routes or status codes.

pub mod decision;
pub mod ingest;
pub mod learner;
pub mod operate;
mod schema;
pub mod timeline;
pub mod user;
