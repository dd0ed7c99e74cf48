//! The log's records of one product, decoded, in their order. Must not fold or judge them.

use pilotage_domain::event::{Event, Position};
use pilotage_domain::id::{ProductId, UserId};
use pilotage_engine::port::feed::{Partition, offset_of};
use pilotage_engine::port::log::{Journal, Log, ReadError, RecordKind, Stored};
use pilotage_wire::record::decision::StoredDecision;
use pilotage_wire::record::merge::{self, Carried};
use pilotage_wire::record::{RecordError, decision, event};
use thiserror::Error;

/// How many bytes of the log are read at a time.
const STEP_BYTES: usize = 1 << 20;
/// How many records of a partition are looked up at a time.
const STEP_RECORDS: usize = 1_024;

/// A record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    /// What a user did.
    Event(Box<Event>),
    /// What was decided.
    Decision(Box<StoredDecision>),
    /// The user is one person with a known one, who has from here on what is said of this one.
    Named(UserId),
    /// What the user takes over from an anonymous one.
    Carried(Box<Carried>),
}

/// Why not every record was looked at.
#[derive(Debug, Error)]
pub enum WalkError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A record is not what was ever written.
    #[error("the log's record {} can't be read: {error}", position.0)]
    Record {
        /// Where it stands.
        position: Position,
        /// What is wrong.
        error: RecordError,
    },
}

/// A log to go through.
#[derive(Clone, Copy)]
pub enum Traffic<'a> {
    /// In one order over all records.
    Ordered(&'a dyn Log),
    /// In partitions, one after another: each user's records are in order.
    Partitioned(&'a dyn Journal),
}

/// Goes through the log from its beginning; `tell` hears how many records of how many were looked at.
pub(super) async fn walk(
    traffic: Traffic<'_>,
    product: &ProductId,
    tell: impl FnMut(u64, u64),
    mut each: impl FnMut(Position, &UserId, Fact),
) -> Result<(), WalkError> {
    let mut take = |records: Vec<Stored>| {
        let mut own = records.iter().filter(|record| record.product == *product);
        own.try_for_each(|record| {
            each(record.position, &record.user, decoded(record)?);
            Ok(())
        })
    };
    match traffic {
        Traffic::Ordered(log) => in_order(log, tell, &mut take).await,
        Traffic::Partitioned(journal) => by_partition(journal, tell, &mut take).await,
    }
}

type Take<'a> = &'a mut (dyn FnMut(Vec<Stored>) -> Result<(), WalkError> + 'a);

async fn in_order(
    log: &dyn Log,
    mut tell: impl FnMut(u64, u64),
    take: Take<'_>,
) -> Result<(), WalkError> {
    let (mut after, end) = (Position(0), log.end());
    while after < end {
        let records = log.read(after, STEP_BYTES).await?;
        let Some(last) = records.last() else { break };
        after = last.position;
        take(records)?;
        tell(after.0, end.0);
    }
    Ok(())
}

async fn by_partition(
    journal: &dyn Journal,
    mut tell: impl FnMut(u64, u64),
    take: Take<'_>,
) -> Result<(), WalkError> {
    let ends = journal.ends().await?;
    let length = |end: &Position| offset_of(*end).map_or(0, |offset| offset + 1);
    let (mut done, of) = (0, ends.iter().map(length).sum());
    for end in &ends {
        let partition = Partition::of(*end);
        for first in (0..length(end)).step_by(STEP_RECORDS) {
            let last = length(end).min(first + STEP_RECORDS as u64);
            let places = (first..last).filter_map(|offset| partition.position(offset));
            take(readable(journal, places.collect()).await?)?;
            done += last - first;
            tell(done, of);
        }
    }
    Ok(())
}

/// The records at these places, save for those that are none of ours: workers pass over them, too.
async fn readable(journal: &dyn Journal, places: Vec<Position>) -> Result<Vec<Stored>, ReadError> {
    match journal.get(places.clone()).await {
        Err(ReadError::Damaged { .. }) => {}
        answer => return answer,
    }
    let mut found = Vec::with_capacity(places.len());
    for place in places {
        match journal.get(vec![place]).await {
            Err(ReadError::Damaged { .. }) => {}
            answer => found.extend(answer?),
        }
    }
    Ok(found)
}

fn decoded(record: &Stored) -> Result<Fact, WalkError> {
    let fault = |error| WalkError::Record { position: record.position, error };
    Ok(match record.kind {
        RecordKind::Event => Fact::Event(Box::new(event::decode(&record.body).map_err(fault)?)),
        RecordKind::Decision => {
            Fact::Decision(Box::new(decision::decode(&record.body).map_err(fault)?))
        }
        RecordKind::Named => Fact::Named(merge::decode_named(&record.body).map_err(fault)?.into),
        RecordKind::Carried => {
            Fact::Carried(Box::new(merge::decode_carried(&record.body).map_err(fault)?))
        }
    })
}
