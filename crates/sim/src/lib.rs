//! Simulated users over the real engine. Must not open a socket, sleep, read a clock or draw from anything but its seed.
//!
//! - `draw`: numbers by chance from a seed.
//! - `product`: the sample product as its visitors find it: pages, steps, versions.
//! - `persona`: what keeps a visitor from the first report, in numbers.
//! - `visitor`: one visitor, a state machine over moments: what they do, what they make of a guide.
//! - `truth`: what is true of a visitor, kept without the engine, to judge what the engine shows.
//! - `nature`: what the world is like that they live in.
//! - `visit`: lets visitors loose on an engine, in the order of time.
//! - `visited`: what came of it, as numbers, JSON and a table.
//! - `compare`: the same visitors under several ways to guide, in several worlds.
//! - `evaluate`: what another policy would have been worth, from a log of decisions.
//! - `replay`: recorded traffic under another definition or policy; and the decision log as rows.
//! - `page`: pictures of reports.

pub mod compare;
mod draw;
pub mod evaluate;
mod nature;
mod page;
mod persona;
mod product;
pub mod replay;
mod truth;
mod visit;
mod visited;
mod visitor;

/// The ports that a simulated engine is opened with: a clock that stands still, and names from a seed.
pub use pilotage_engine::memory::{ManualClock, SeededEntropy};
pub use product::NotTheSample;
pub use truth::Invalid;
pub use visit::{Plan, VisitError, visit};
pub use visited::{Activation, Contacts, Visited};
