//! A record of format 1, a row of its own: read and checked. Must not skip a row that is not as it was written, nor write
//! one.

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::log::{EntryName, RecordKind, Stored};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use thiserror::Error;

use crate::sqlite::{fault, sum};

/// What `read` needs of a row, in its order.
const SELECT: &str = "
    SELECT e.position, e.kind, p.name, e.user, e.received_at, e.name, e.sum, e.body
    FROM entry e LEFT JOIN product p ON p.id = e.product";

/// Why a row gave no record.
#[derive(Debug, Error)]
pub(super) enum RowError {
    /// The row is not what was written.
    #[error("at position {}: {detail}", position.0)]
    Damaged { position: Position, detail: String },
    /// The row can't be read now.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// The log is damaged there.
pub(super) fn damaged(position: Position, detail: &str) -> RowError {
    RowError::Damaged { position, detail: detail.to_owned() }
}

/// A record and the name by which it is known.
#[derive(Debug)]
pub(super) struct Named {
    pub name: EntryName,
    pub stored: Stored,
}

/// The columns that the checksum covers.
struct Facts<'a> {
    position: i64,
    kind: i64,
    product: &'a str,
    user: &'a str,
    received_at: i64,
    name: &'a [u8],
    body: &'a [u8],
}

impl Facts<'_> {
    fn sum(&self) -> u32 {
        let texts = [self.product.as_bytes(), self.user.as_bytes(), self.name, self.body];
        sum::of(&[self.position, self.kind, self.received_at], &texts)
    }
}

const EVENT: i64 = 1;
const DECISION: i64 = 2;

/// Hands the records after `after` that have rows to `each`, in order, until it says that it has enough (`false`);
/// whether it did not.
pub(super) fn scan(
    connection: &Connection,
    after: Position,
    each: &mut dyn FnMut(Named) -> Result<bool, RowError>,
) -> Result<bool, RowError> {
    let query = format!("{SELECT} WHERE e.position > ? ORDER BY e.position");
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query([to_column(after)])?;
    while let Some(row) = rows.next()? {
        if !each(read(row)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The record at that position, where it has a row.
pub(super) fn find(connection: &Connection, at: Position) -> Result<Option<Named>, RowError> {
    let query = format!("{SELECT} WHERE e.position = ?");
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query([to_column(at)])?;
    rows.next()?.map(read).transpose()
}

/// Reads a row of `SELECT` back and checks it.
fn read(row: &Row<'_>) -> Result<Named, RowError> {
    let column: i64 = row.get(0).map_err(RowError::Sqlite)?;
    let position = from_column(column);
    let damaged = |detail: &str| damaged(position, detail);
    let columns = Columns::of(row).map_err(|error| {
        if fault::is_damage(&error) { damaged(&error.to_string()) } else { RowError::Sqlite(error) }
    })?;
    let facts = columns.facts(column).ok_or_else(|| damaged("its product is unknown"))?;
    if facts.sum() != columns.sum {
        return Err(damaged("its checksum does not fit"));
    }
    facts.record(position).ok_or_else(|| damaged("it holds a name that can't be"))
}

/// A row's columns, as SQLite holds them.
struct Columns<'a> {
    kind: i64,
    product: Option<&'a str>,
    user: &'a str,
    received_at: i64,
    name: &'a [u8],
    sum: u32,
    body: &'a [u8],
}

impl<'a> Columns<'a> {
    fn of(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        let name = match row.get_ref(5)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
            _ => &[],
        };
        Ok(Self {
            kind: row.get(1)?,
            product: row.get_ref(2)?.as_str_or_null()?,
            user: row.get_ref(3)?.as_str()?,
            received_at: row.get(4)?,
            name,
            sum: row.get(6)?,
            body: row.get_ref(7)?.as_blob()?,
        })
    }

    fn facts(&self, position: i64) -> Option<Facts<'a>> {
        Some(Facts {
            position,
            kind: self.kind,
            product: self.product?,
            user: self.user,
            received_at: self.received_at,
            name: self.name,
            body: self.body,
        })
    }
}

impl Facts<'_> {
    fn record(&self, position: Position) -> Option<Named> {
        let (kind, name) = match self.kind {
            EVENT => {
                let id = EventId::new(std::str::from_utf8(self.name).ok()?).ok()?;
                (RecordKind::Event, EntryName::Event(id))
            }
            DECISION => {
                let bits = u128::from_be_bytes(self.name.try_into().ok()?);
                (RecordKind::Decision, EntryName::Decision(DecisionId::from_bits(bits)))
            }
            _ => return None,
        };
        let stored = Stored {
            position,
            product: ProductId::new(self.product).ok()?,
            user: UserId::new(self.user).ok()?,
            kind,
            received_at: Timestamp::from_millis(self.received_at),
            body: Bytes::copy_from_slice(self.body),
            event: None,
        };
        Some(Named { name, stored })
    }
}

/// A position as SQLite holds it: it counts records, and nobody writes 2^63 of them.
pub(super) fn to_column(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

/// The position that a column holds; none is negative unless the file is damaged, and 0 holds no record.
pub(super) fn from_column(column: i64) -> Position {
    Position(u64::try_from(column).unwrap_or(0))
}
