//! Every JSON body and stored record that leaves the process, versioned: old versions load for ever. Must not decide anything.

pub mod event;
