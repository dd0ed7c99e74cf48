//! Reading the log: from memory near the end, else from the file. Must not pass over a record that should be there.

use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_engine::port::log::{EntryName, Log, ReadError, Stored};
use rusqlite::{Connection, OptionalExtension};

use super::row::{self, Named, RowError};
use super::tail::{self, Tail};
use super::{SqliteLog, block};
use crate::sqlite::fault;

impl SqliteLog {
    pub(super) async fn read_after(
        &self,
        after: Position,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        let end = self.end();
        if after >= end {
            return Ok(Vec::new());
        }
        let recent = self.shared.tail().after(after, max_bytes);
        if let Some(commits) = recent {
            let records = commits.iter().flat_map(|commit| commit.after(after));
            return Ok(within(records, max_bytes));
        }
        self.blocking(after, move |connection| page(connection, after, end, max_bytes)).await
    }

    pub(super) async fn read_at(&self, positions: Vec<Position>) -> Result<Vec<Stored>, ReadError> {
        let end = self.end();
        let wanted = positions.into_iter().filter(|at| (1..=end.0).contains(&at.0));
        let wanted: Vec<Position> = wanted.collect();
        if let Some(recent) = all_recent(&self.shared.tail(), &wanted) {
            return Ok(recent);
        }
        let first = wanted.first().copied().unwrap_or_default();
        let read = move |connection: &Connection| {
            wanted.into_iter().map(|at| record(connection, at).map(|named| named.stored)).collect()
        };
        self.blocking(first, read).await
    }

    pub(super) async fn position_of_decision(
        &self,
        id: DecisionId,
    ) -> Result<Option<Position>, ReadError> {
        let find = move |connection: &Connection| {
            let query = "SELECT position FROM decision WHERE id = ?";
            let mut statement = connection.prepare_cached(query)?;
            let bits = id.bits().to_be_bytes();
            let Some(at) = statement.query_row([bits], |row| row.get(0)).optional()? else {
                return Ok(None);
            };
            let position = row::from_column(at);
            if record(connection, position)?.name == EntryName::Decision(id) {
                return Ok(Some(position));
            }
            let detail = "it is not the decision that it is listed as".to_owned();
            Err(RowError::Damaged { position, detail })
        };
        self.blocking(Position(0), find).await
    }

    pub(super) async fn position_of_event(
        &self,
        product: ProductId,
        user: UserId,
        event: EventId,
    ) -> Result<Option<Position>, ReadError> {
        let mark = self.shared.key.mark(product.as_str(), user.as_str(), event.as_str());
        let positions: Vec<Position> = self.shared.remembered().find(mark).collect();
        let name = EntryName::Event(event);
        for position in positions {
            let recent = self.shared.tail().holding(position).cloned();
            let same = match recent.as_ref().and_then(|commit| commit.at(position)) {
                Some(entry) => entry.name == name && entry.user == user && entry.product == product,
                None => {
                    let read = move |connection: &Connection| record(connection, position);
                    let found = self.blocking(position, read).await?;
                    let Named { name: found_name, stored } = found;
                    found_name == name && stored.user == user && stored.product == product
                }
            };
            if same {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Reads from the file, on a thread that may block; `near` is where damage that has no place of its own is said to be.
    async fn blocking<R, F>(&self, near: Position, read: F) -> Result<R, ReadError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> Result<R, RowError> + Send + 'static,
    {
        let done = self.readers.run(move |connection| read(connection)).await;
        let done = done.map_err(|_| ReadError::Unavailable("it is closed".to_owned()))?;
        done.map_err(|error| match error {
            RowError::Damaged { position, detail } => ReadError::Damaged { position, detail },
            RowError::Sqlite(error) if fault::is_damage(&error) => {
                ReadError::Damaged { position: near, detail: error.to_string() }
            }
            RowError::Sqlite(error) => ReadError::Unavailable(error.to_string()),
        })
    }
}

/// The records until about so many bytes of bodies, and at least one.
fn within(records: impl Iterator<Item = Stored>, max_bytes: usize) -> Vec<Stored> {
    let mut bytes = 0;
    let fits = |stored: &Stored| {
        let first = bytes == 0;
        bytes += stored.body.len().max(1);
        first || bytes <= max_bytes
    };
    records.take_while(fits).collect()
}

/// The records at these positions, where all are in memory.
fn all_recent(tail: &Tail, positions: &[Position]) -> Option<Vec<Stored>> {
    let at = |position: &Position| {
        let entry = tail.holding(*position)?.at(*position)?;
        Some(tail::stored((position.0, entry)))
    };
    positions.iter().map(at).collect()
}

/// The records after `after` and not after `end`, until about so many bytes; every one of them must be there.
fn page(
    connection: &Connection,
    after: Position,
    end: Position,
    max_bytes: usize,
) -> Result<Vec<Stored>, RowError> {
    let (mut page, mut bytes): (Vec<Stored>, usize) = (Vec::new(), 0);
    let reached = scan(connection, after, &mut |named| {
        bytes += named.stored.body.len();
        let wanted = named.stored.position <= end && (bytes <= max_bytes || page.is_empty());
        if wanted {
            page.push(named.stored);
        }
        Ok(wanted)
    })?;
    if reached < end && bytes <= max_bytes { Err(missing(reached)) } else { Ok(page) }
}

/// Hands the records after `after` to `each`, in order, until it says that it has enough (`false`). None may be missing;
/// the position of the last one.
pub(super) fn scan(
    connection: &Connection,
    after: Position,
    each: &mut dyn FnMut(Named) -> Result<bool, RowError>,
) -> Result<Position, RowError> {
    let mut reached = after;
    let mut follow = |named: Named| {
        if named.stored.position.0 != reached.0 + 1 {
            return Err(missing(reached));
        }
        reached = named.stored.position;
        each(named)
    };
    if row::scan(connection, after, &mut follow)? {
        block::scan(connection, after, &mut follow)?;
    }
    Ok(reached)
}

/// The record at that position, which must be there.
pub(super) fn record(connection: &Connection, position: Position) -> Result<Named, RowError> {
    let found = match block::find(connection, position)? {
        None => row::find(connection, position)?,
        found => found,
    };
    found.ok_or_else(|| missing(Position(position.0 - 1)))
}

/// The record after that position is not there.
fn missing(reached: Position) -> RowError {
    row::damaged(Position(reached.0 + 1), "the record is missing")
}
