//! Every JSON body and stored record that leaves the process, versioned: old versions load for ever. Must not decide anything.

pub mod api;
pub mod decision_log;
pub mod event;
pub mod guide;
pub mod instant;
pub mod model;
pub mod object;
pub mod problem;
pub mod record;
pub mod schema;
pub mod yaml;
