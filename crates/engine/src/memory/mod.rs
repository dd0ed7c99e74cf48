//! Memory twins of the ports: the same contracts without durability, for tests and simulations. Must not be served from.
//!
//! A twin is a handle on shared contents. `reopen` makes a new handle on the same contents, as a restart would, and
//! `set_fault` makes the writes of one handle fail.

mod book;
pub mod clock;
pub mod feed;
pub mod governor;
pub mod log;
pub mod model;
pub mod shared;
pub mod store;

pub use clock::{ManualClock, SeededEntropy};
pub use feed::{MemoryFeed, MemoryGroup, ONLY};
pub use governor::MemoryGovernor;
pub use log::MemoryLog;
pub use model::Scripted;
pub use shared::MemoryShared;
pub use store::MemoryStore;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A failure that a twin is told to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The log's queue is full; a store has none and takes it for `Unavailable`.
    Full,
    /// Writes fail.
    Unavailable,
    /// The next fold of a store fails, and takes effect only when the one after it is made: as where a commit takes longer than
    /// anybody waits. It is no fault from then on. A log takes it for none.
    Late,
}

/// Takes the lock. What it guards is whole between statements, so a panic of another holder does no harm.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
