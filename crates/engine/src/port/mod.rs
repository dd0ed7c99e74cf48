//! What the engine asks of the world, as contracts. Must not name a library or a back end.

pub mod book;
pub mod clock;
pub mod feed;
pub mod governor;
pub mod log;
pub mod meter;
pub mod model;
pub mod shared;
pub mod store;

use std::future::Future;
use std::pin::Pin;

/// A boxed future: ports are chosen at run time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
