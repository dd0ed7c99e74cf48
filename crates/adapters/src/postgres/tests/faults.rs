//! X. Must not.
