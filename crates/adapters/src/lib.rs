//! The ports over real back ends. Must not decide anything: a contract is stated in `engine::port` and only kept here.

#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "model")]
pub mod model;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
