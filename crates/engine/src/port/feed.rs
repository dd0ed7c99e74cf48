//! The feed port: a partitioned log as one member of a group of workers reads it. Must not fold, nor keep what was folded.

use pilotage_domain::event::Position;
use pilotage_wire::record::RecordError;
use thiserror::Error;

use super::Answer;
use super::log::{EntryName, Stored};

/// A part of the log that one worker reads at a time. A user's records all stand in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(pub u16);

impl Partition {
    /// Bits of a position that say the place inside its partition.
    const PLACE_BITS: u32 = 48;

    /// The position of the record at this offset, counted from 0, of the partition. Positions of one partition grow with
    /// the offset; 0 is no record's. `None` where it does not fit: beyond 2⁴⁸ records.
    pub const fn position(self, offset: u64) -> Option<Position> {
        let place = offset.saturating_add(1);
        if place >> Self::PLACE_BITS != 0 {
            return None;
        }
        Some(Position(((self.0 as u64) << Self::PLACE_BITS) | place))
    }

    /// The partition of a record's position.
    pub const fn of(position: Position) -> Self {
        Self((position.0 >> Self::PLACE_BITS) as u16)
    }

    /// The position before the partition's first record.
    pub const fn start(self) -> Position {
        Position((self.0 as u64) << Self::PLACE_BITS)
    }
}

/// The offset of a record in its partition, counted from 0; `None` for the position before the first.
pub const fn offset_of(position: Position) -> Option<u64> {
    (position.0 & ((1 << Partition::PLACE_BITS) - 1)).checked_sub(1)
}

/// A record as a worker gets it.
#[derive(Debug, Clone)]
pub struct Fed {
    /// The record.
    pub stored: Stored,
    /// Its name: a second event of the same product, user and id is the same event, redelivered or sent twice.
    pub name: EntryName,
}

/// What a poll brings, in the order in which it happened.
#[derive(Debug)]
pub enum Polled {
    /// Records, those of one partition in order and without holes.
    Records(Vec<Fed>),
    /// A record that can't be read here, and why: to be buried, unless a later version of this program wrote it.
    Foreign(Position, RecordError),
    /// Nothing for as long as the poll was told to wait.
    Nothing,
}

/// Why nothing was read.
#[derive(Debug, Error)]
pub enum FeedError {
    /// The log can't be read now; the group goes on as soon as it can.
    #[error("the log can't be read: {0}")]
    Unavailable(String),
}

/// Who takes partitions over and gives them back. Called only while a poll (or the closing) is under way, so nothing of an
/// earlier poll is still being worked on if the caller finishes one poll's records before the next; and on a thread that
/// may block.
pub trait Shift: Send + Sync + 'static {
    /// These are ours from now on: the position after which each is to be read. Blocks until that is known.
    fn gained(&self, partitions: &[Partition]) -> Vec<Position>;
    /// These are no longer ours; where they were taken from us (`Loss::Taken`), another may be at work on them already.
    fn lost(&self, partitions: &[Partition], loss: Loss);
}

/// How partitions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// They are asked for, and ours until we answer.
    Asked,
    /// We were thought dead.
    Taken,
}

/// One member of the group. Contract, proved by `conformance::feed`:
/// - Every record of a partition is fed in order to the member that has it, from where `gained` said on.
/// - A partition is fed to nobody whose `lost` was called for it, until it is gained again.
/// - `told` is advice for lag displays; where a partition begins is what `gained` says.
pub trait Feed: Send + 'static {
    /// The next records, up to about `max_bytes` of bodies, waiting no longer than `wait_ms`.
    fn poll(&mut self, max_bytes: usize, wait_ms: u64) -> Answer<'_, Result<Polled, FeedError>>;

    /// Puts the original bytes of a record of the last poll, with its position and the reason, where a person finds them;
    /// durable when it resolves.
    fn bury(&mut self, position: Position, reason: &str) -> Answer<'_, Result<(), FeedError>>;

    /// Tells the group how far each partition is worked on.
    fn told(&mut self, applied: &[Position]);

    /// Leaves the group.
    fn close(&mut self) -> Answer<'_, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_keep_partition_and_offset() {
        let partition = Partition(7);
        for offset in [0, 1, 4_096, (1 << 48) - 2] {
            let position = partition.position(offset).expect("it fits");
            assert_eq!((Partition::of(position), offset_of(position)), (partition, Some(offset)));
            assert!(position > partition.start() && position < Partition(8).start());
        }
        assert_eq!(partition.position((1 << 48) - 1), None);
        assert_eq!(offset_of(partition.start()), None);
    }
}
