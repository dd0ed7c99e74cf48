//! The gates that a guide must pass before a user may see it. Must not choose among those that pass.

pub mod copy;
mod link;
pub mod path;
pub mod text;
pub mod version;
