//! The feed's memory twin: members of one group over the one partition of a memory log. Must not be served from.
//!
//! `join` makes a member. The newest member has the partition: the one before learns of it at its next poll, as a worker
//! does that was thought dead (`Loss::Taken`), or is asked first (`Loss::Asked`) where it leaves in order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_wire::record::RecordError;

use super::{MemoryLog, hold};
use crate::fold;
use crate::port::Answer;
use crate::port::feed::{Fed, Feed, FeedError, Loss, Partition, Polled, Shift};
use crate::port::log::{Log, Stored};

/// The partition that a memory log is.
pub const ONLY: Partition = Partition(0);

/// A group of members over one log.
#[derive(Debug, Clone)]
pub struct MemoryGroup {
    log: Arc<MemoryLog>,
    /// The member that has the partition, counted from 1; 0 where none has it.
    owner: Arc<Mutex<u64>>,
    members: Arc<Mutex<u64>>,
    buried: Arc<Mutex<Vec<(Position, String)>>>,
}

impl MemoryGroup {
    /// A group without members.
    pub fn over(log: Arc<MemoryLog>) -> Self {
        Self { log, owner: Arc::default(), members: Arc::default(), buried: Arc::default() }
    }

    /// A new member; it takes the partition over at its first poll.
    pub fn join(&self, shift: Arc<dyn Shift>) -> MemoryFeed {
        let mut members = hold(&self.members);
        *members += 1;
        MemoryFeed { group: self.clone(), shift, member: *members, place: Place::New }
    }

    /// What was put aside, and why.
    pub fn buried(&self) -> Vec<(Position, String)> {
        hold(&self.buried).clone()
    }
}

/// A member of a group.
pub struct MemoryFeed {
    group: MemoryGroup,
    shift: Arc<dyn Shift>,
    member: u64,
    place: Place,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It has not polled yet.
    New,
    /// The partition is its own; what it was fed last.
    At(Position),
    /// The partition is another's.
    Out,
}

impl MemoryFeed {
    /// Takes over, or learns that another did; where to read on.
    fn settle(&mut self) -> Option<Position> {
        if self.place == Place::New {
            *hold(&self.group.owner) = self.member;
            let from = aside(|| self.shift.gained(&[ONLY]));
            self.place = Place::At(from.first().copied().unwrap_or(ONLY.start()));
        }
        let Place::At(at) = self.place else { return None };
        if *hold(&self.group.owner) == self.member {
            return Some(at);
        }
        self.place = Place::Out;
        aside(|| self.shift.lost(&[ONLY], Loss::Taken));
        None
    }
}

/// Calls back on a thread that may block, as the port promises.
fn aside<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    let called = std::thread::scope(|scope| scope.spawn(call).join());
    called.expect("a call-back does not panic")
}

fn fed(stored: Stored) -> Result<Fed, RecordError> {
    let name = fold::decode(&stored, &[])?.name();
    Ok(Fed { stored, name })
}

impl Feed for MemoryFeed {
    fn poll(&mut self, max_bytes: usize, wait_ms: u64) -> Answer<'_, Result<Polled, FeedError>> {
        let from = self.settle();
        Box::pin(async move {
            let wait = Duration::from_millis(wait_ms);
            let Some(from) = from else {
                tokio::time::sleep(wait).await;
                return Ok(Polled::Nothing);
            };
            let _ = tokio::time::timeout(wait, self.group.log.grown_past(from)).await;
            let read = self.group.log.read(from, max_bytes).await;
            let read = read.map_err(|error| FeedError::Unavailable(error.to_string()))?;
            let mut records = Vec::with_capacity(read.len());
            for stored in read {
                let position = stored.position;
                match fed(stored) {
                    Ok(record) => records.push(record),
                    // What comes before it is fed first.
                    Err(_) if !records.is_empty() => break,
                    Err(error) => {
                        self.place = Place::At(position);
                        return Ok(Polled::Foreign(position, error));
                    }
                }
            }
            let Some(last) = records.last() else { return Ok(Polled::Nothing) };
            self.place = Place::At(last.stored.position);
            Ok(Polled::Records(records))
        })
    }

    fn bury(&mut self, position: Position, reason: &str) -> Answer<'_, Result<(), FeedError>> {
        hold(&self.group.buried).push((position, reason.to_owned()));
        Box::pin(async { Ok(()) })
    }

    fn told(&mut self, _: &[Position]) {}

    fn close(&mut self) -> Answer<'_, ()> {
        if matches!(self.place, Place::At(_)) {
            aside(|| self.shift.lost(&[ONLY], Loss::Asked));
            self.place = Place::Out;
        }
        Box::pin(async {})
    }
}
