//! The log port: the durable, ordered truth. Must not interpret a record's body.

use std::sync::Arc;

use bytes::Bytes;
use pilotage_domain::event::{Event, Position};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use thiserror::Error;

use super::Answer;
use super::meter::Commits;

/// A record to be appended.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose product.
    pub product: ProductId,
    /// About whom; records of one user keep their order.
    pub user: UserId,
    /// What it is, and by which name it is known.
    pub name: EntryName,
    /// When the server took it.
    pub received_at: Timestamp,
    /// The stored form; opaque here.
    pub body: Bytes,
    /// The event that the body holds, as far as its fold heeds it, where whoever appends it has it at hand.
    pub event: Option<Arc<Event>>,
}

/// What a record is, and the name by which a second one is known to be the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryName {
    /// An event. A second one with the same product, user and id is a duplicate.
    Event(EventId),
    /// A decision. Its id is new by construction; found again by `find_decision`.
    Decision(DecisionId),
    /// That the user is one person with this known one. A second one with the same product, user and known user is a
    /// duplicate.
    Named(UserId),
    /// What is carried to the user from this one, who was merged into it, as folded under what has this hash. A second one
    /// with the same product, users and hash is a duplicate.
    Carried(UserId, ContentHash),
}

impl EntryName {
    /// What a record of that name is.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Event(_) => RecordKind::Event,
            Self::Decision(_) => RecordKind::Decision,
            Self::Named(_) => RecordKind::Named,
            Self::Carried(..) => RecordKind::Carried,
        }
    }
}

/// What became of an appended record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// Stored, and durable.
    New(Position),
    /// Known already, durable at this position; nothing was stored.
    Duplicate(Position),
}

impl Appended {
    /// Where the record stands.
    pub const fn position(self) -> Position {
        match self {
            Self::New(position) | Self::Duplicate(position) => position,
        }
    }
}

/// A record as it stands in the log.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its place.
    pub position: Position,
    /// Whose product.
    pub product: ProductId,
    /// About whom.
    pub user: UserId,
    /// What it is.
    pub kind: RecordKind,
    /// When the server took it.
    pub received_at: Timestamp,
    /// The stored form.
    pub body: Bytes,
    /// The entry's `event`, where the log still has it in memory: whoever has it need not read the body. No log has to keep it.
    pub event: Option<Arc<Event>>,
}

/// The kinds of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A caller's event.
    Event,
    /// A decision of ours.
    Decision,
    /// That an anonymous user is one person with a known one.
    Named,
    /// What a known user takes over from an anonymous one.
    Carried,
}

/// Why nothing was appended.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The bounded queue is full; nothing of the request was taken. Try again later.
    #[error("the log's queue is full")]
    Full,
    /// The log can't be written now; whether the records are stored is unknown, and their names make a retry harmless.
    #[error("the log can't be written: {0}")]
    Unavailable(String),
    /// A record of the call is larger than the log takes, now and later; whether the others are stored is unknown.
    #[error("a record is too large for the log: {0}")]
    TooLarge(String),
    /// The log is shutting down.
    #[error("the log is closed")]
    Closed,
}

impl AppendError {
    /// Whether the same call may succeed later without anybody's doing.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Full | Self::Unavailable(_))
    }
}

/// Why nothing was read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The log can't be read now.
    #[error("the log can't be read: {0}")]
    Unavailable(String),
    /// A record is not what was written.
    #[error("the log is damaged at position {}: {detail}", position.0)]
    Damaged {
        /// Where.
        position: Position,
        /// What is wrong with it.
        detail: String,
    },
}

/// The durable log as those see it who write it and look single records up.
///
/// Contract, proved by `conformance::log` for every implementation:
/// - `append` resolves only once every new record of the call is durable (survives a kill and a power loss); records of
///   one user stand in the log in call order. Calls share commits.
/// - Dropping the `append` future loses nothing: the record is stored or not, never half.
pub trait Journal: Send + Sync + 'static {
    /// Appends the records, durable when it resolves with `Ok`.
    fn append(&self, entries: Vec<Entry>) -> Answer<'_, Result<Vec<Appended>, AppendError>>;

    /// Queues a record without waiting; order with later calls is kept. An error means that it was not taken;
    /// `Ok` that it will be written with the next commit, unless the process dies first or the log fails.
    fn enqueue(&self, entry: Entry) -> Result<(), AppendError>;

    /// Resolves once everything queued before this call is durable (or has failed).
    fn barrier(&self) -> Answer<'_, Result<(), AppendError>>;

    /// The newest durable position of every partition; of the only one where there are none.
    fn ends(&self) -> Answer<'_, Result<Vec<Position>, ReadError>>;

    /// The records at these ascending positions; positions that hold nothing are passed over.
    fn get(&self, positions: Vec<Position>) -> Answer<'_, Result<Vec<Stored>, ReadError>>;

    /// Whether appends are likely to succeed now: false after a write has failed, until one succeeds.
    fn healthy(&self) -> bool;

    /// Its commits since it was opened; `None` from a log that does not measure them.
    fn commits(&self) -> Option<Commits> {
        None
    }

    /// Takes no more, writes what is queued, and closes.
    fn close(&self) -> Answer<'_, ()>;
}

/// A log that one process has to itself: one order over all records, and duplicates told when they are appended.
///
/// Contract beyond that of `Journal`, proved by `conformance::log`:
/// - All of a call's records stand in the log or none; they stand in call order.
/// - A duplicate is told by (product, name, user) among at least the newest `remembered` records that are no decisions, across
///   restarts; doubled names inside one call count too. Its first record's position is returned, and that record is durable.
/// - Positions grow strictly in commit order; a reader that has seen position p never sees a new record at or before p.
/// - `read` returns committed records only, in order, without holes; it sees everything up to `end`.
pub trait Log: Journal {
    /// The records after `after`, in order, until about `max_bytes` of bodies (at least one, where there is one).
    fn read(&self, after: Position, max_bytes: usize)
    -> Answer<'_, Result<Vec<Stored>, ReadError>>;

    /// The position of that decision.
    fn find_decision(&self, id: DecisionId) -> Answer<'_, Result<Option<Position>, ReadError>>;

    /// The position of that user's event, among the remembered ones.
    fn find_event(
        &self,
        product: &ProductId,
        user: &UserId,
        event: &EventId,
    ) -> Answer<'_, Result<Option<Position>, ReadError>>;

    /// The newest durable position; 0 where the log is empty.
    fn end(&self) -> Position;

    /// Resolves once `end` is past `position`.
    fn grown_past(&self, position: Position) -> Answer<'_, ()>;

    /// How many of the newest records that are no decisions are remembered for duplicates.
    fn remembered(&self) -> u64;
}
