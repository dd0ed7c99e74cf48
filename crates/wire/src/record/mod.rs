//! The stored forms: what stands in the log and in the store. Every past version must load for ever.

pub mod decision;
pub mod event;
pub mod kafka;
pub mod learner;
pub mod offer;
pub mod user;

use thiserror::Error;

/// Why a stored record can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Written by a later version of the program.
    #[error("the record has version {found}; this program reads up to {known}")]
    Newer {
        /// The record's version.
        found: u64,
        /// The newest one known here.
        known: u64,
    },
    /// Not what was ever written.
    #[error("the record can't be read: {0}")]
    Malformed(String),
}

impl From<serde_json::Error> for RecordError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
