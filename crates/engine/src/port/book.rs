//! What is kept of asking models: the situations that wait, the book of what was asked and decided, the budget's ledger. Must
//! not know what a page says.

use bytes::Bytes;
use pilotage_domain::advise::budget::{Caps, Command, Effect, Ledger};
use pilotage_domain::advise::queue::Job;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use pilotage_domain::time::Timestamp;

use super::Answer;
use super::store::StoreError;

/// The most situations that wait, of all products together.
pub const MOST_WAITING: usize = 10_000;

/// A situation to be asked about. Its job's traffic is how often it was met since it was told last.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Of which product.
    pub product: ProductId,
    /// The situation, and what a call about it is worth.
    pub job: Job,
    /// The question; opaque here.
    pub brief: Bytes,
}

/// A situation that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// All that was told of it, with its whole traffic.
    pub wanted: Wanted,
    /// How often in a row asking about it has failed.
    pub failures: u32,
}

/// Which situation is wanted next, and for how long it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The least traffic that it must have.
    pub least_traffic: u64,
    /// The moment: it must be due, and nobody else's.
    pub now: Timestamp,
    /// It is nobody else's until then.
    pub until: Timestamp,
}

/// What is to be written into the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPage {
    /// Of which product.
    pub product: ProductId,
    /// When it was so.
    pub at: Timestamp,
    /// What it is about.
    pub kind: Kind,
    /// What it says; opaque here.
    pub body: Bytes,
}

/// What a page is about: readers pass over old answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An answer of a model.
    Answer,
    /// What became of one, or of how much say advice has.
    Ruling,
}

/// A page of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Counted from 1, without a gap.
    pub number: u64,
    /// As it was written.
    pub page: NewPage,
    /// Over this page and all before it: `chained`.
    pub hash: ContentHash,
}

/// The hash before the first page.
pub const BEGINNING: ContentHash = ContentHash::from_bytes([0; 32]);

/// The hash of a page behind one with that hash. A page that is changed, dropped or moved changes all behind it.
pub fn chained(before: ContentHash, number: u64, page: &NewPage) -> ContentHash {
    let kind: &[u8] = match page.kind {
        Kind::Answer => b"answer",
        Kind::Ruling => b"ruling",
    };
    ContentHash::of(&[
        before.as_bytes(),
        &number.to_be_bytes(),
        page.product.as_str().as_bytes(),
        &page.at.as_millis().to_be_bytes(),
        kind,
        &page.body,
    ])
}

/// How a job ended: pages, and what becomes of the situation; all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Of which product.
    pub product: ProductId,
    /// The situation.
    pub signature: ContentHash,
    /// What becomes of it.
    pub ending: Ending,
    /// What is written into the book.
    pub pages: Vec<NewPage>,
}

/// What becomes of a situation that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It waits no longer.
    Over,
    /// It waits on, and rests until then.
    Rests {
        /// Not to be asked about before.
        until: Timestamp,
        /// How often in a row asking has failed.
        failures: u32,
    },
}

/// Which pages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Those behind this one.
    pub after: u64,
    /// Of answers, those that are not older.
    pub answers_since: Option<Timestamp>,
    /// So many at most.
    pub limit: usize,
}

/// The part of a store that is about models. A reset touches nothing of it.
///
/// Contract, proved by `conformance::store` for every implementation:
/// - A situation waits once, by product and signature: `want` adds to the traffic of one that waits, and keeps since when it
///   waits, when it is due and whose it is; what is told of uncertainty and brief is what is told last. Of more than
///   `MOST_WAITING` those are dropped whose `Job::rank` is last.
/// - `next_job` takes the first by `Job::rank` that is due, has the traffic and is nobody's; of several that take at once
///   no two take the same one.
/// - Pages are numbered from 1 without a gap, in the order in which they become visible, and chained.
/// - `end_job` is one transaction. A situation that does not wait any more stays away.
/// - `step_budget` is atomic: no two steps begin from the same ledger.
pub trait Book: Send + Sync + 'static {
    /// Takes note of situations that were met; no situation stands twice in a call.
    fn want(&self, wanted: Vec<Wanted>) -> Answer<'_, Result<(), StoreError>>;

    /// Takes the situation that is worth most, if one is due.
    fn next_job(&self, turn: Turn) -> Answer<'_, Result<Option<Waiting>, StoreError>>;

    /// Ends what `next_job` began; the number of the last page.
    fn end_job(&self, ended: Ended) -> Answer<'_, Result<u64, StoreError>>;

    /// How many situations wait.
    fn waiting(&self) -> Answer<'_, Result<u64, StoreError>>;

    /// Writes pages; the number of the last page.
    fn write_pages(&self, pages: Vec<NewPage>) -> Answer<'_, Result<u64, StoreError>>;

    /// Pages of all products, in order.
    fn pages(&self, reading: Reading) -> Answer<'_, Result<Vec<Page>, StoreError>>;

    /// The newest answers about a product before a page (or of all), newest first.
    fn answers(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<Page>, StoreError>>;

    /// One page.
    fn page_of(&self, number: u64) -> Answer<'_, Result<Option<Page>, StoreError>>;

    /// Steps the budget's ledger under these caps: the ledger as it is now, and what came of the step.
    fn step_budget(
        &self,
        caps: Caps,
        command: Command,
        now: Timestamp,
    ) -> Answer<'_, Result<(Ledger, Vec<Effect>), StoreError>>;
}

/// A ledger as stores keep it.
pub fn encode_ledger(ledger: &Ledger) -> Vec<u8> {
    // Numbers and names: nothing in it can fail to be written to memory.
    serde_json::to_vec(ledger).expect("a ledger is always writable")
}

/// Reads what `encode_ledger` wrote.
///
/// # Errors
/// What is wrong with it.
pub fn decode_ledger(body: &[u8]) -> Result<Ledger, String> {
    serde_json::from_slice(body).map_err(|error| format!("the budget's ledger: {error}"))
}
