//! The shared store port: what several processes must agree on beside the profiles. Must not fold or decide anything.

use std::collections::BTreeMap;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, ProductId};
use pilotage_domain::time::Timestamp;
use thiserror::Error;
use tokio::sync::broadcast;

use super::Answer;
use super::book::Wanted;
use super::feed::Partition;
use super::log::EntryName;
use super::store::{Learnt, RowId, Store, StoreError, StoredUser, UserKey, UserWrite};

/// A partition taken over by a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub partition: Partition,
    /// Greater than that of every earlier claim: a write under an earlier one is refused.
    pub epoch: u64,
    /// The last record that is in the stored profiles.
    pub applied: Position,
}

impl Claim {
    /// Whether what was made under this claim may be stored where the partition has that epoch and is folded so far. Every
    /// implementation of `Shared::fold` asks this, under the lock that keeps both as they are.
    pub const fn judge(&self, epoch: u64, applied: Position) -> Verdict {
        if self.epoch != epoch {
            Verdict::Fenced
        } else if self.applied.0 < applied.0 {
            Verdict::Backwards
        } else {
            Verdict::Store
        }
    }
}

/// What becomes of a write under a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be stored.
    Store,
    /// Another worker has taken the partition over since.
    Fenced,
    /// It goes back behind what is stored: a fault of ours.
    Backwards,
}

/// The name of a record, of an event together with product and user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordName {
    /// Whose.
    pub key: UserKey,
    /// What it is called.
    pub name: EntryName,
}

/// For so many days after the one on which an event was received first, its name is known again. Part of what a log is folded to:
/// another number folds old logs to something else.
pub const REMEMBERED_DAYS: i32 = 7;

/// A day of UTC, counted from 1970. Days further off than any record's are taken for the furthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Day(i32);

impl Day {
    const FURTHEST: i32 = 1_000_000;

    /// The day of that number.
    pub fn new(number: i32) -> Self {
        Self(number.clamp(-Self::FURTHEST, Self::FURTHEST))
    }

    /// The day of that moment.
    pub fn of(at: Timestamp) -> Self {
        let number = at.as_millis().div_euclid(86_400_000);
        Self::new(i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Its number.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Whether an event that took effect on this day is known on that one: by both alone, whenever they are folded.
    pub const fn knows(self, again: Self) -> bool {
        again.0 - self.0 <= REMEMBERED_DAYS
    }
}

/// A record's name and the day by which it is known: for an event that on which it was received. All others' are known for ever:
/// one day stands for all of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dated {
    /// Its name.
    pub name: RecordName,
    /// By which day.
    pub day: Day,
}

/// What a worker made of a run of records; stored in one transaction or not at all.
#[derive(Debug, Clone, Default)]
pub struct Folded {
    /// The claims that it was made under, each with how far it goes now. One that is outdated refuses all of it.
    pub claims: Vec<Claim>,
    /// The users that changed, sorted by key.
    pub users: Vec<UserWrite>,
    /// The records that took effect and where they stand: each name once, as it took effect last, and none that was known on
    /// its day.
    pub names: Vec<(Dated, Position)>,
    /// Decisions that are in the profiles now: what was reserved for them is free again.
    pub settled: Vec<(UserKey, DecisionId)>,
    /// The newest event time that was folded.
    pub newest_event: Option<Timestamp>,
    /// Situations of these users that a model should be asked about.
    pub wanted: Vec<Wanted>,
    /// What these users teach more than they did, by product: to be added to what is learnt. Opaque here.
    pub addends: Vec<(ProductId, Bytes)>,
}

/// What workers' folds have taught and nobody has added up yet, with what it is to be added to: in one moment.
#[derive(Debug, Clone, Default)]
pub struct Teaching {
    /// How often something was added up: what a `Sum` is held against.
    pub turn: u64,
    /// What is learnt.
    pub learnt: Vec<Learnt>,
    /// What is to be added.
    pub addends: Vec<Addend>,
    /// Whether there are more of them.
    pub has_more: bool,
    /// How far every partition is folded.
    pub applied: BTreeMap<Partition, Position>,
    /// The newest event time that was folded.
    pub newest_event: Option<Timestamp>,
}

/// What one fold has taught of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addend {
    /// Which.
    pub id: u64,
    /// Whose.
    pub product: ProductId,
    /// As the fold gave it.
    pub body: Bytes,
}

/// What was added up, in the place of what it was added up from.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// As it was read.
    pub seen: u64,
    /// The addends that are in it.
    pub addends: Vec<u64>,
    /// What is learnt now.
    pub learnt: Vec<Learnt>,
}

/// Why nothing was stored.
#[derive(Debug, Error)]
pub enum FoldError {
    /// Another worker has taken the partition over.
    #[error("partition {} belongs to another worker now", partition.0)]
    Fenced {
        /// Which.
        partition: Partition,
    },
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user as a decision needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SharedUser {
    /// The profile; `None` where nothing of the user is folded yet.
    pub stored: Option<StoredUser>,
    /// How often something was reserved for the user.
    pub reservations: u64,
    /// What is reserved and not in the profile yet: the decision and its encoded offer.
    pub reserved: Vec<(DecisionId, Bytes)>,
    /// The newest event time that was folded, of any user.
    pub newest_event: Option<Timestamp>,
}

/// An offer to be held for a user, unless anything about the user has changed since it was read.
#[derive(Debug, Clone)]
pub struct Reservation {
    /// Whose.
    pub key: UserKey,
    /// What was read: the stored body's `applied`, 0 where there was none.
    pub seen_applied: Position,
    /// What was read.
    pub seen_reservations: u64,
    /// For which decision.
    pub decision: DecisionId,
    /// The encoded offer.
    pub offer: Bytes,
    /// When it lapses.
    pub until: Timestamp,
}

/// What came of adding up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is stored.
    Kept,
    /// Another process has added up since: nothing is stored.
    Changed,
}

/// What came of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It is held.
    Held,
    /// The user has changed since: read again, decide again.
    Changed,
}

/// Something that other processes should look at again. It may be lost: whoever needs to be right reads, or reserves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Profiles of these users, as `user_mark`.
    Users(Vec<u64>),
    /// More than can be told: everything.
    All,
    /// A guide was paused or resumed.
    Paused,
    /// There is something new for decisions to draw from.
    Learnt,
}

/// What tells a user in a `Change`: a hash of the key, the same in every process. Two users may share one.
pub fn user_mark(key: &UserKey) -> u64 {
    pilotage_domain::hash::uniform(
        "changed",
        &[key.product.as_str().as_bytes(), key.user.as_str().as_bytes()],
    )
}

/// A store that several processes share.
///
/// Contract, proved by `conformance::shared` for every implementation:
/// - `claim` makes every earlier claim of the partition outdated, waiting for a write under it that has begun; what it
///   says of `applied` includes that write.
/// - `fold` is one durable transaction: users, names, settled reservations, claims' positions, wanted situations, addends. It is
///   refused whole where one claim is outdated, and, as `Damaged`, where a claim would go backwards, a name is known or a row is
///   another's.
/// - Every addend of a resolved `fold` is told by `teaching` until one `add_up` that names it is `Kept`. Of two that read the
///   same turn, one is told `Changed`.
/// - `reserve` holds the offer only if neither the profile nor the reservations of the user have changed since they were
///   read: of two that read the same, one is told `Changed`.
/// - `positions` knows every name of a resolved `fold`: an event's on all days that the day of its record `knows`, all others'
///   on every day. Which days those are depends on records alone and never on when they are folded, so that a live fold and a
///   rebuild agree. What is forgotten is what no record can ask for any more, if those who receive agree on the day within one.
/// - Of several that `agree` on what a product is folded with, the first one's stays, and all are told so.
/// - `reset` forgets names and addends, too, and how far partitions are folded, and makes every claim and every turn outdated;
///   what is reserved stays.
pub trait Shared: Store {
    /// Takes the partitions over.
    fn claim(&self, partitions: Vec<Partition>) -> Answer<'_, Result<Vec<Claim>, StoreError>>;

    /// Stores what was made of a run of records; the rows of its users, in their order.
    fn fold(&self, folded: Folded) -> Answer<'_, Result<Vec<RowId>, FoldError>>;

    /// Notes what products are folded with, where nothing is noted yet; what is noted of all products then.
    fn agree(
        &self,
        folds: BTreeMap<ProductId, ContentHash>,
    ) -> Answer<'_, Result<BTreeMap<ProductId, ContentHash>, StoreError>>;

    /// Where records of these names took effect; `None` where none has that is known on that day.
    fn positions(&self, names: Vec<Dated>)
    -> Answer<'_, Result<Vec<Option<Position>>, StoreError>>;

    /// Where the decision stands in the log.
    fn decision(&self, id: DecisionId) -> Answer<'_, Result<Option<Position>, StoreError>>;

    /// The user as it stands now, in one moment; reservations that have lapsed by `now` are left out.
    fn shared_user(
        &self,
        key: &UserKey,
        now: Timestamp,
    ) -> Answer<'_, Result<SharedUser, StoreError>>;

    /// Holds an offer for a user.
    fn reserve(&self, reservation: Reservation) -> Answer<'_, Result<Reserved, StoreError>>;

    /// Gives up what was reserved for a decision that was not made after all.
    fn release(&self, key: &UserKey, decision: DecisionId) -> Answer<'_, Result<(), StoreError>>;

    /// How far every partition that was ever claimed is folded.
    fn applied(&self) -> Answer<'_, Result<BTreeMap<Partition, Position>, StoreError>>;

    /// What is learnt, and at most so many of what is to be added to it.
    fn teaching(&self, most: usize) -> Answer<'_, Result<Teaching, StoreError>>;

    /// Puts a sum in the place of what it was added up from, in one durable transaction.
    fn add_up(&self, sum: Sum) -> Answer<'_, Result<Added, StoreError>>;

    /// What changes from now on, in this process and others.
    fn changes(&self) -> broadcast::Receiver<Change>;
}
