//! Every JSON body and stored record that leaves the process, versioned: old versions load for ever. Must not decide anything.

pub mod event;
pub mod guide;
pub mod instant;
pub mod record;
