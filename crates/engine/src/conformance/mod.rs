//! What every implementation of a port must do, as tests that are run for each. Must not know any implementation.
//!
//! An implementation says where it lives (`JournalPlace`, `LogPlace`, `StorePlace`, `SharedPlace`) and calls
//! `journal_conformance!`, `log_conformance!`, `store_conformance!` or `shared_conformance!` in a test module with a
//! function that makes a new, empty place.

pub mod journal;
pub mod log;
pub mod shared;
pub mod store;

use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;

use crate::port::Answer;
use crate::port::log::{Entry, EntryName, Journal, Log};
use crate::port::shared::Shared;
use crate::port::store::{Store, UserKey};

/// A place where one journal lives. It is open once at a time; the next `open` after a `close` is a restart.
pub trait JournalPlace: Send + Sync + 'static {
    /// Opens the journal, empty at first.
    fn open(&self) -> Answer<'_, Arc<dyn Journal>>;
}

/// A place where one log lives. It is open once at a time; the next `open` after a `close` is a restart.
pub trait LogPlace: Send + Sync + 'static {
    /// Opens the log, empty at first.
    fn open(&self) -> Answer<'_, Arc<dyn Log>>;
}

/// A place where one store lives. It is open once at a time; the next `open` after a `close` is a restart.
pub trait StorePlace: Send + Sync + 'static {
    /// Opens the store, empty at first.
    fn open(&self) -> Answer<'_, Arc<dyn Store>>;
}

/// A place where one shared store lives. Each `open` is one more process that shares it.
pub trait SharedPlace: Send + Sync + 'static {
    /// Opens the store, empty at first.
    fn open(&self) -> Answer<'_, Arc<dyn Shared>>;
}

/// A test for each named case of the suite of a port.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($port:ident, $make:expr, $($case:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::conformance::$port::$case(&$make()).await;
        }
    )+};
}

fn product(name: &str) -> ProductId {
    ProductId::new(name).expect("a test's product")
}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("a test's user")
}

fn key(product_name: &str, user_name: &str) -> UserKey {
    UserKey { product: product(product_name), user: user(user_name) }
}

fn event_id(name: &str) -> EventId {
    EventId::new(name).expect("a test's event id")
}

/// An event of product `p`.
fn event(user_name: &str, id: &str) -> Entry {
    Entry {
        product: product("p"),
        user: user(user_name),
        name: EntryName::Event(event_id(id)),
        received_at: Timestamp::from_millis(1_700_000_000_000),
        body: Bytes::from(format!("{user_name} {id}")),
        event: None,
    }
}

/// A decision of product `p`.
fn decision(user_name: &str, id: u128) -> Entry {
    Entry {
        name: EntryName::Decision(DecisionId::from_bits(id)),
        body: Bytes::from(format!("{user_name} decision {id}")),
        ..event(user_name, "unused")
    }
}

/// That the one is the other, in product `p`.
fn naming(anonymous: &str, known: &str) -> Entry {
    Entry {
        name: EntryName::Named(user(known)),
        body: Bytes::from(format!("{anonymous} is {known}")),
        ..event(anonymous, "unused")
    }
}

/// What the known one takes over, in product `p`, folded under that.
fn carrying(known: &str, anonymous: &str, fold: &str) -> Entry {
    Entry {
        name: EntryName::Carried(user(anonymous), ContentHash::of(&[fold.as_bytes()])),
        body: Bytes::from(format!("{known} was {anonymous}")),
        ..event(known, "unused")
    }
}
