//! The decision log as a Parquet file: the columns of `wire::decision_log::Row`. Must not know what rows mean.
//!
//! Columns have the names that the JSON form has; all are optional but `actions`, a list of structs. Instants are milliseconds
//! in UTC. Written files are compressed with Snappy; read ones may be so, or not at all.

mod read;
mod write;

use std::io;

use parquet::errors::ParquetError;
use thiserror::Error;

pub use read::read;
pub use write::write;

/// Why a file can't be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file is not there, or the disk is full.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It is no Parquet file that is understood here.
    #[error("{0}")]
    Parquet(#[from] ParquetError),
    /// A column does not hold what it should.
    #[error("row {row}: the column `{column}` must hold {wanted}")]
    Column {
        /// The row's number, from 1.
        row: usize,
        /// The column's name.
        column: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// A row names no action.
    #[error("row {0}: the column `action` is missing")]
    NoAction(usize),
}

#[cfg(test)]
mod tests;
