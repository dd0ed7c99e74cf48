//! The store port: profiles as of a log position, and the little that is not folded from the log. Must not fold anything.

use std::collections::BTreeMap;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId, UserId};
pub use pilotage_domain::report::{Cohort, Cohorts, Grid, GroupCount, Reached};
use pilotage_domain::time::Timestamp;
use thiserror::Error;

use super::Answer;
use super::book::{Book, Wanted};
use super::meter::Commits;

/// A user of a product.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserKey {
    /// The product.
    pub product: ProductId,
    /// The user.
    pub user: UserId,
}

/// A user's row number: small, dense, in order of first storing. Neighbours in number are neighbours on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u64);

/// A user as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUser {
    /// Where it stands.
    pub row: RowId,
    /// The encoded record (profile and newest timeline positions); opaque here.
    pub body: Bytes,
}

/// A user to be written.
#[derive(Debug, Clone)]
pub struct UserWrite {
    /// Who.
    pub key: UserKey,
    /// Where it stands; `None` for one that was never stored (an implementation finds an existing row by key).
    pub row: Option<RowId>,
    /// The encoded record.
    pub body: Bytes,
    /// The last record that is in the body: what a reservation is held against.
    pub applied: Position,
    /// Timeline positions that no longer fit the record: a run that is stored for good, keyed by its first position.
    pub spilled: Vec<(Position, Bytes)>,
    /// What reports count of the user from now on.
    pub counting: Counting,
}

/// What becomes of what is counted of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// It stays as it was written last.
    #[default]
    Unchanged,
    /// The user counts as this.
    As(Cohort),
    /// The user counts for nothing: another one counts for the person.
    Not,
}

/// How far the stored profiles stand for the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watermark {
    /// Every record at or before this is in the stored profiles; later ones may be in some.
    pub position: Position,
    /// The newest event time that was folded: the event clock.
    pub newest_event: Option<Timestamp>,
    /// By product, the fold hash of the definition that the profiles were folded under.
    pub folds: BTreeMap<ProductId, ContentHash>,
}

/// Users to be written together, and how far the store stands once they are.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Users in row order, new ones last.
    pub users: Vec<UserWrite>,
    /// The new watermark, where this batch completes one.
    pub watermark: Option<Watermark>,
    /// What is learnt from the stored users once these are.
    pub learnt: Vec<Learnt>,
    /// Situations of these users that a model should be asked about.
    pub wanted: Vec<Wanted>,
}

/// What a product's learner has learnt, in one of its two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learnt {
    /// Whose.
    pub product: ProductId,
    /// Which of the two.
    pub part: LearntPart,
    /// The encoded state; opaque here.
    pub body: Bytes,
}

/// The parts of a learner's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LearntPart {
    /// What all stored users teach together.
    Current,
    /// What decisions draw from: as of a fixed position of the log.
    Published,
}

/// Why the store did not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It can't be reached or written now; nothing was changed.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What it holds is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's doing.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// The store.
///
/// Contract, proved by `conformance::store` for every implementation:
/// - `write` is one durable transaction: all of the batch or nothing, watermark and wanted situations included.
/// - `load` sees every batch whose `write` resolved, and never half of one; it returns users in the order asked, `None`
///   for unknown ones.
/// - A row keeps its number for ever; `write` returns the rows in the batch's order.
/// - What is learnt stands by product and part; a batch replaces what it names and leaves the rest.
/// - A user counts as the last cohort says that was written of it, and for nothing once that was taken back. One whose row is of a version that noted no milestones counts
///   for none until `note_reached` tells them; where they are known, `note_reached` changes nothing.
/// - `reset` forgets users, spilled runs, cohorts, what is learnt and the watermark in one transaction, and keeps the rest.
pub trait Store: Book {
    /// The stored users, in the order asked.
    fn load(&self, keys: Vec<UserKey>) -> Answer<'_, Result<Vec<Option<StoredUser>>, StoreError>>;

    /// Writes the batch; the rows of its users, in its order.
    fn write(&self, batch: Batch) -> Answer<'_, Result<Vec<RowId>, StoreError>>;

    /// How far the stored profiles stand for the log.
    fn watermark(&self) -> Answer<'_, Result<Watermark, StoreError>>;

    /// What is learnt, by product and part.
    fn learnt(&self) -> Answer<'_, Result<Vec<Learnt>, StoreError>>;

    /// A user's spilled runs in ascending order.
    fn spilled(&self, row: RowId) -> Answer<'_, Result<Vec<(Position, Bytes)>, StoreError>>;

    /// The product's stored users, counted on that grid; all of one moment. Looks at every user's cohort.
    fn cohorts(&self, product: &ProductId, grid: &Grid) -> Answer<'_, Result<Cohorts, StoreError>>;

    /// Counted users of the product whose milestones are not noted: at most `limit` of them. Cheap where there is none.
    fn unnoted(
        &self,
        product: &ProductId,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>>;

    /// Notes the milestones of users that `unnoted` gave.
    fn note_reached(&self, of: Vec<(RowId, Reached)>) -> Answer<'_, Result<(), StoreError>>;

    /// Every stored user in key order, a page of at most `limit` after `after`: for digests and exports.
    fn page(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Answer<'_, Result<Vec<(UserKey, StoredUser)>, StoreError>>;

    /// Forgets everything that is folded from the log.
    fn reset(&self) -> Answer<'_, Result<(), StoreError>>;

    /// The paused guides by product.
    fn paused(&self) -> Answer<'_, Result<BTreeMap<ProductId, Vec<GuideId>>, StoreError>>;

    /// Pauses or resumes a guide, durable when it resolves.
    fn set_paused(
        &self,
        product: &ProductId,
        guide: &GuideId,
        pause: Pause,
    ) -> Answer<'_, Result<(), StoreError>>;

    /// Keeps a definition's text by its content hash; the same hash again changes nothing.
    fn keep_definition(
        &self,
        product: &ProductId,
        version: u64,
        hash: ContentHash,
        text: &str,
    ) -> Answer<'_, Result<(), StoreError>>;

    /// A kept definition's text.
    fn definition(
        &self,
        product: &ProductId,
        hash: ContentHash,
    ) -> Answer<'_, Result<Option<String>, StoreError>>;

    /// The server's own secret under that name, stored now if there is none; 32 bytes.
    fn secret(&self, name: &str, fresh: [u8; 32]) -> Answer<'_, Result<[u8; 32], StoreError>>;

    /// Whether writes are likely to succeed now.
    fn healthy(&self) -> bool;

    /// Its commits by `write` since it was opened; `None` from a store that does not measure them.
    fn commits(&self) -> Option<Commits> {
        None
    }

    /// Takes no more and closes.
    fn close(&self) -> Answer<'_, ()>;
}

/// The kill switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Not to be shown.
    Pause,
    /// May be shown again.
    Resume,
}
