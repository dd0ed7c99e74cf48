//! The stored forms: what stands in the log and in the store. Every past version must load for ever.

pub mod decision;
pub mod event;
pub mod kafka;
pub mod learner;
pub mod merge;
pub mod offer;
pub mod user;

use serde::Deserialize;
use serde_json::error::Category;
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

/// Why a JSON body can't be read: a later version's may have another form altogether.
fn newer_or(error: serde_json::Error, body: &[u8], known: u64) -> RecordError {
    #[derive(Deserialize)]
    struct Versioned {
        v: u64,
    }
    match serde_json::from_slice(body) {
        Ok(Versioned { v: found }) if found > known => RecordError::Newer { found, known },
        _ => error.into(),
    }
}

impl From<serde_json::Error> for RecordError {
    fn from(error: serde_json::Error) -> Self {
        // Its own words may quote what stands in the record, which may be personal.
        let what = match error.classify() {
            Category::Io => "it can't be read",
            Category::Syntax => "it is not JSON",
            Category::Data => "a field is missing or has another form",
            Category::Eof => "it ends too soon",
        };
        Self::Malformed(format!("{what}, at line {} column {}", error.line(), error.column()))
    }
}
