//! The ports over real back ends. Must not decide anything: a contract is stated in `engine::port` and only kept here.

#[cfg(feature = "model")]
pub mod model;
#[cfg(feature = "sqlite")]
pub mod sqlite;
